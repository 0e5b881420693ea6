//! `aws_lb_target_group_attachment`: one target in a target group.
//!
//! # Remote API
//!
//! | verb   | calls                                                  |
//! |--------|--------------------------------------------------------|
//! | create | `RegisterTargets`, once for those of a group that are registered at the same time |
//! | read   | `DescribeTargetHealth`, once for each target group     |
//! | update | none: every argument forces replacement                |
//! | delete | `DeregisterTargets`, likewise                          |
//!
//! # Oddities
//!
//! - Registering a target again changes nothing, deregistering one that is gone succeeds, and registrations have no
//!   tags. Group, target, port, and zone together are what identifies one, and its id is made of them.
//! - The target has to exist and run: `InvalidTarget` until then.
//! - A registration is there whether the target is healthy or not: health is the application's affair.
//! - A target that is deregistered drains for as long as the group's `deregistration_delay`. It gets no new requests,
//!   so it counts as gone when objects are looked over; a delete waits until it has drained, so that what depends on
//!   that, stopping an instance, does not cut off requests.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum,
};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reconcile_model::schema::{Attribute, Check, Kind, Recovery, Schema, Timeouts};
use reconcile_model::{Mode, Object, ObjectId};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use reconcile_provider::together::Items;

use super::lookup::AT_ONCE;
use crate::Aws;
use crate::call::{Call, Class};

static SCHEMA: Schema = Schema {
    type_name: "aws_lb_target_group_attachment",
    mode: Mode::Managed,
    version: 1,
    doc: "A target that is registered with a target group.",
    attributes: &[
        Attribute::computed("id", Kind::String)
            .doc("The group's ARN, the target, and its port and zone if given, divided by commas."),
        Attribute::required("target_group_arn", Kind::String)
            .replace()
            .refers_to("aws_lb_target_group", "arn")
            .doc("The target group."),
        Attribute::required("target_id", Kind::String)
            .replace()
            .refers_to("aws_instance", "id")
            .doc("The target, as the group's target type says: an instance's id, an IP address, an ARN."),
        Attribute::optional("port", Kind::Int)
            .replace()
            .check(Check::Range(1, 65535))
            .doc("The port that the target listens on; the group's otherwise."),
        Attribute::optional("availability_zone", Kind::String)
            .replace()
            .doc("The zone of an IP address, or `all` for one outside the VPC."),
    ],
    constraints: &[],
    recovery: Recovery::NaturalKey(&["target_group_arn", "target_id", "port", "availability_zone"]),
    // A target drains for up to an hour.
    timeouts: Timeouts::minutes(10, 10, 65),
    iam_read: &["elasticloadbalancing:DescribeTargetHealth"],
    iam_write: &["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
};

const GROUP_GONE: &[&str] = &["TargetGroupNotFound"];

const REGISTER: Call = Call::mutate("RegisterTargets").class(Class::ElbRegister);
const DEREGISTER: Call = Call::mutate("DeregisterTargets")
    .class(Class::ElbDeregister)
    // One whose instance is gone too may be an invalid target.
    .gone(&["InvalidTarget", "TargetGroupNotFound"]);
const DESCRIBE_HEALTH: Call =
    Call::read("DescribeTargetHealth").class(Class::ElbRead).gone(GROUP_GONE);

/// The `aws_lb_target_group_attachment` resource type.
#[derive(Debug)]
pub struct LbTargetGroupAttachment;

#[async_trait]
impl ResourceType<Aws> for LbTargetGroupAttachment {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        _operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let key = Key::of(planned);
        let group = &key.group;
        let register = |targets: Items<TargetDescription, ()>| async move {
            cx.elbv2(REGISTER, |elb| {
                let targets = Some(targets.get());
                elb.register_targets().target_group_arn(group).set_targets(targets).send()
            })
            .await?;
            Ok(vec![(); targets.get().len()])
        };
        cx.shared.registered.change(group.clone(), key.target(), REGISTER.name, register).await?;
        Ok(Created::new(key.id()))
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let mut groups: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for key in targets.iter().filter_map(|target| Key::parse(target.id)) {
            groups.entry(key.group.clone()).or_default().push(key);
        }
        let read: Vec<Vec<(ObjectId, Observed)>> = stream::iter(groups)
            .map(|(group, keys)| async move {
                let registered = registered(cx, &group).await?;
                let observe =
                    |key: Key| Some((ObjectId(key.id()), key.observe(&registered, depth)?));
                Ok::<_, ProviderError>(keys.into_iter().filter_map(observe).collect())
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn update(&self, _cx: &Aws, _update: &Update<'_>) -> Result<Notes, ProviderError> {
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        _recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let Some(key) = Key::parse(id) else { return Ok(Notes::new()) };
        let group = &key.group;
        let deregister = |targets: Items<TargetDescription, ()>| async move {
            cx.elbv2(DEREGISTER, |elb| {
                let targets = Some(targets.get());
                elb.deregister_targets().target_group_arn(group).set_targets(targets).send()
            })
            .await?;
            Ok(vec![(); targets.get().len()])
        };
        let (to_go, name) = (key.target(), DEREGISTER.name);
        match cx.shared.deregistered.change(group.clone(), to_go, name, deregister).await {
            Ok(()) => Ok(Notes::new()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Notes::new()),
            Err(error) => Err(error.about(id)),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        _operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let key = Key::of(planned);
        let registered = registered(cx, &key.group).await?;
        Ok(match key.observe(&registered, Depth::Full) {
            Some(_) => Found::Ours(ObjectId(key.id())),
            None => Found::Nothing,
        })
    }
}

/// Returns the targets of a group, those that drain included; none when the group is gone.
async fn registered(cx: &Aws, group: &str) -> Result<Vec<TargetHealthDescription>, ProviderError> {
    let answer = cx
        .elbv2(DESCRIBE_HEALTH, |elb| elb.describe_target_health().target_group_arn(group).send())
        .await;
    match answer {
        Ok(output) => Ok(output.target_health_descriptions.unwrap_or_default()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What identifies a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    group: String,
    target: String,
    port: Option<i32>,
    zone: Option<String>,
}

impl Key {
    fn of(planned: &Object) -> Self {
        Self {
            group: planned.string("target_group_arn").unwrap_or_default(),
            target: planned.string("target_id").unwrap_or_default(),
            port: planned.i32("port"),
            zone: planned.string("availability_zone"),
        }
    }

    fn parse(id: &ObjectId) -> Option<Self> {
        let mut parts = id.as_str().split(',');
        let group = parts.next()?.to_owned();
        let target = parts.next()?.to_owned();
        let port = parts.next().and_then(|port| port.parse().ok());
        let zone = parts.next().map(str::to_owned);
        Some(Self { group, target, port, zone })
    }

    fn id(&self) -> String {
        let port = self.port.map(|port| port.to_string()).unwrap_or_default();
        let zone = self.zone.as_deref().unwrap_or_default();
        let id = format!("{},{},{port},{zone}", self.group, self.target);
        id.trim_end_matches(',').to_owned()
    }

    fn target(&self) -> TargetDescription {
        TargetDescription::builder()
            .id(&self.target)
            .set_port(self.port)
            .set_availability_zone(self.zone.clone())
            .build()
    }

    /// Tells whether a target is this one. What the key leaves out is the group's default, so anything will do.
    fn is(&self, target: &TargetDescription) -> bool {
        target.id() == Some(&self.target)
            && (self.port.is_none() || target.port() == self.port)
            && (self.zone.is_none() || target.availability_zone() == self.zone.as_deref())
    }

    fn observe(&self, registered: &[TargetHealthDescription], depth: Depth) -> Option<Observed> {
        let status = registered
            .iter()
            .filter(|it| it.target().is_some_and(|target| self.is(target)))
            .filter_map(|it| status(it, depth))
            .min_by_key(|status| *status != Status::Ready)?;
        let object = Object::new()
            .with("id", self.id())
            .with("target_group_arn", self.group.as_str())
            .with("target_id", self.target.as_str())
            .with("port", self.port)
            .with("availability_zone", self.zone.as_deref());
        Some(Observed { status, ..Observed::ready(object) })
    }
}

/// Returns what a target's state says of its registration; `None` when it is not registered.
fn status(description: &TargetHealthDescription, depth: Depth) -> Option<Status> {
    let health = description.target_health();
    let state = health.and_then(|it| it.state()).map_or("unknown", TargetHealthStateEnum::as_str);
    let reason = health.and_then(|it| it.reason()).map(TargetHealthReasonEnum::as_str);
    match (state, reason, depth) {
        (_, Some("Target.NotRegistered"), _) | ("draining", _, Depth::Full) => None,
        ("draining", _, Depth::Status) => Some(Status::Pending("draining".to_owned())),
        _ => Some(Status::Ready),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::TargetHealth;

    use super::*;

    const GROUP: &str = "arn:aws:elasticloadbalancing:ap-northeast-2:1:targetgroup/web/73e2";

    fn planned(port: Option<i64>) -> Object {
        Object::new()
            .with("target_group_arn", GROUP)
            .with("target_id", "i-1")
            .with("port", port)
            .with("availability_zone", reconcile_model::Value::Null)
    }

    fn registered(port: i32, state: &str) -> TargetHealthDescription {
        let target = TargetDescription::builder().id("i-1").port(port).build();
        let health = TargetHealth::builder().state(state.into()).build();
        TargetHealthDescription::builder().target(target).target_health(health).build()
    }

    #[test]
    fn ids_are_made_of_what_identifies_a_registration() {
        let id = Key::of(&planned(None)).id();
        assert_eq!(id, format!("{GROUP},i-1"));
        for zone in [None, Some("all")] {
            for port in [None, Some(8080)] {
                let key = Key::of(&planned(port).with("availability_zone", zone));
                assert_eq!(Key::parse(&ObjectId(key.id())), Some(key));
            }
        }
    }

    #[test]
    fn the_port_tells_registrations_of_one_target_apart() {
        let all = [registered(80, "healthy")];
        let observed = |port| Key::of(&planned(port)).observe(&all, Depth::Full);
        assert_eq!(observed(Some(8080)), None);
        let of_group = observed(None).unwrap();
        assert_eq!(of_group.object.value("port"), &reconcile_model::Value::Null);
        assert!(observed(Some(80)).is_some());
    }

    #[test]
    fn a_registration_counts_whatever_its_health() {
        let status = |state, depth| {
            let observed = Key::of(&planned(None)).observe(&[registered(80, state)], depth);
            observed.map(|it| it.status)
        };
        for state in ["initial", "healthy", "unhealthy", "unused", "unavailable"] {
            assert_eq!(status(state, Depth::Full), Some(Status::Ready), "{state}");
        }
        assert_eq!(status("draining", Depth::Full), None);
        let pending = Some(Status::Pending("draining".to_owned()));
        assert_eq!(status("draining", Depth::Status), pending);
    }
}
