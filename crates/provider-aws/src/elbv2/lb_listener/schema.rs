//! The arguments and attributes of `aws_lb_listener`.

use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{
    Attribute, Blocks, Check, Constraint, Kind, Literal, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::{Mode, Object, Value};

use crate::elbv2::action;
use crate::elbv2::settings::{Setting, empty_is_null};

/// The `aws_lb_listener` schema.
pub(super) static SCHEMA: Schema = Schema {
    type_name: "aws_lb_listener",
    mode: Mode::Managed,
    version: 1,
    doc: "A port that a load balancer listens on, and what it does with requests there.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The listener's ARN."),
        Attribute::computed("arn", Kind::String).doc("The listener's ARN."),
        Attribute::required("load_balancer_arn", Kind::String)
            .replace()
            .refers_to("aws_lb", "arn")
            .doc("The load balancer."),
        Attribute::optional("port", Kind::Int)
            .check(Check::Range(1, 65535))
            .doc("The port; a gateway load balancer takes none."),
        Attribute::optional_computed("protocol", Kind::String)
            .recomputed_by(&["certificate_arn"])
            .check(Check::OneOf(&[
                "HTTP", "HTTPS", "QUIC", "TCP", "TCP_QUIC", "TCP_UDP", "TLS", "UDP",
            ]))
            .doc("The protocol; `HTTP` for an application load balancer that is told none."),
        Attribute::required("default_action", action::ACTIONS)
            .doc("What is done with a request that no rule applies to."),
        Attribute::optional("certificate_arn", Kind::String)
            .doc("The default certificate of an `HTTPS` or `TLS` listener."),
        Attribute::optional_computed("ssl_policy", Kind::String)
            .recomputed_by(&["certificate_arn", "protocol"])
            .doc("The security policy of an `HTTPS` or `TLS` listener: which TLS versions and ciphers."),
        Attribute::optional("alpn_policy", Kind::String)
            .check(Check::OneOf(&[
                "HTTP1Only",
                "HTTP2Only",
                "HTTP2Optional",
                "HTTP2Preferred",
                "None",
            ]))
            .normalize(Normalize::Rule(none_is_null))
            .doc("The versions of HTTP that a `TLS` listener negotiates."),
        Attribute::optional_computed("mutual_authentication", MUTUAL_AUTHENTICATION)
            .recomputed_by(&["certificate_arn", "protocol"])
            .doc("Whether clients of an `HTTPS` listener prove who they are with a certificate."),
        Attribute::optional("tcp_idle_timeout_seconds", Kind::Int)
            .check(Check::Range(60, 6000))
            .doc("How long, in seconds, a TCP connection may be idle; 350 otherwise. Not for application load balancers."),
        Attribute::optional("routing_http_response_server_enabled", Kind::Bool)
            .doc("Whether responses have the `Server` header of the load balancer; they do otherwise."),
        header_name("routing_http_request_x_amzn_mtls_clientcert_header_name")
            .doc("The name of the header that carries the client's certificate to targets."),
        header_name("routing_http_request_x_amzn_mtls_clientcert_issuer_header_name")
            .doc("The name of the header that carries the certificate's issuer."),
        header_name("routing_http_request_x_amzn_mtls_clientcert_leaf_header_name")
            .doc("The name of the header that carries the client's own certificate of a chain."),
        header_name("routing_http_request_x_amzn_mtls_clientcert_serial_number_header_name")
            .doc("The name of the header that carries the certificate's serial number."),
        header_name("routing_http_request_x_amzn_mtls_clientcert_subject_header_name")
            .doc("The name of the header that carries the certificate's subject."),
        header_name("routing_http_request_x_amzn_mtls_clientcert_validity_header_name")
            .doc("The name of the header that carries the certificate's dates."),
        header_name("routing_http_request_x_amzn_tls_cipher_suite_header_name")
            .doc("The name of the header that carries the cipher suite."),
        header_name("routing_http_request_x_amzn_tls_version_header_name")
            .doc("The name of the header that carries the TLS version."),
        header_value("routing_http_response_access_control_allow_credentials_header_value")
            .doc("The `Access-Control-Allow-Credentials` header of responses: `true`, or none."),
        header_value("routing_http_response_access_control_allow_headers_header_value")
            .doc("The `Access-Control-Allow-Headers` header of responses."),
        header_value("routing_http_response_access_control_allow_methods_header_value")
            .doc("The `Access-Control-Allow-Methods` header of responses."),
        header_value("routing_http_response_access_control_allow_origin_header_value")
            .doc("The `Access-Control-Allow-Origin` header of responses."),
        header_value("routing_http_response_access_control_expose_headers_header_value")
            .doc("The `Access-Control-Expose-Headers` header of responses."),
        header_value("routing_http_response_access_control_max_age_header_value")
            .doc("The `Access-Control-Max-Age` header of responses, in seconds."),
        header_value("routing_http_response_content_security_policy_header_value")
            .doc("The `Content-Security-Policy` header of responses."),
        header_value("routing_http_response_strict_transport_security_header_value")
            .doc("The `Strict-Transport-Security` header of responses."),
        header_value("routing_http_response_x_content_type_options_header_value")
            .doc("The `X-Content-Type-Options` header of responses: `nosniff`, or none."),
        header_value("routing_http_response_x_frame_options_header_value")
            .doc("The `X-Frame-Options` header of responses."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[Constraint::Rule(check)],
    recovery: Recovery::NaturalKey(&["load_balancer_arn", "port"]),
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &[
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeTags",
    ],
    iam_write: &[
        "acm:DescribeCertificate",
        "cognito-idp:DescribeUserPoolClient",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyListenerAttributes",
        "elasticloadbalancing:RemoveTags",
    ],
};

const fn header_name(name: &'static str) -> Attribute {
    Attribute::optional(name, Kind::String).check(Check::Length(1, 40))
}

const fn header_value(name: &'static str) -> Attribute {
    Attribute::optional(name, Kind::String).normalize(Normalize::Rule(empty_is_null))
}

const MUTUAL_AUTHENTICATION: Kind = Kind::Blocks(&Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[
        Attribute::required("mode", Kind::String)
            .check(Check::OneOf(&["off", "passthrough", "verify"]))
            .doc("Whether certificates are asked for, and who verifies them."),
        Attribute::optional("trust_store_arn", Kind::String)
            .doc("The trust store to verify with; with `verify` only."),
        Attribute::optional("ignore_client_certificate_expiry", Kind::Bool)
            .default(Literal::Bool(false))
            .doc("Whether expired certificates pass; with `verify` only."),
        Attribute::optional_computed("advertise_trust_store_ca_names", Kind::String)
            .recomputed_by(&["mode"])
            .check(Check::OneOf(&["on", "off"]))
            .doc("Whether clients are told the trusted authorities; with `verify` only."),
    ],
});

/// The settings of a listener with their defaults (ELBv2 API, `ListenerAttribute`).
pub(super) const SETTINGS: &[Setting] = &[
    Setting::number(&["tcp_idle_timeout_seconds"], "tcp.idle_timeout.seconds").or("350"),
    Setting::flag(
        &["routing_http_response_server_enabled"],
        "routing.http.response.server.enabled",
    )
    .or("true"),
    Setting::text(
        &["routing_http_request_x_amzn_mtls_clientcert_header_name"],
        "routing.http.request.x_amzn_mtls_clientcert.header_name",
    )
    .or("X-Amzn-Mtls-Clientcert"),
    Setting::text(
        &["routing_http_request_x_amzn_mtls_clientcert_issuer_header_name"],
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
    )
    .or("X-Amzn-Mtls-Clientcert-Issuer"),
    Setting::text(
        &["routing_http_request_x_amzn_mtls_clientcert_leaf_header_name"],
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
    )
    .or("X-Amzn-Mtls-Clientcert-Leaf"),
    Setting::text(
        &["routing_http_request_x_amzn_mtls_clientcert_serial_number_header_name"],
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
    )
    .or("X-Amzn-Mtls-Clientcert-Serial-Number"),
    Setting::text(
        &["routing_http_request_x_amzn_mtls_clientcert_subject_header_name"],
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
    )
    .or("X-Amzn-Mtls-Clientcert-Subject"),
    Setting::text(
        &["routing_http_request_x_amzn_mtls_clientcert_validity_header_name"],
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
    )
    .or("X-Amzn-Mtls-Clientcert-Validity"),
    Setting::text(
        &["routing_http_request_x_amzn_tls_cipher_suite_header_name"],
        "routing.http.request.x_amzn_tls_cipher_suite.header_name",
    )
    .or("X-Amzn-Tls-Cipher-Suite"),
    Setting::text(
        &["routing_http_request_x_amzn_tls_version_header_name"],
        "routing.http.request.x_amzn_tls_version.header_name",
    )
    .or("X-Amzn-Tls-Version"),
    Setting::text(
        &["routing_http_response_access_control_allow_credentials_header_value"],
        "routing.http.response.access_control_allow_credentials.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_access_control_allow_headers_header_value"],
        "routing.http.response.access_control_allow_headers.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_access_control_allow_methods_header_value"],
        "routing.http.response.access_control_allow_methods.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_access_control_allow_origin_header_value"],
        "routing.http.response.access_control_allow_origin.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_access_control_expose_headers_header_value"],
        "routing.http.response.access_control_expose_headers.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_access_control_max_age_header_value"],
        "routing.http.response.access_control_max_age.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_content_security_policy_header_value"],
        "routing.http.response.content_security_policy.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_strict_transport_security_header_value"],
        "routing.http.response.strict_transport_security.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_x_content_type_options_header_value"],
        "routing.http.response.x_content_type_options.header_value",
    )
    .or(""),
    Setting::text(
        &["routing_http_response_x_frame_options_header_value"],
        "routing.http.response.x_frame_options.header_value",
    )
    .or(""),
];

fn none_is_null(value: &Value) -> Value {
    if value.as_str() == Some("None") { Value::Null } else { value.clone() }
}

fn check(config: &Object) -> Vec<(&'static str, String)> {
    let mut wrong = action::check(config, "default_action");
    let protocol = config.value("protocol");
    let encrypted = matches!(protocol.as_str(), Some("HTTPS" | "TLS" | "QUIC" | "TCP_QUIC"));
    if !protocol.is_unknown() {
        let given = !config.value("certificate_arn").is_null();
        match (protocol.as_str(), encrypted, given) {
            (Some("HTTPS" | "TLS"), _, false) => {
                wrong
                    .push(("certificate_arn", "is required with protocol HTTPS or TLS".to_owned()));
            }
            (_, false, true) => {
                wrong.push(("certificate_arn", "goes with protocol HTTPS or TLS".to_owned()));
            }
            _ => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_go_with_encryption() {
        let wrong = |protocol: &str, certificate: Option<&str>| {
            let config =
                Object::new().with("protocol", protocol).with("certificate_arn", certificate);
            check(&config).len()
        };
        assert_eq!((wrong("HTTP", None), wrong("HTTPS", Some("arn"))), (0, 0));
        assert_eq!((wrong("HTTP", Some("arn")), wrong("TLS", None)), (1, 1));
    }
}
