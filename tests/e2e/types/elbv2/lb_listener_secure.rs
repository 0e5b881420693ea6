//! `aws_lb_listener`: HTTPS, TLS, TCP, and no protocol at all.

use serde_json::json;

use super::super::harness::{Case, Life};
use super::lb_listener::listener;
use super::{pairs, setting, spec};
use crate::support::World;

const LISTENER: &str = "aws_lb_listener.it";

/// From HTTP to HTTPS and back.
pub(super) fn https() -> Life {
    const SECURE: &str = "      protocol: HTTPS
      certificate_arn: arn:aws:acm:ap-northeast-2:123456789012:certificate/one
      ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
";
    let plain = listener(
        r#"
      load_balancer_arn: ${aws_lb.it.arn}
      port: 443
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
      # more
"#,
    );
    Life::new(LISTENER, &plain)
        .case(
            Case::update(&["protocol", "certificate_arn", "ssl_policy"])
                .edit("      # more\n", &format!("{SECURE}      # more\n"))
                .reads("/protocol", json!("HTTPS"))
                .reads("/ssl_policy", json!("ELBSecurityPolicy-TLS13-1-2-2021-06"))
                .reads("/mutual_authentication/0/mode", json!("off"))
                .drift("elbv2", "ModifyListener", |world| {
                    let arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/two";
                    json!({
                        "ListenerArn": world.id(LISTENER), "SslPolicy": "ELBSecurityPolicy-2016-08",
                        "Certificates": [{ "CertificateArn": arn }], "Protocol": "HTTPS",
                    })
                })
                .drift("elbv2", "ModifyListener", |world| {
                    json!({ "ListenerArn": world.id(LISTENER), "Protocol": "HTTP" })
                }),
        )
        .case(
            Case::update(&["certificate_arn", "ssl_policy"])
                .edit("certificate/one", "certificate/two")
                .edit("TLS13-1-2-2021-06", "2016-08")
                .drift("elbv2", "ModifyListener", |world| {
                    let arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/three";
                    json!({
                        "ListenerArn": world.id(LISTENER), "SslPolicy": "ELBSecurityPolicy-FS-2018-06",
                        "Certificates": [{ "CertificateArn": arn }],
                    })
                }),
        )
        .case(
            Case::update(&["mutual_authentication"])
                .edit(
                    "      # more\n",
                    "      mutual_authentication: { mode: verify, trust_store_arn: \"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:truststore/t/1\" }\n      # more\n",
                )
                .reads("/mutual_authentication/0/mode", json!("verify"))
                .drift("elbv2", "ModifyListener", |world| {
                    json!({ "ListenerArn": world.id(LISTENER), "MutualAuthentication": { "Mode": "off" } })
                }),
        )
        .case(
            Case::update(&["mutual_authentication"])
                .edit("mode: verify, trust_store_arn: \"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:truststore/t/1\"", "mode: passthrough")
                .reads("/mutual_authentication/0/trust_store_arn", json!(null)),
        )
        .case(
            Case::update(&[
                "routing_http_request_x_amzn_mtls_clientcert_header_name",
                "routing_http_request_x_amzn_mtls_clientcert_issuer_header_name",
                "routing_http_request_x_amzn_mtls_clientcert_leaf_header_name",
                "routing_http_request_x_amzn_mtls_clientcert_serial_number_header_name",
                "routing_http_request_x_amzn_mtls_clientcert_subject_header_name",
                "routing_http_request_x_amzn_mtls_clientcert_validity_header_name",
                "routing_http_request_x_amzn_tls_cipher_suite_header_name",
                "routing_http_request_x_amzn_tls_version_header_name",
            ])
            .edit(
                "      # more\n",
                "      routing_http_request_x_amzn_mtls_clientcert_header_name: X-One
      routing_http_request_x_amzn_mtls_clientcert_issuer_header_name: X-Two
      routing_http_request_x_amzn_mtls_clientcert_leaf_header_name: X-Three
      routing_http_request_x_amzn_mtls_clientcert_serial_number_header_name: X-Four
      routing_http_request_x_amzn_mtls_clientcert_subject_header_name: X-Five
      routing_http_request_x_amzn_mtls_clientcert_validity_header_name: X-Six
      routing_http_request_x_amzn_tls_cipher_suite_header_name: X-Seven
      routing_http_request_x_amzn_tls_version_header_name: X-Eight
      # more
",
            )
            .reads("/routing_http_request_x_amzn_tls_version_header_name", json!("X-Eight"))
            .drift("elbv2", "ModifyListenerAttributes", |world| {
                let names = [
                    "mtls_clientcert",
                    "mtls_clientcert_issuer",
                    "mtls_clientcert_leaf",
                    "mtls_clientcert_serial_number",
                    "mtls_clientcert_subject",
                    "mtls_clientcert_validity",
                    "tls_cipher_suite",
                    "tls_version",
                ];
                let keys = names.map(|name| format!("routing.http.request.x_amzn_{name}.header_name"));
                let all: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "X-Other")).collect();
                json!({ "ListenerArn": world.id(LISTENER), "Attributes": pairs(&all) })
            }),
        )
        .case(
            Case::update(&["routing_http_request_x_amzn_tls_version_header_name"])
                .edit("      routing_http_request_x_amzn_tls_version_header_name: X-Eight\n", "")
                .then(|world| {
                    let told = json!({ "ListenerArn": world.id(LISTENER) });
                    let told = world.call("elbv2", "DescribeListenerAttributes", &told);
                    let key = "routing.http.request.x_amzn_tls_version.header_name";
                    assert_eq!(setting(&told, key), "X-Amzn-Tls-Version");
                    // What goes with HTTPS goes before it.
                    let spec = world.read("main.yaml");
                    let rest: Vec<&str> =
                        spec.lines().filter(|line| !line.contains("routing_http_request")).collect();
                    world.write("main.yaml", &rest.join("\n"));
                    world.converge();
                }),
        )
        .case(
            Case::update(&["protocol", "certificate_arn"])
                .edit(
                    "      protocol: HTTPS\n      certificate_arn: arn:aws:acm:ap-northeast-2:123456789012:certificate/two\n      ssl_policy: ELBSecurityPolicy-2016-08\n      mutual_authentication: { mode: passthrough }\n",
                    "      protocol: HTTP\n",
                )
                .reads("/protocol", json!("HTTP"))
                .reads("/ssl_policy", json!(null)),
        )
}

/// TCP and TLS on a network load balancer.
pub(super) fn network() -> Life {
    let tcp = spec(
        r#"  aws_lb:
    it: { name: it, load_balancer_type: network, subnets: ["${data.aws_subnet.a.id}"] }
  aws_lb_target_group:
    blue: { name: blue, port: 80, protocol: TCP, vpc_id: "${data.aws_vpc.default.id}" }
  aws_lb_listener:
    it:
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      protocol: TCP
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
      # more
"#,
    );
    Life::new(LISTENER, &tcp)
        .case(
            Case::update(&["tcp_idle_timeout_seconds"])
                .edit("      # more\n", "      tcp_idle_timeout_seconds: 600\n      # more\n")
                .reads("/tcp_idle_timeout_seconds", json!(600))
                .drift("elbv2", "ModifyListenerAttributes", |world| {
                    let attributes = pairs(&[("tcp.idle_timeout.seconds", "350")]);
                    json!({ "ListenerArn": world.id(LISTENER), "Attributes": attributes })
                }),
        )
        .case(
            Case::update(&["tcp_idle_timeout_seconds"])
                .edit("      tcp_idle_timeout_seconds: 600\n", "")
                .then(|world| {
                    let told = json!({ "ListenerArn": world.id(LISTENER) });
                    let told = world.call("elbv2", "DescribeListenerAttributes", &told);
                    assert_eq!(setting(&told, "tcp.idle_timeout.seconds"), "350");
                }),
        )
        .case(
            Case::update(&["alpn_policy", "certificate_arn", "protocol"])
                .edit("      protocol: TCP\n", "      protocol: TLS\n")
                .edit(
                    "      # more\n",
                    "      certificate_arn: arn:aws:acm:ap-northeast-2:123456789012:certificate/one\n      alpn_policy: HTTP2Preferred\n",
                )
                .reads("/alpn_policy", json!("HTTP2Preferred"))
                .drift("elbv2", "ModifyListener", |world| {
                    json!({ "ListenerArn": world.id(LISTENER), "Protocol": "TCP" })
                }),
        )
        .case(
            Case::update(&["alpn_policy"])
                .edit("      alpn_policy: HTTP2Preferred\n", "")
                .then(|world: &World| {
                    let told = json!({ "ListenerArns": [world.id(LISTENER)] });
                    let told = world.call("elbv2", "DescribeListeners", &told);
                    assert_eq!(told["Listeners"][0]["AlpnPolicy"], json!(["None"]));
                }),
        )
}

/// A gateway load balancer's listener has neither port nor protocol.
pub(super) fn gateway() -> Life {
    let gateway = spec(
        r#"  aws_lb:
    it: { name: it, load_balancer_type: gateway, subnets: ["${data.aws_subnet.a.id}"] }
  aws_lb_target_group:
    blue: { name: blue, port: 6081, protocol: GENEVE, vpc_id: "${data.aws_vpc.default.id}" }
    red: { name: red, port: 6081, protocol: GENEVE, vpc_id: "${data.aws_vpc.default.id}" }
  aws_lb_listener:
    it:
      load_balancer_arn: ${aws_lb.it.arn}
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
"#,
    );
    Life::new(LISTENER, &gateway)
        .case(Case::update(&["default_action"]).edit("group.blue.arn}\" }", "group.red.arn}\" }"))
        .case(Case::update(&["tcp_idle_timeout_seconds"]).edit(
            "      load_balancer_arn:",
            "      tcp_idle_timeout_seconds: 700\n      load_balancer_arn:",
        ))
}
