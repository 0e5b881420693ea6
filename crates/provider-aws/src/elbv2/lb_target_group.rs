//! `aws_lb_target_group`: targets that a load balancer forwards requests to.
//!
//! # Remote API
//!
//! | verb   | calls                                                                                       |
//! |--------|---------------------------------------------------------------------------------------------|
//! | create | `DescribeTargetGroups` by name, `CreateTargetGroup`, `DescribeTags`                         |
//! | read   | `DescribeTargetGroups`, `DescribeTags`; `DescribeTargetGroupAttributes` where they matter   |
//! | update | `ModifyTargetGroup`, `ModifyTargetGroupAttributes`, `AddTags`, `RemoveTags`                 |
//! | delete | `DeleteTargetGroup`                                                                         |
//!
//! # Oddities
//!
//! - Names are taken over, and one that is gone fails a whole description, as with load balancers.
//! - Only the health check and the settings change in place.
//! - A group of Lambda functions has no port, protocol, or VPC, nor do its health checks.
//! - One that a listener or rule forwards to cannot be deleted.

mod schema;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::operation::create_target_group::builders::CreateTargetGroupInputBuilder;
use aws_sdk_elasticloadbalancingv2::operation::modify_target_group::builders::ModifyTargetGroupInputBuilder;
use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup, TargetGroupAttribute, TargetGroupIpAddressTypeEnum,
    TargetTypeEnum,
};
use reconcile_model::{Object, ObjectId, Schema, Value, tags::Ownership};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use super::lookup::{self, ARNS, GONE, PAGE};
use super::settings;
use crate::Aws;
use crate::call::{Call, Class};
use crate::tags;
use schema::{SCHEMA, SETTINGS};

const CREATE: Call = Call::mutate("CreateTargetGroup").class(Class::ElbMutate);
const DESCRIBE: Call = Call::read("DescribeTargetGroups").class(Class::ElbRead).gone(GONE);
const DESCRIBE_ATTRIBUTES: Call =
    Call::read("DescribeTargetGroupAttributes").class(Class::ElbRead).gone(GONE);
const MODIFY: Call = Call::mutate("ModifyTargetGroup").class(Class::ElbMutate).gone(GONE);
const MODIFY_ATTRIBUTES: Call =
    Call::mutate("ModifyTargetGroupAttributes").class(Class::ElbMutate).gone(GONE);
const DELETE: Call = Call::mutate("DeleteTargetGroup").class(Class::ElbMutate).gone(GONE);

/// The `aws_lb_target_group` resource type.
#[derive(Debug)]
pub struct LbTargetGroup;

#[async_trait]
impl ResourceType<Aws> for LbTargetGroup {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        match self.find(cx, operation, planned).await? {
            Found::Ours(id) => return Ok(Created::new(id)),
            Found::Foreign { id, description } => {
                return Err(lookup::exists(CREATE, &id, &description));
            }
            Found::Nothing => {}
        }
        let name = lookup::name(operation, planned, "tg-");
        let input = create_input(operation, &name, planned);
        let output = cx
            .elbv2(CREATE, |elb| {
                let (elb, input) = (elb.clone(), input.clone());
                async move { input.send_with(&elb).await }
            })
            .await?;
        let arn = output.target_groups().first().and_then(TargetGroup::target_group_arn);
        let arn = arn.ok_or_else(|| {
            ProviderError::new(ErrorKind::Failed, CREATE.name, "the answer names no target group")
        })?;
        // Someone may have been faster since the name was looked up.
        match lookup::owner(cx, operation, arn, description(&name)).await? {
            Found::Foreign { id, description } => Err(lookup::exists(CREATE, &id, &description)),
            Found::Ours(_) | Found::Nothing => Ok(Created::new(arn)),
        }
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let arns: Vec<String> = targets.iter().map(|target| target.id.0.clone()).collect();
        let mut found: BTreeMap<String, TargetGroup> = describe(cx, &arns)
            .await?
            .into_iter()
            .filter_map(|it| Some((it.target_group_arn()?.to_owned(), it)))
            .collect();
        found.retain(|arn, _| arns.contains(arn));
        if depth == Depth::Status {
            let observed = |arn: String| (ObjectId(arn), Observed::ready(Object::new()));
            return Ok(found.into_keys().map(observed).collect());
        }
        let present = targets.iter().filter(|target| found.contains_key(target.id.as_str()));
        let arns: Vec<String> = present.clone().map(|target| target.id.0.clone()).collect();
        let with_settings = present.clone().filter(|target| settings::matter(SETTINGS, target));
        let with_settings = with_settings.map(|target| target.id.0.clone()).collect();
        let (mut tags, told) = futures::try_join!(
            lookup::tags_of(cx, &arns),
            lookup::each(with_settings, |arn| settings_of(cx, arn)),
        )?;
        let mut all = BTreeMap::new();
        for target in present {
            let arn = target.id.as_str();
            // Without tags it was deleted between the calls.
            let (Some(group), Some(tags)) = (found.get(arn), tags.remove(arn)) else { continue };
            let mut object = object(group, target.recorded);
            if let Some(told) = told.get(arn) {
                settings::set(SETTINGS, told, target, &mut object);
            }
            tags::set(&mut object, &tags);
            let ownership = Ownership::of(&tags);
            let observed = Observed { object, status: Status::Ready, ownership };
            all.insert(target.id.clone(), observed);
        }
        Ok(all)
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        if let Some(input) = modify_input(update) {
            cx.elbv2(MODIFY, |elb| {
                let (elb, input) = (elb.clone(), input.clone());
                async move { input.send_with(&elb).await }
            })
            .await?;
        }
        let pairs = settings::changes(SETTINGS, update.live, update.planned);
        if !pairs.is_empty() {
            let arn = update.id.as_str();
            let pair = |(key, value)| TargetGroupAttribute::builder().key(key).value(value).build();
            let attributes: Vec<TargetGroupAttribute> = pairs.into_iter().map(pair).collect();
            cx.elbv2(MODIFY_ATTRIBUTES, |elb| {
                elb.modify_target_group_attributes()
                    .target_group_arn(arn)
                    .set_attributes(Some(attributes.clone()))
                    .send()
            })
            .await?;
        }
        tags::update_elbv2(cx, &SCHEMA, update).await?;
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        _recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let arn = id.as_str();
        let deleted =
            cx.elbv2(DELETE, |elb| elb.delete_target_group().target_group_arn(arn).send()).await;
        match deleted {
            Ok(_) => Ok(Notes::new()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Notes::new()),
            Err(error) => Err(error.about(id)),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let name = &lookup::name(operation, planned, "tg-");
        let answer =
            cx.elbv2(DESCRIBE, |elb| elb.describe_target_groups().names(name).send()).await;
        let arn = match answer {
            Ok(output) => output.target_groups().first().and_then(|it| it.target_group_arn.clone()),
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match arn {
            Some(arn) => lookup::owner(cx, operation, &arn, description(name)).await,
            None => Ok(Found::Nothing),
        }
    }
}

fn description(name: &str) -> String {
    format!("a target group named `{name}` exists already")
}

/// Returns those of the target groups that exist, and possibly others.
async fn describe(cx: &Aws, arns: &[String]) -> Result<Vec<TargetGroup>, ProviderError> {
    if arns.len() > ARNS {
        return list(cx).await;
    }
    let answer = cx
        .elbv2(DESCRIBE, |elb| {
            elb.describe_target_groups().set_target_group_arns(Some(arns.to_vec())).send()
        })
        .await;
    match answer {
        Ok(output) => Ok(output.target_groups.unwrap_or_default()),
        Err(error) if error.kind == ErrorKind::NotFound && arns.len() == 1 => Ok(Vec::new()),
        Err(error) if error.kind == ErrorKind::NotFound => list(cx).await,
        Err(error) => Err(error),
    }
}

async fn list(cx: &Aws) -> Result<Vec<TargetGroup>, ProviderError> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let output = cx
            .elbv2(DESCRIBE, |elb| {
                elb.describe_target_groups().page_size(PAGE).set_marker(marker.clone()).send()
            })
            .await?;
        all.extend(output.target_groups.unwrap_or_default());
        marker = output.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Reads the settings of a target group.
async fn settings_of(cx: &Aws, arn: String) -> Result<settings::Pairs, ProviderError> {
    let output = cx
        .elbv2(DESCRIBE_ATTRIBUTES, |elb| {
            elb.describe_target_group_attributes().target_group_arn(&arn).send()
        })
        .await?;
    let pair = |it: TargetGroupAttribute| Some((it.key?, it.value.unwrap_or_default()));
    Ok(output.attributes.unwrap_or_default().into_iter().filter_map(pair).collect())
}

fn create_input(
    operation: &Operation,
    name: &str,
    planned: &Object,
) -> CreateTargetGroupInputBuilder {
    let input = CreateTargetGroupInputBuilder::default()
        .name(name)
        .set_target_type(planned.str("target_type").map(TargetTypeEnum::from))
        .set_port(planned.i32("port"))
        .set_protocol(planned.str("protocol").map(ProtocolEnum::from))
        .set_protocol_version(planned.string("protocol_version"))
        .set_vpc_id(planned.string("vpc_id"))
        .set_ip_address_type(planned.str("ip_address_type").map(TargetGroupIpAddressTypeEnum::from))
        .set_tags(Some(tags::elbv2_create(operation, planned)));
    let Some(check) = planned.block("health_check") else { return input };
    let check = HealthCheck::of(planned, check);
    input
        .set_health_check_enabled(check.enabled)
        .set_health_check_protocol(check.protocol)
        .set_health_check_port(check.port)
        .set_health_check_path(check.path)
        .set_matcher(check.matcher)
        .set_health_check_interval_seconds(check.interval)
        .set_health_check_timeout_seconds(check.timeout)
        .set_healthy_threshold_count(check.healthy_threshold)
        .set_unhealthy_threshold_count(check.unhealthy_threshold)
}

/// Returns the request that makes the health check what is planned, if it is not that yet.
fn modify_input(update: &Update<'_>) -> Option<ModifyTargetGroupInputBuilder> {
    let planned = HealthCheck::of(update.planned, update.planned.block("health_check")?);
    let live = update.live.block("health_check");
    let live = live.map(|live| HealthCheck::of(update.live, live)).unwrap_or_default();
    if !planned.differs_from(&live) {
        return None;
    }
    let input = ModifyTargetGroupInputBuilder::default()
        .target_group_arn(update.id.as_str())
        .set_health_check_enabled(planned.enabled)
        .set_health_check_protocol(planned.protocol)
        .set_health_check_port(planned.port)
        .set_health_check_path(planned.path)
        .set_matcher(planned.matcher)
        .set_health_check_interval_seconds(planned.interval)
        .set_health_check_timeout_seconds(planned.timeout)
        .set_healthy_threshold_count(planned.healthy_threshold)
        .set_unhealthy_threshold_count(planned.unhealthy_threshold);
    Some(input)
}

/// A health check as requests carry it; what is `None` is left to AWS.
#[derive(Clone, Debug, Default, PartialEq)]
struct HealthCheck {
    enabled: Option<bool>,
    protocol: Option<ProtocolEnum>,
    port: Option<String>,
    path: Option<String>,
    matcher: Option<Matcher>,
    interval: Option<i32>,
    timeout: Option<i32>,
    healthy_threshold: Option<i32>,
    unhealthy_threshold: Option<i32>,
}

impl HealthCheck {
    fn of(group: &Object, check: &Object) -> Self {
        let lambda = group.str("target_type") == Some("lambda");
        let http = lambda || check.str("protocol") != Some("TCP");
        let grpc = group.str("protocol_version") == Some("GRPC");
        let matcher = check.string("matcher").map(|codes| {
            let (http, grpc) = if grpc { (None, Some(codes)) } else { (Some(codes), None) };
            Matcher::builder().set_http_code(http).set_grpc_code(grpc).build()
        });
        Self {
            enabled: check.bool("enabled"),
            protocol: check.str("protocol").map(ProtocolEnum::from).filter(|_| !lambda),
            port: check.string("port").filter(|_| !lambda),
            path: check.string("path").filter(|_| http),
            matcher: matcher.filter(|_| http),
            interval: check.i32("interval"),
            timeout: check.i32("timeout"),
            healthy_threshold: check.i32("healthy_threshold"),
            unhealthy_threshold: check.i32("unhealthy_threshold"),
        }
    }

    /// Tells whether anything that this one says is otherwise in the other.
    fn differs_from(&self, other: &Self) -> bool {
        fn differs<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.is_some() && one != other
        }
        differs(self.enabled.as_ref(), other.enabled.as_ref())
            || differs(self.protocol.as_ref(), other.protocol.as_ref())
            || differs(self.port.as_ref(), other.port.as_ref())
            || differs(self.path.as_ref(), other.path.as_ref())
            || differs(self.matcher.as_ref(), other.matcher.as_ref())
            || differs(self.interval.as_ref(), other.interval.as_ref())
            || differs(self.timeout.as_ref(), other.timeout.as_ref())
            || differs(self.healthy_threshold.as_ref(), other.healthy_threshold.as_ref())
            || differs(self.unhealthy_threshold.as_ref(), other.unhealthy_threshold.as_ref())
    }
}

/// Returns what `DescribeTargetGroups` tells of a target group.
fn object(group: &TargetGroup, recorded: &Object) -> Object {
    let arn = group.target_group_arn().unwrap_or_default();
    let target_type = group.target_type().map(TargetTypeEnum::as_str);
    Object::new()
        .with("id", arn)
        .with("arn", arn)
        .with("arn_suffix", lookup::arn_suffix(arn))
        .with("name", group.target_group_name())
        .with("target_type", target_type)
        .with("port", group.port())
        .with("protocol", group.protocol().map(ProtocolEnum::as_str))
        .with("protocol_version", group.protocol_version())
        .with("vpc_id", group.vpc_id())
        .with("ip_address_type", group.ip_address_type().map(TargetGroupIpAddressTypeEnum::as_str))
        .with("health_check", vec![health_check(group, recorded.block("health_check"))])
}

fn health_check(group: &TargetGroup, recorded: Option<&Object>) -> Object {
    // AWS tells no port or protocol of a Lambda function's health check: what the spec says of them means nothing.
    let kept = |name: &str, told: Option<&str>| match told {
        Some(told) => Value::from(told),
        None => recorded
            .map(|recorded| recorded.value(name))
            .filter(|value| value.is_known())
            .cloned()
            .unwrap_or_default(),
    };
    let matcher = group.matcher().and_then(|it| it.http_code().or(it.grpc_code()));
    Object::new()
        .with("enabled", group.health_check_enabled())
        .with("protocol", kept("protocol", group.health_check_protocol().map(ProtocolEnum::as_str)))
        .with("port", kept("port", group.health_check_port()))
        .with("path", group.health_check_path())
        .with("matcher", matcher)
        .with("interval", group.health_check_interval_seconds())
        .with("timeout", group.health_check_timeout_seconds())
        .with("healthy_threshold", group.healthy_threshold_count())
        .with("unhealthy_threshold", group.unhealthy_threshold_count())
}

#[cfg(test)]
mod tests {
    use reconcile_model::Address;

    use super::*;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc";

    fn operation() -> Operation {
        Operation {
            id: "0192f3c45b6d7e8f".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_lb_target_group", "web"),
        }
    }

    fn check() -> Object {
        Object::new()
            .with("enabled", true)
            .with("protocol", "HTTP")
            .with("port", "traffic-port")
            .with("path", "/up")
            .with("matcher", Value::Unknown)
            .with("interval", 30)
            .with("timeout", Value::Unknown)
            .with("healthy_threshold", 3)
            .with("unhealthy_threshold", 3)
    }

    fn planned(check: Object) -> Object {
        Object::new()
            .with("name", "web")
            .with("target_type", "instance")
            .with("port", 80)
            .with("protocol", "HTTP")
            .with("vpc_id", "vpc-1")
            .with("health_check", vec![check])
    }

    fn modified(live: &Object, planned: &Object) -> Option<ModifyTargetGroupInputBuilder> {
        let (operation, id) = (operation(), ObjectId::from(ARN));
        modify_input(&Update { operation: &operation, id: &id, live, planned, restart: false })
    }

    #[test]
    fn what_is_unknown_is_left_to_aws() {
        let input = create_input(&operation(), "web", &planned(check())).build().unwrap();
        assert_eq!(input.health_check_path(), Some("/up"));
        assert_eq!((input.health_check_timeout_seconds(), input.matcher()), (None, None));
        let left = planned(check()).with("health_check", Value::Unknown);
        let input = create_input(&operation(), "web", &left).build().unwrap();
        assert_eq!((input.port(), input.healthy_threshold_count()), (Some(80), None));
    }

    #[test]
    fn a_lambda_is_checked_without_port_and_protocol() {
        let lambda =
            Object::new().with("target_type", "lambda").with("health_check", vec![check()]);
        let input = create_input(&operation(), "web", &lambda).build().unwrap();
        assert_eq!((input.health_check_port(), input.health_check_protocol()), (None, None));
        assert_eq!(input.health_check_path(), Some("/up"));
        let group = TargetGroup::builder().target_type(TargetTypeEnum::Lambda).build();
        let read = object(&group, &lambda);
        assert_eq!(read.block("health_check").unwrap().str("port"), Some("traffic-port"));
    }

    #[test]
    fn a_target_group_reads_back_as_planned() {
        let group = TargetGroup::builder()
            .target_group_arn(ARN)
            .target_group_name("web")
            .target_type(TargetTypeEnum::Instance)
            .port(80)
            .protocol(ProtocolEnum::Http)
            .vpc_id("vpc-1")
            .health_check_enabled(true)
            .health_check_protocol(ProtocolEnum::Http)
            .health_check_port("traffic-port")
            .health_check_path("/up")
            .matcher(Matcher::builder().http_code("200").build())
            .health_check_interval_seconds(30)
            .health_check_timeout_seconds(5)
            .healthy_threshold_count(3)
            .unhealthy_threshold_count(3)
            .build();
        let planned = planned(check());
        let live = object(&group, &planned);
        assert_eq!(live.str("vpc_id"), planned.str("vpc_id"));
        assert_eq!(live.block("health_check").unwrap().str("matcher"), Some("200"));
        assert_eq!(modified(&live, &planned), None);
    }

    #[test]
    fn only_a_health_check_that_differs_is_modified() {
        let live = planned(check().with("timeout", 5));
        assert_eq!(modified(&live, &planned(check().with("timeout", 5))), None);
        let input = modified(&live, &planned(check().with("path", "/health"))).unwrap();
        assert_eq!(input.get_health_check_path().as_deref(), Some("/health"));
        let tcp = check().with("protocol", "TCP").with("path", Value::Unknown);
        let input = modified(&live, &planned(tcp)).unwrap();
        assert_eq!((input.get_health_check_path(), input.get_matcher()), (&None, &None));
    }
}
