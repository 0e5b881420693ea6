//! Actions: what a listener or a rule does with a request.
//!
//! # Oddities
//!
//! - ELBv2 answers for a single target group in both ways that it can be said, as `TargetGroupArn` and as a
//!   `ForwardConfig` of weight 1. It is read as the spec says it: the shape of what is recorded decides.
//! - It may leave `Order` out; actions are numbered as they are written, as the Terraform AWS provider does.
//! - It never tells an OpenID Connect client's secret, and wants it again, or to be told to keep the one it has, each
//!   time the action is written.

mod schema;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateCognitoActionConditionalBehaviorEnum,
    AuthenticateCognitoActionConfig, AuthenticateOidcActionConditionalBehaviorEnum,
    AuthenticateOidcActionConfig, FixedResponseActionConfig, ForwardActionConfig,
    RedirectActionConfig, RedirectActionStatusCodeEnum, TargetGroupStickinessConfig,
    TargetGroupTuple,
};
use reconcile_model::{Object, Value};

use schema::is_given;
pub(crate) use schema::{ACTIONS, check};

/// Returns the actions of a request.
pub(crate) fn to_elbv2(object: &Object, name: &str) -> Vec<Action> {
    let blocks = object.blocks(name).zip(1..);
    blocks.map(|(block, at)| action(block, block.i32("order").unwrap_or(at))).collect()
}

fn action(block: &Object, order: i32) -> Action {
    Action::builder()
        .set_type(block.str("type").map(ActionTypeEnum::from))
        .order(order)
        .set_target_group_arn(block.string("target_group_arn"))
        .set_forward_config(block.block("forward").map(forward))
        .set_redirect_config(block.block("redirect").map(redirect))
        .set_fixed_response_config(block.block("fixed_response").map(fixed_response))
        .set_authenticate_cognito_config(block.block("authenticate_cognito").map(cognito))
        .set_authenticate_oidc_config(block.block("authenticate_oidc").map(oidc))
        .build()
}

fn forward(block: &Object) -> ForwardActionConfig {
    let group = |group: &Object| {
        TargetGroupTuple::builder()
            .set_target_group_arn(group.string("arn"))
            .set_weight(group.i32("weight"))
            .build()
    };
    let stickiness = |stickiness: &Object| {
        TargetGroupStickinessConfig::builder()
            .set_enabled(stickiness.bool("enabled"))
            .set_duration_seconds(stickiness.i32("duration"))
            .build()
    };
    let mut groups: Vec<TargetGroupTuple> = block.blocks("target_group").map(group).collect();
    // A set has no order; requests that mean the same shall be the same.
    groups.sort_by(|a, b| a.target_group_arn.cmp(&b.target_group_arn));
    ForwardActionConfig::builder()
        .set_target_groups(Some(groups))
        .set_target_group_stickiness_config(block.block("stickiness").map(stickiness))
        .build()
}

fn redirect(block: &Object) -> RedirectActionConfig {
    RedirectActionConfig::builder()
        .set_protocol(block.string("protocol"))
        .set_host(block.string("host"))
        .set_port(block.string("port"))
        .set_path(block.string("path"))
        .set_query(block.string("query"))
        .set_status_code(block.str("status_code").map(RedirectActionStatusCodeEnum::from))
        .build()
}

fn fixed_response(block: &Object) -> FixedResponseActionConfig {
    FixedResponseActionConfig::builder()
        .set_content_type(block.string("content_type"))
        .set_message_body(block.string("message_body"))
        .status_code(block.str("status_code").unwrap_or("200"))
        .build()
}

fn cognito(block: &Object) -> AuthenticateCognitoActionConfig {
    let params = block.string_map("authentication_request_extra_params");
    let unauthenticated = block.str("on_unauthenticated_request");
    AuthenticateCognitoActionConfig::builder()
        .set_user_pool_arn(block.string("user_pool_arn"))
        .set_user_pool_client_id(block.string("user_pool_client_id"))
        .set_user_pool_domain(block.string("user_pool_domain"))
        .set_scope(block.string("scope"))
        .set_session_cookie_name(block.string("session_cookie_name"))
        .set_session_timeout(block.i64("session_timeout"))
        .set_authentication_request_extra_params(
            (!params.is_empty()).then(|| params.into_iter().collect()),
        )
        .set_on_unauthenticated_request(
            unauthenticated.map(AuthenticateCognitoActionConditionalBehaviorEnum::from),
        )
        .build()
}

fn oidc(block: &Object) -> AuthenticateOidcActionConfig {
    let params = block.string_map("authentication_request_extra_params");
    let unauthenticated = block.str("on_unauthenticated_request");
    let secret = block.string("client_secret");
    AuthenticateOidcActionConfig::builder()
        .set_issuer(block.string("issuer"))
        .set_authorization_endpoint(block.string("authorization_endpoint"))
        .set_token_endpoint(block.string("token_endpoint"))
        .set_user_info_endpoint(block.string("user_info_endpoint"))
        .set_client_id(block.string("client_id"))
        .set_use_existing_client_secret(secret.is_none().then_some(true))
        .set_client_secret(secret)
        .set_scope(block.string("scope"))
        .set_session_cookie_name(block.string("session_cookie_name"))
        .set_session_timeout(block.i64("session_timeout"))
        .set_authentication_request_extra_params(
            (!params.is_empty()).then(|| params.into_iter().collect()),
        )
        .set_on_unauthenticated_request(
            unauthenticated.map(AuthenticateOidcActionConditionalBehaviorEnum::from),
        )
        .build()
}

/// Returns actions that were read, in the shape of those recorded.
pub(crate) fn from_elbv2(actions: &[Action], recorded: &Object, name: &str) -> Vec<Object> {
    let mut numbered: Vec<(i32, &Action)> =
        actions.iter().zip(1..).map(|(it, at)| (it.order().unwrap_or(at), it)).collect();
    numbered.sort_by_key(|(order, _)| *order);
    let recorded: Vec<&Object> = recorded.blocks(name).collect();
    numbered
        .into_iter()
        .enumerate()
        .map(|(at, (order, action))| object(action, order, recorded.get(at).copied()))
        .collect()
}

fn object(action: &Action, order: i32, recorded: Option<&Object>) -> Object {
    let block = |name: &str| recorded.and_then(|recorded| recorded.block(name));
    let (target_group_arn, forward) = forward_shape(action, recorded);
    let redirect = action.redirect_config().map(redirect_object);
    let fixed = action.fixed_response_config().map(fixed_response_object);
    let cognito = action.authenticate_cognito_config().map(cognito_object);
    let oidc = action.authenticate_oidc_config();
    let oidc = oidc.map(|it| oidc_object(it, block("authenticate_oidc")));
    Object::new()
        .with("type", action.r#type().map(ActionTypeEnum::as_str))
        .with("order", order)
        .with("target_group_arn", target_group_arn)
        .with("forward", blocks(forward))
        .with("redirect", blocks(redirect))
        .with("fixed_response", blocks(fixed))
        .with("authenticate_cognito", blocks(cognito))
        .with("authenticate_oidc", blocks(oidc))
}

fn blocks(block: Option<Object>) -> Vec<Object> {
    block.into_iter().collect()
}

/// Returns a forward action as the spec says it: by the one target group's ARN, by a block, or by both.
fn forward_shape(action: &Action, recorded: Option<&Object>) -> (Option<String>, Option<Object>) {
    let config = action.forward_config();
    let groups = config.map(ForwardActionConfig::target_groups).unwrap_or_default();
    let only = match groups {
        [] => action.target_group_arn(),
        [group] => group.target_group_arn(),
        _ => None,
    };
    let sticky = config
        .and_then(ForwardActionConfig::target_group_stickiness_config)
        .and_then(TargetGroupStickinessConfig::enabled);
    let says = |name: &str| recorded.is_some_and(|it| is_given(it.value(name)));
    let by_block = says("forward");
    let by_arn = says("target_group_arn") || !by_block;
    let arn = only.filter(|_| by_arn).map(str::to_owned);
    // What the ARN alone cannot say shows as a block, whatever the spec says.
    let fits_arn = only.is_some() && sticky != Some(true);
    let is_forward = config.is_some() || only.is_some();
    let block = (is_forward && (by_block || !fits_arn)).then(|| {
        let recorded = recorded.and_then(|it| it.block("forward"));
        forward_object(action.target_group_arn(), config, recorded)
    });
    (arn, block)
}

fn forward_object(
    only: Option<&str>,
    config: Option<&ForwardActionConfig>,
    recorded: Option<&Object>,
) -> Object {
    let group = |arn: Option<&str>, weight: Option<i32>| {
        Object::new().with("arn", arn).with("weight", weight.unwrap_or(1))
    };
    let mut groups: Vec<Object> = config
        .map(ForwardActionConfig::target_groups)
        .unwrap_or_default()
        .iter()
        .map(|it| group(it.target_group_arn(), it.weight()))
        .collect();
    if groups.is_empty() {
        groups.extend(only.map(|arn| group(Some(arn), None)));
    }
    let recorded = recorded.and_then(|it| it.block("stickiness"));
    let told = config.and_then(ForwardActionConfig::target_group_stickiness_config);
    let enabled = told.and_then(TargetGroupStickinessConfig::enabled).unwrap_or(false);
    // ELBv2 may keep no duration while stickiness is off.
    let duration = told
        .and_then(TargetGroupStickinessConfig::duration_seconds)
        .map(i64::from)
        .or_else(|| recorded.and_then(|it| it.i64("duration")));
    let stickiness = Object::new().with("enabled", enabled).with("duration", duration);
    Object::new()
        .with("target_group", groups)
        .with("stickiness", blocks((enabled || recorded.is_some()).then_some(stickiness)))
}

fn redirect_object(config: &RedirectActionConfig) -> Object {
    Object::new()
        .with("protocol", config.protocol())
        .with("host", config.host())
        .with("port", config.port())
        .with("path", config.path())
        .with("query", config.query())
        .with("status_code", config.status_code().map(RedirectActionStatusCodeEnum::as_str))
}

fn fixed_response_object(config: &FixedResponseActionConfig) -> Object {
    Object::new()
        .with("content_type", config.content_type())
        .with("message_body", config.message_body())
        .with("status_code", config.status_code())
}

fn cognito_object(config: &AuthenticateCognitoActionConfig) -> Object {
    let unauthenticated = config.on_unauthenticated_request();
    let params = config.authentication_request_extra_params();
    Object::new()
        .with("user_pool_arn", config.user_pool_arn())
        .with("user_pool_client_id", config.user_pool_client_id())
        .with("user_pool_domain", config.user_pool_domain())
        .with("scope", config.scope())
        .with("session_cookie_name", config.session_cookie_name())
        .with("session_timeout", config.session_timeout())
        .with("authentication_request_extra_params", extra_params(params.into_iter().flatten()))
        .with(
            "on_unauthenticated_request",
            unauthenticated.map(AuthenticateCognitoActionConditionalBehaviorEnum::as_str),
        )
}

fn oidc_object(config: &AuthenticateOidcActionConfig, recorded: Option<&Object>) -> Object {
    let unauthenticated = config.on_unauthenticated_request();
    let params = config.authentication_request_extra_params();
    let secret = recorded.map(|it| it.value("client_secret").clone()).unwrap_or_default();
    Object::new()
        .with("issuer", config.issuer())
        .with("authorization_endpoint", config.authorization_endpoint())
        .with("token_endpoint", config.token_endpoint())
        .with("user_info_endpoint", config.user_info_endpoint())
        .with("client_id", config.client_id())
        .with("client_secret", secret)
        .with("scope", config.scope())
        .with("session_cookie_name", config.session_cookie_name())
        .with("session_timeout", config.session_timeout())
        .with("authentication_request_extra_params", extra_params(params.into_iter().flatten()))
        .with(
            "on_unauthenticated_request",
            unauthenticated.map(AuthenticateOidcActionConditionalBehaviorEnum::as_str),
        )
}

fn extra_params<'a>(params: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    let params: Object = params.map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect();
    if params.is_empty() { Value::Null } else { params.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple() -> Object {
        let action = Object::new()
            .with("type", "forward")
            .with("order", Value::Unknown)
            .with("target_group_arn", "tg-1")
            .with("forward", Value::List(vec![]));
        Object::new().with("action", vec![action])
    }

    fn weighted(groups: &[(&str, i64)]) -> Object {
        let group =
            |(arn, weight): &(&str, i64)| Object::new().with("arn", *arn).with("weight", *weight);
        let forward = Object::new()
            .with("target_group", groups.iter().map(group).collect::<Vec<_>>())
            .with("stickiness", Value::List(vec![]));
        let action = Object::new()
            .with("type", "forward")
            .with("order", 1)
            .with("target_group_arn", Value::Null)
            .with("forward", vec![forward]);
        Object::new().with("action", vec![action])
    }

    /// What ELBv2 answers for a forward to one target group.
    fn answer() -> Action {
        let group = TargetGroupTuple::builder().target_group_arn("tg-1").weight(1).build();
        let sticky = TargetGroupStickinessConfig::builder().enabled(false).build();
        let config = ForwardActionConfig::builder()
            .target_groups(group)
            .target_group_stickiness_config(sticky)
            .build();
        Action::builder()
            .r#type(ActionTypeEnum::Forward)
            .target_group_arn("tg-1")
            .forward_config(config)
            .build()
    }

    fn read(action: Action, recorded: &Object) -> Object {
        from_elbv2(&[action], recorded, "action").remove(0)
    }

    #[test]
    fn one_target_group_is_read_as_the_spec_says_it() {
        let by_arn = read(answer(), &simple());
        assert_eq!(by_arn.str("target_group_arn"), Some("tg-1"));
        assert_eq!((by_arn.list("forward").len(), by_arn.i64("order")), (0, Some(1)));
        let by_block = read(answer(), &weighted(&[("tg-1", 1)]));
        assert_eq!(
            vec![by_block],
            weighted(&[("tg-1", 1)])
                .blocks("action")
                .map(|it| {
                    let mut all = it.clone();
                    for name in
                        ["redirect", "fixed_response", "authenticate_cognito", "authenticate_oidc"]
                    {
                        all.set(name, Value::List(vec![]));
                    }
                    all
                })
                .collect::<Vec<_>>()
        );
        let unknown = Object::new().with("action", Value::Unknown);
        assert_eq!(read(answer(), &unknown), by_arn);
    }

    #[test]
    fn what_was_added_behind_our_back_shows() {
        let two = weighted(&[("tg-1", 1), ("tg-2", 3)]);
        let drifted = to_elbv2(&two, "action").remove(0);
        let object = read(drifted, &simple());
        assert_eq!(object.str("target_group_arn"), None);
        assert_eq!(object.block("forward").unwrap().list("target_group").len(), 2);
    }

    #[test]
    fn what_is_sent_reads_back_the_same() {
        let redirect = Object::new()
            .with("protocol", "HTTPS")
            .with("host", "#{host}")
            .with("port", "443")
            .with("path", "/#{path}")
            .with("query", "#{query}")
            .with("status_code", "HTTP_301");
        let fixed = Object::new()
            .with("content_type", "text/plain")
            .with("message_body", "gone")
            .with("status_code", "410");
        let first = Object::new().with("type", "redirect").with("redirect", vec![redirect.clone()]);
        let second = Object::new()
            .with("type", "fixed-response")
            .with("fixed_response", vec![fixed.clone()]);
        let planned = Object::new().with("action", vec![first, second]);
        let sent = to_elbv2(&planned, "action");
        assert_eq!(sent.iter().map(Action::order).collect::<Vec<_>>(), [Some(1), Some(2)]);
        let read = from_elbv2(&sent, &planned, "action");
        assert_eq!(read[0].block("redirect"), Some(&redirect));
        assert_eq!(read[1].block("fixed_response"), Some(&fixed));
    }

    #[test]
    fn a_secret_that_is_only_recorded_is_kept() {
        let action = |secret: Value| {
            let block = Object::new().with("client_id", "web").with("client_secret", secret);
            let action = Object::new()
                .with("type", "authenticate-oidc")
                .with("authenticate_oidc", vec![block]);
            Object::new().with("action", vec![action])
        };
        let sent = |planned: &Object| to_elbv2(planned, "action").remove(0);
        let given = sent(&action(Value::from("hunter2").sensitive()));
        let config = given.authenticate_oidc_config().unwrap();
        assert_eq!(config.client_secret(), Some("hunter2"));
        assert_eq!(config.use_existing_client_secret(), None);
        let recorded = action(Value::Sealed("digest".to_owned()));
        let kept = sent(&recorded);
        let config = kept.authenticate_oidc_config().unwrap();
        assert_eq!(config.use_existing_client_secret(), Some(true));
        let read = read(kept, &recorded);
        let block = read.block("authenticate_oidc").unwrap();
        assert_eq!(block.value("client_secret"), &Value::Sealed("digest".to_owned()));
    }
}
