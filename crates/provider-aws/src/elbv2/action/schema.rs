//! The arguments of an action.

use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Attribute, Blocks, Check, Kind, Literal, Nesting};
use reconcile_model::{Object, Value};

use crate::elbv2::settings::empty_is_null;

/// The blocks that hold actions; the last one ends the request.
pub(crate) const ACTIONS: Kind = Kind::Blocks(&Blocks {
    nesting: Nesting::List,
    min: 1,
    max: None,
    attributes: &[
        Attribute::required("type", Kind::String)
            .check(Check::OneOf(&[
                "forward",
                "redirect",
                "fixed-response",
                "authenticate-cognito",
                "authenticate-oidc",
            ]))
            .doc("What is done with a request."),
        Attribute::optional_computed("order", Kind::Int)
            .check(Check::Range(1, 50_000))
            .doc("The place among several actions; as they are written otherwise."),
        Attribute::optional("target_group_arn", Kind::String)
            .refers_to("aws_lb_target_group", "arn")
            .doc("The target group to forward to; `forward` takes several."),
        Attribute::optional("forward", Kind::Blocks(&one(FORWARD)))
            .doc("The target groups to forward to, by weight."),
        Attribute::optional("redirect", Kind::Blocks(&one(REDIRECT)))
            .doc("Where a client is sent to."),
        Attribute::optional("fixed_response", Kind::Blocks(&one(FIXED_RESPONSE)))
            .doc("What a client is answered."),
        Attribute::optional("authenticate_cognito", Kind::Blocks(&one(COGNITO)))
            .doc("The Amazon Cognito user pool that a client has to log in to."),
        Attribute::optional("authenticate_oidc", Kind::Blocks(&one(OIDC)))
            .doc("The OpenID Connect provider that a client has to log in to."),
    ],
});

const fn one(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::List, min: 0, max: Some(1), attributes }
}

const FORWARD: &[Attribute] = &[
    Attribute::required(
        "target_group",
        Kind::Blocks(&Blocks {
            nesting: Nesting::Set,
            min: 1,
            max: Some(5),
            attributes: &[
                Attribute::required("arn", Kind::String)
                    .refers_to("aws_lb_target_group", "arn")
                    .doc("The target group."),
                Attribute::optional("weight", Kind::Int)
                    .default(Literal::Int(1))
                    .check(Check::Range(0, 999))
                    .doc("Its share of the requests, among the weights of all."),
            ],
        }),
    )
    .doc("The target groups."),
    Attribute::optional(
        "stickiness",
        Kind::Blocks(&one(&[
            Attribute::required("duration", Kind::Int)
                .check(Check::Range(1, 604_800))
                .doc("For how long, in seconds."),
            Attribute::optional("enabled", Kind::Bool)
                .default(Literal::Bool(false))
                .doc("Whether stickiness is on."),
        ])),
    )
    .doc("Whether a client's requests stay with one target group."),
];

const REDIRECT: &[Attribute] = &[
    Attribute::required("status_code", Kind::String)
        .check(Check::OneOf(&["HTTP_301", "HTTP_302"]))
        .doc("Whether for good, `HTTP_301`, or for now, `HTTP_302`."),
    Attribute::optional("protocol", Kind::String)
        .default(Literal::String("#{protocol}"))
        .check(Check::OneOf(&["HTTP", "HTTPS", "#{protocol}"]))
        .doc("The protocol; the request's otherwise."),
    Attribute::optional("host", Kind::String)
        .default(Literal::String("#{host}"))
        .check(Check::Length(1, 128))
        .doc("The host; the request's otherwise."),
    Attribute::optional("port", Kind::String)
        .default(Literal::String("#{port}"))
        .check(Check::Rule(check_port))
        .doc("The port; the request's otherwise."),
    Attribute::optional("path", Kind::String)
        .default(Literal::String("/#{path}"))
        .check(Check::Length(1, 128))
        .doc("The path; the request's otherwise."),
    Attribute::optional("query", Kind::String)
        .default(Literal::String("#{query}"))
        .check(Check::Length(0, 128))
        .doc("The query without its `?`; the request's otherwise."),
];

const FIXED_RESPONSE: &[Attribute] = &[
    Attribute::required("content_type", Kind::String)
        .check(Check::OneOf(&[
            "text/plain",
            "text/css",
            "text/html",
            "application/javascript",
            "application/json",
        ]))
        .doc("The media type of the body."),
    Attribute::optional("message_body", Kind::String)
        .check(Check::Length(0, 1024))
        .normalize(Normalize::Rule(empty_is_null))
        .doc("The body."),
    Attribute::optional_computed("status_code", Kind::String)
        .check(Check::Rule(check_status))
        .doc("The status code: 2xx, 4xx, or 5xx; 200 otherwise."),
];

const COGNITO: &[Attribute] = &[
    Attribute::required("user_pool_arn", Kind::String).doc("The user pool."),
    Attribute::required("user_pool_client_id", Kind::String)
        .doc("The client of the user pool that the load balancer is."),
    Attribute::required("user_pool_domain", Kind::String)
        .doc("The domain, or its prefix, of the user pool."),
    EXTRA_PARAMS,
    UNAUTHENTICATED,
    SCOPE,
    COOKIE,
    TIMEOUT,
];

const OIDC: &[Attribute] = &[
    Attribute::required("issuer", Kind::String).doc("The provider's issuer identifier."),
    Attribute::required("authorization_endpoint", Kind::String)
        .doc("The provider's authorization endpoint."),
    Attribute::required("token_endpoint", Kind::String).doc("The provider's token endpoint."),
    Attribute::required("user_info_endpoint", Kind::String)
        .doc("The provider's user info endpoint."),
    Attribute::required("client_id", Kind::String).doc("The client that the load balancer is."),
    Attribute::required("client_secret", Kind::String)
        .sensitive()
        .write_only()
        .doc("The client's secret; AWS never tells it."),
    EXTRA_PARAMS,
    UNAUTHENTICATED,
    SCOPE,
    COOKIE,
    TIMEOUT,
];

const EXTRA_PARAMS: Attribute =
    Attribute::optional("authentication_request_extra_params", Kind::Map(&Kind::String))
        .doc("Up to ten more parameters of the redirect to the login page.");
const UNAUTHENTICATED: Attribute =
    Attribute::optional_computed("on_unauthenticated_request", Kind::String)
        .check(Check::OneOf(&["deny", "allow", "authenticate"]))
        .doc("What happens to a client that is not logged in; it has to `authenticate` otherwise.");
const SCOPE: Attribute = Attribute::optional("scope", Kind::String)
    .default(Literal::String("openid"))
    .doc("What is asked of the login, several divided by spaces.");
const COOKIE: Attribute = Attribute::optional("session_cookie_name", Kind::String)
    .default(Literal::String("AWSELBAuthSessionCookie"))
    .doc("The name of the session's cookie.");
const TIMEOUT: Attribute = Attribute::optional("session_timeout", Kind::Int)
    .default(Literal::Int(604_800))
    .check(Check::Range(1, 604_800))
    .doc("How long a login lasts, in seconds.");

fn check_port(value: &Value) -> Result<(), String> {
    let port = value.as_str().unwrap_or_default();
    let good = port == "#{port}" || port.parse::<u16>().is_ok_and(|port| port > 0);
    if good { Ok(()) } else { Err("must be `#{port}` or between 1 and 65535".to_owned()) }
}

fn check_status(value: &Value) -> Result<(), String> {
    let code = value.as_str().unwrap_or_default();
    let good = matches!(code.parse::<u16>(), Ok(200..=299 | 400..=599)) && code.len() == 3;
    if good { Ok(()) } else { Err("must be 2xx, 4xx, or 5xx".to_owned()) }
}

/// The block that each type of action needs, and what it is called.
const DETAILS: &[(&str, &[&str])] = &[
    ("forward", &["target_group_arn", "forward"]),
    ("redirect", &["redirect"]),
    ("fixed-response", &["fixed_response"]),
    ("authenticate-cognito", &["authenticate_cognito"]),
    ("authenticate-oidc", &["authenticate_oidc"]),
];

/// Checks that each of the actions under `name` says what its type needs, and nothing else.
pub(crate) fn check(config: &Object, name: &'static str) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for action in config.blocks(name) {
        let Some(kind) = action.str("type") else { continue };
        for (of, details) in DETAILS {
            let mut given = details.iter().filter(|detail| is_given(action.value(detail)));
            match (kind == *of, given.next()) {
                (true, None) => {
                    let needed = details.join("` or `");
                    wrong.push((name, format!("an action of type `{kind}` needs `{needed}`")));
                }
                (false, Some(detail)) => {
                    wrong.push((name, format!("`{detail}` is not for an action of type `{kind}`")));
                }
                (true, Some(_)) | (false, None) => {}
            }
        }
    }
    wrong
}

pub(super) fn is_given(value: &Value) -> bool {
    !value.is_null() && value.as_list().is_none_or(|items| !items.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_says_what_its_type_needs() {
        let of = |action: Object| Object::new().with("action", vec![action]);
        let forward = Object::new().with("type", "forward");
        let group = Value::Unknown;
        assert_eq!(check(&of(forward.clone().with("target_group_arn", group)), "action"), []);
        assert_eq!(check(&of(forward.clone()), "action").len(), 1);
        let redirect = vec![Object::new().with("status_code", "HTTP_301")];
        assert_eq!(check(&of(forward.with("redirect", redirect)), "action").len(), 2);
    }

    #[test]
    fn status_codes_are_those_elbv2_takes() {
        assert!(check_status(&"503".into()).is_ok());
        for bad in ["301", "0200", "ok"] {
            assert!(check_status(&bad.into()).is_err(), "{bad}");
        }
    }
}
