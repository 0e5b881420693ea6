//! Reading instances: who is asked for what, and how little of it for each instance alone.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    Filter, Instance, InstanceAttributeName, InstanceCreditSpecification, SpotInstanceRequest,
};
use futures::{StreamExt as _, TryStreamExt as _};
use reconcile_model::ObjectId;
use reconcile_provider::{Depth, ErrorKind, ProviderError, Target};

use super::volumes::Volumes;
use super::{NOT_FOUND, spot, volumes};
use crate::Aws;
use crate::call::Call;
use crate::many::{Ask, many};

const DESCRIBE_INSTANCES: Call = Call::read("DescribeInstances");
const DESCRIBE_INSTANCE_ATTRIBUTE: Call = Call::read("DescribeInstanceAttribute").gone(NOT_FOUND);
const DESCRIBE_CREDITS: Call = Call::read("DescribeInstanceCreditSpecifications");
const DESCRIBE_LAUNCH_TEMPLATES: Call =
    Call::read("DescribeLaunchTemplates").gone(&["InvalidLaunchTemplateId.NotFound"]);
const GET_PASSWORD_DATA: Call = Call::read("GetPasswordData").gone(NOT_FOUND);

/// How many calls about single instances are under way at once.
const AT_ONCE: usize = 8;

/// An instance and the account it is in.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) instance: Instance,
    pub(crate) owner: String,
}

/// What `DescribeInstances` does not tell and is read for many instances together.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) volumes: Volumes,
    pub(crate) credits: BTreeMap<String, String>,
    pub(super) spot: BTreeMap<String, SpotInstanceRequest>,
    pub(super) templates: BTreeMap<String, String>,
}

/// What is read for one instance alone; `None` where nothing asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// In base64; an inner `None` is no user data.
    pub(crate) user_data: Option<Option<String>>,
    pub(crate) disable_api_termination: Option<bool>,
    pub(crate) disable_api_stop: Option<bool>,
    pub(crate) shutdown_behavior: Option<String>,
    /// Encrypted, in base64; an inner `None` while Windows has not set it.
    pub(crate) password: Option<Option<String>>,
}

/// The attributes that are asked for one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) user_data: bool,
    pub(crate) disable_api_termination: bool,
    pub(crate) disable_api_stop: bool,
    pub(crate) shutdown_behavior: bool,
    pub(crate) password: bool,
}

impl Wanted {
    /// Returns what has to be read of an instance: what the spec gives, and what is not known although it may differ
    /// from the launch's defaults, since a launch template can have given it.
    ///
    /// User data can only change while the instance is stopped, so a recorded value is as good as a read one for as
    /// long as the instance runs since the same start. Of an instance that is being created, all is as it was sent.
    pub(super) fn of(target: &Target<'_>, instance: &Instance, depth: Depth) -> Self {
        let recorded = target.recorded;
        let from_template = recorded.block("launch_template").is_some();
        let holds = |name: &str| {
            let value = recorded.value(name);
            value.is_known() && !value.is_null()
        };
        // Only who creates an instance waits for one without an id.
        let is_new = depth == Depth::Status
            && recorded.value("id").is_unknown()
            && state(instance) == "running";
        let given = |name: &str| {
            (target.arguments.contains(name) && !(is_new && holds(name)))
                || (from_template && recorded.value(name).is_unknown())
        };
        let user_data = ["user_data", "user_data_base64"];
        let mentioned =
            user_data.iter().any(|name| target.arguments.contains(*name) || holds(name));
        let same_start = state(instance) == "running"
            && recorded.str("launch_time").is_some()
            && recorded.string("launch_time") == launch_time(instance);
        let proven = (same_start || is_new) && user_data.iter().any(|name| holds(name));
        Self {
            user_data: mentioned && !proven,
            disable_api_termination: given("disable_api_termination"),
            disable_api_stop: given("disable_api_stop"),
            shutdown_behavior: given("instance_initiated_shutdown_behavior"),
            password: recorded.bool("get_password_data") == Some(true)
                && recorded.str("password_data").is_none(),
        }
    }

    /// Returns the attributes to ask `DescribeInstanceAttribute` for.
    fn names(self) -> Vec<InstanceAttributeName> {
        [
            (self.user_data, "userData"),
            (self.disable_api_termination, "disableApiTermination"),
            (self.disable_api_stop, "disableApiStop"),
            (self.shutdown_behavior, "instanceInitiatedShutdownBehavior"),
        ]
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, name)| InstanceAttributeName::from(name))
        .collect()
    }
}

/// Returns the state's name: `running`.
pub(crate) fn state(instance: &Instance) -> &str {
    instance.state().and_then(|state| state.name()).map_or("unknown", |name| name.as_str())
}

/// Returns when the instance was last started, in RFC 3339.
pub(crate) fn launch_time(instance: &Instance) -> Option<String> {
    let format = aws_smithy_types::date_time::Format::DateTime;
    instance.launch_time().and_then(|time| time.fmt(format).ok())
}

/// Returns the instances that match all filters.
pub(crate) async fn describe(cx: &Aws, filters: Vec<Filter>) -> Result<Vec<Found>, ProviderError> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_INSTANCES, |ec2| {
                ec2.describe_instances()
                    .set_filters(Some(filters.clone()))
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        for reservation in page.reservations.unwrap_or_default() {
            let owner = reservation.owner_id.unwrap_or_default();
            let instances = reservation.instances.unwrap_or_default();
            found.extend(
                instances.into_iter().map(|instance| Found { instance, owner: owner.clone() }),
            );
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Returns the instances with these ids, those that exist.
pub(crate) async fn by_id(cx: &Aws, ids: &[&str]) -> Result<Vec<Found>, ProviderError> {
    const ASK: Ask = Ask { filter: "instance-id", page: 1000 };
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let describe = |filter| describe(cx, vec![filter]);
    many(cx, ASK, ids, describe, |found: &Found| found.instance.instance_id()).await
}

/// Reads what is read for many instances together: of launch templates, the names of these; of those instances with
/// credits, their options.
pub(crate) async fn surroundings(
    cx: &Aws,
    instances: &[&Instance],
    templates: BTreeSet<String>,
    with_credits: &[&Instance],
) -> Result<Surroundings, ProviderError> {
    let burstable = with_credits.iter().filter(|instance| is_burstable(instance));
    let burstable = burstable.filter_map(|instance| instance.instance_id.clone()).collect();
    let (volumes, credits, spot, templates) = futures::try_join!(
        volumes::of(cx, instances),
        credits(cx, burstable),
        spot::requests(cx, instances),
        template_names(cx, templates),
    )?;
    Ok(Surroundings { volumes, credits, spot, templates })
}

/// Returns one of the tags with which EC2 marks what came from a launch template: `id` or `version`.
pub(super) fn template_tag(instance: &Instance, part: &str) -> Option<String> {
    let key = format!("aws:ec2launchtemplate:{part}");
    let tag = instance.tags().iter().find(|tag| tag.key() == Some(key.as_str()))?;
    tag.value().map(str::to_owned)
}

/// Tells whether an instance's type has CPU credits: the T types do.
pub(crate) fn is_burstable(instance: &Instance) -> bool {
    let name = instance.instance_type().map_or("", |it| it.as_str());
    let family = name.split('.').next().unwrap_or_default();
    matches!(family, "t2" | "t3" | "t3a" | "t4g")
}

/// Returns the credit options of these instances by id.
///
/// Asked without an id list, EC2 may leave out those that are set to `standard`; an id list would fail as a whole when
/// one of them is gone.
async fn credits(
    cx: &Aws,
    ids: BTreeSet<String>,
) -> Result<BTreeMap<String, String>, ProviderError> {
    // They have no tags to be found by.
    const ASK: Ask = Ask { filter: "instance-id", page: 1 };
    let mut found: BTreeMap<String, String> =
        ids.iter().map(|id| (id.clone(), "standard".to_owned())).collect();
    let describe = |filter| describe_credits(cx, filter);
    let id = InstanceCreditSpecification::instance_id;
    let answers = many(cx, ASK, ids, describe, id).await?.into_iter();
    found.extend(answers.filter_map(|it| Some((it.instance_id?, it.cpu_credits?))));
    Ok(found)
}

async fn describe_credits(
    cx: &Aws,
    filter: Filter,
) -> Result<Vec<InstanceCreditSpecification>, ProviderError> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_CREDITS, |ec2| {
                ec2.describe_instance_credit_specifications()
                    .filters(filter.clone())
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        found.extend(page.instance_credit_specifications.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Tells whether the credit option matters: the spec gives it, or it is on record.
pub(super) fn wants_credits(target: &Target<'_>) -> bool {
    let recorded = target.recorded.value("credit_specification");
    target.arguments.contains("credit_specification")
        || (recorded.is_known() && recorded.as_list().is_some_and(|blocks| !blocks.is_empty()))
}

/// Returns the launch template whose name has to be looked up: the spec gives one, and its name was never read.
pub(super) fn nameless_template(target: &Target<'_>, instance: &Instance) -> Option<String> {
    let recorded = target.recorded.block("launch_template")?;
    template_tag(instance, "id").filter(|_| recorded.str("name").is_none())
}

/// Returns the names of launch templates by id; those that are gone are left out.
///
/// There is no filter for ids, and a list of ids fails as a whole when one is gone: each is asked for on its own.
async fn template_names(
    cx: &Aws,
    ids: BTreeSet<String>,
) -> Result<BTreeMap<String, String>, ProviderError> {
    let named: Vec<Option<(String, String)>> = futures::stream::iter(ids)
        .map(|id| async move {
            let described = cx
                .ec2(DESCRIBE_LAUNCH_TEMPLATES, |ec2| {
                    ec2.describe_launch_templates().launch_template_ids(&id).send()
                })
                .await;
            match described {
                Ok(page) => {
                    let template = page.launch_templates().first();
                    let name = template.and_then(|it| it.launch_template_name());
                    Ok(name.map(|name| (id.clone(), name.to_owned())))
                }
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(named.into_iter().flatten().collect())
}

/// Reads what is wanted of single instances, a few at once. An instance that goes meanwhile has nothing read.
pub(crate) async fn attributes(
    cx: &Aws,
    wanted: Vec<(String, Wanted)>,
) -> Result<BTreeMap<String, Attributes>, ProviderError> {
    let calls = wanted.into_iter().flat_map(|(id, wanted)| {
        let attributes = wanted.names().into_iter().map({
            let id = id.clone();
            move |name| (id.clone(), Some(name))
        });
        attributes.chain(wanted.password.then_some((id, None))).collect::<Vec<_>>()
    });
    let parts: Vec<(String, Attributes)> = futures::stream::iter(calls)
        .map(|(id, name)| async move {
            let part = match &name {
                Some(name) => attribute(cx, &id, name).await,
                None => password(cx, &id).await,
            };
            match part {
                Ok(part) => Ok((id, part)),
                Err(error) if error.kind == ErrorKind::NotFound => Ok((id, Attributes::default())),
                Err(error) => Err(error.about(&ObjectId::from(id))),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut all: BTreeMap<String, Attributes> = BTreeMap::new();
    for (id, part) in parts {
        let known = all.entry(id).or_default();
        known.user_data = part.user_data.or(known.user_data.take());
        known.password = part.password.or(known.password.take());
        known.shutdown_behavior = part.shutdown_behavior.or(known.shutdown_behavior.take());
        known.disable_api_stop = part.disable_api_stop.or(known.disable_api_stop);
        known.disable_api_termination =
            part.disable_api_termination.or(known.disable_api_termination);
    }
    Ok(all)
}

async fn attribute(
    cx: &Aws,
    id: &str,
    name: &InstanceAttributeName,
) -> Result<Attributes, ProviderError> {
    let output = cx
        .ec2(DESCRIBE_INSTANCE_ATTRIBUTE, |ec2| {
            ec2.describe_instance_attribute().instance_id(id).attribute(name.clone()).send()
        })
        .await?;
    let mut read = Attributes::default();
    match name.as_str() {
        "userData" => {
            read.user_data = Some(output.user_data.and_then(|it| it.value));
        }
        "disableApiTermination" => {
            read.disable_api_termination = output.disable_api_termination.and_then(|it| it.value);
        }
        "disableApiStop" => read.disable_api_stop = output.disable_api_stop.and_then(|it| it.value),
        _ => {
            read.shutdown_behavior =
                output.instance_initiated_shutdown_behavior.and_then(|it| it.value);
        }
    }
    Ok(read)
}

async fn password(cx: &Aws, id: &str) -> Result<Attributes, ProviderError> {
    let output =
        cx.ec2(GET_PASSWORD_DATA, |ec2| ec2.get_password_data().instance_id(id).send()).await?;
    let data = output.password_data.map(|data| data.trim().to_owned());
    Ok(Attributes { password: Some(data.filter(|it| !it.is_empty())), ..Attributes::default() })
}

/// Tells whether the spec describes further volumes.
pub(super) fn describes_volumes(target: &Target<'_>) -> bool {
    target.arguments.contains("ebs_block_device")
        && target.recorded.blocks("ebs_block_device").next().is_some()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{InstanceState, InstanceStateName, InstanceType};
    use aws_smithy_types::DateTime;
    use reconcile_model::{Object, Value};

    use super::*;

    fn running() -> Instance {
        Instance::builder()
            .instance_type(InstanceType::T3Micro)
            .launch_time(DateTime::from_secs(1_700_000_000))
            .state(InstanceState::builder().name(InstanceStateName::Running).build())
            .build()
    }

    fn wanted(recorded: &Object, arguments: &[&str]) -> Wanted {
        let id = ObjectId::from("i-1");
        let arguments: BTreeSet<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Wanted::of(&Target { id: &id, recorded, arguments: &arguments }, &running(), Depth::Full)
    }

    #[test]
    fn nothing_is_asked_of_single_instances_without_need() {
        let recorded = Object::new()
            .with("disable_api_termination", Value::Unknown)
            .with("user_data", Value::Null);
        assert_eq!(wanted(&recorded, &["ami", "instance_type"]), Wanted::default());
    }

    #[test]
    fn user_data_are_read_once_for_each_start() {
        let mut recorded = Object::new().with("user_data", "#!/bin/sh");
        assert!(wanted(&recorded, &["user_data"]).user_data);
        recorded.set("launch_time", launch_time(&running()));
        assert!(!wanted(&recorded, &["user_data"]).user_data);
        recorded.set("launch_time", "2020-01-01T00:00:00Z");
        assert!(wanted(&recorded, &["user_data"]).user_data);
        // Taken out of the spec, it is still recorded, and what is there decides whether anything has to change.
        assert!(wanted(&recorded, &[]).user_data);
    }

    #[test]
    fn what_a_template_may_have_given_is_read() {
        let recorded = Object::new()
            .with("disable_api_stop", Value::Unknown)
            .with("launch_template", vec![Object::new().with("id", "lt-1")]);
        assert!(wanted(&recorded, &[]).disable_api_stop);
        assert!(wanted(&Object::new(), &["disable_api_stop"]).disable_api_stop);
    }

    #[test]
    fn only_t_types_burst() {
        assert!(is_burstable(&running()));
        let other = Instance::builder().instance_type(InstanceType::from("t1.micro")).build();
        assert!(!is_burstable(&other));
    }
}
