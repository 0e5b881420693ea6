//! `aws_security_group`: a set of rules on the traffic of network interfaces.
//!
//! # Remote API
//!
//! | verb   | calls                                                                                         |
//! |--------|-----------------------------------------------------------------------------------------------|
//! | create | `CreateSecurityGroup`; the rules follow in an update                                          |
//! | read   | `DescribeSecurityGroups`, filtered by `group-id`: the rules come along                        |
//! | update | `DescribeSecurityGroupRules`, for all groups that change at the same time, then for each direction at most one `AuthorizeSecurityGroup…`, one `RevokeSecurityGroup…`, one `UpdateSecurityGroupRuleDescriptions…`; `CreateTags`, `DeleteTags` |
//! | delete | `DeleteSecurityGroup`, after the rules with `revoke_rules_on_delete`                          |
//! | find   | `DescribeSecurityGroups`, filtered by `group-name` and `vpc-id`                               |
//!
//! # Oddities
//!
//! - EC2 gives every new group a rule that lets everything out. As Terraform does, it is taken away, whether the spec
//!   manages `egress` or leaves it to rule resources. `revoke_default_egress` is how that step is planned, seen, and
//!   made up for after a crash; it is the one argument here that Terraform does not have.
//! - EC2 knows rules one by one and answers with them grouped by protocol and ports. How a spec groups them is known
//!   only from what is recorded: [`blocks`] puts them together that way again.
//! - Where the spec does not say `ingress` or `egress`, nothing is managed and nothing is reported: the rules are
//!   other resources' or other people's.
//! - Neither name nor description can change.

mod blocks;
mod converge;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType as Taggable, SecurityGroup as Group};
use reconcile_model::schema::{Check, Constraint, Literal, Recovery, Timeouts};
use reconcile_model::tags::Ownership;
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema, Value};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use self::blocks::{RULES, Rules};
use self::converge::Goal;
use super::rules::{self, Direction, Traffic, is_description};
use crate::call::Call;
use crate::many::{Ask, many};
use crate::{Aws, arn, filters, tags};

const CREATE: Call = Call::mutate("CreateSecurityGroup");
const DESCRIBE_VPCS: Call = Call::read("DescribeVpcs");
const DELETE: Call = Call::mutate("DeleteSecurityGroup").gone(&[
    "InvalidGroup.NotFound",
    "InvalidGroupId.NotFound",
    "InvalidSecurityGroupID.NotFound",
]);

/// The most characters that EC2 takes in a group's name.
const LONGEST_NAME: usize = 255;

/// The `aws_security_group` resource type.
#[derive(Debug)]
pub struct SecurityGroup;

/// What `aws_security_group` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_security_group",
    mode: Mode::Managed,
    version: 1,
    doc: "A set of rules on the traffic of network interfaces.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The id, `sg-…`."),
        Attribute::optional_computed("name", Kind::String)
            .replace()
            .check(Check::Rule(is_name))
            .doc("The name, unique in the VPC; one is made up when it is left out."),
        Attribute::optional("name_prefix", Kind::String)
            .replace()
            .check(Check::Rule(is_name_prefix))
            .doc("What a made-up name begins with."),
        Attribute::optional("description", Kind::String)
            .default(Literal::String("Managed by reconcile"))
            .replace()
            .check(Check::Rule(is_group_description))
            .doc("What the group is for. EC2 wants one and never changes it."),
        Attribute::optional_computed("vpc_id", Kind::String)
            .replace()
            .refers_to("aws_vpc", "id")
            .doc("The VPC; left out, the Region's default one."),
        Attribute::optional_computed("ingress", Kind::Blocks(&RULES)).doc(
            "Rules for what comes in. Given, there are no others; left out, they are left alone.",
        ),
        Attribute::optional_computed("egress", Kind::Blocks(&RULES)).doc(
            "Rules for what goes out. Given, there are no others; left out, they are left alone.",
        ),
        Attribute::optional("revoke_default_egress", Kind::Bool)
            .default(Literal::Bool(true))
            .doc("Whether the rule that lets everything out, which EC2 gives every new group, is taken away when `egress` is left out."),
        Attribute::optional("revoke_rules_on_delete", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether deleting begins with the rules of the group, and those of others that refer to it; for groups that refer to each other."),
        Attribute::computed("arn", Kind::String).doc("The Amazon Resource Name."),
        Attribute::computed("owner_id", Kind::String).doc("The account that owns it."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[
        Constraint::Conflicts(&["name", "name_prefix"]),
        Constraint::Rule(blocks::check),
    ],
    recovery: Recovery::NaturalKey(&["vpc_id", "name"]),
    timeouts: Timeouts::minutes(10, 10, 15),
    iam_read: &["ec2:DescribeSecurityGroups"],
    iam_write: &[
        "ec2:CreateSecurityGroup",
        "ec2:DeleteSecurityGroup",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeVpcs",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
        "ec2:CreateTags",
        "ec2:DeleteTags",
    ],
};

#[async_trait]
impl ResourceType<Aws> for SecurityGroup {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let name = name(operation, planned);
        let tags = tags::specification(operation, planned, Taggable::SecurityGroup);
        let output = cx
            .ec2(CREATE, |ec2| {
                ec2.create_security_group()
                    .group_name(&name)
                    .set_description(planned.string("description"))
                    .set_vpc_id(planned.string("vpc_id"))
                    .tag_specifications(tags.clone())
                    .send()
            })
            .await?;
        match output.group_id {
            Some(id) => Ok(Created::new(id)),
            None => Err(ProviderError::new(ErrorKind::Failed, CREATE.name, "no id was returned")),
        }
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        _: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        const ASK: Ask = Ask { filter: "group-id", page: 1000 };
        let ids = targets.iter().map(|target| target.id.0.clone()).collect();
        let describe = |filter| rules::groups(cx, vec![filter]);
        let groups = many(cx, ASK, ids, describe, |it: &Group| it.group_id()).await?;
        let region = cx.region_name().await?;
        let found: BTreeMap<&str, &Group> =
            groups.iter().filter_map(|group| Some((group.group_id()?, group))).collect();
        let observed = |target: &Target<'_>| {
            let group = found.get(target.id.as_str())?;
            let ownership = Ownership::of(&tags::from_ec2(group.tags()));
            let object = object(group, target, &region);
            Some((target.id.clone(), Observed { object, status: Status::Ready, ownership }))
        };
        Ok(targets.iter().filter_map(observed).collect())
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        let goals = goals(update);
        if !goals.is_empty() {
            converge::converge(cx, update.id.as_str(), &goals)
                .await
                .map_err(|error| error.about(update.id))?;
        }
        tags::update_ec2(cx, &SCHEMA, update).await?;
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        if recorded.bool("revoke_rules_on_delete") == Some(true) {
            let goals = [Direction::Ingress, Direction::Egress].map(|it| (it, Goal::Nothing));
            converge::converge(cx, id.as_str(), &goals).await?;
            converge::revoke_references(cx, id.as_str()).await?;
        }
        let deleted =
            cx.ec2(DELETE, |ec2| ec2.delete_security_group().group_id(id.as_str()).send()).await;
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
        let name = name(operation, planned);
        let Some(vpc) = vpc(cx, planned).await? else { return Ok(Found::Nothing) };
        let filters =
            vec![filters::exactly("group-name", [&name]), filters::exactly("vpc-id", [&vpc])];
        let groups = rules::groups(cx, filters).await?;
        let Some(group) = groups.first() else { return Ok(Found::Nothing) };
        let id = ObjectId::from(group.group_id().unwrap_or_default());
        let owner = Ownership::of(&tags::from_ec2(group.tags()));
        if owner.operation.as_deref() == Some(operation.id.as_str()) {
            return Ok(Found::Ours(id));
        }
        let description = format!("A security group named `{name}` exists already in {vpc}: {id}.");
        Ok(Found::Foreign { id, description })
    }
}

fn name(operation: &Operation, planned: &Object) -> String {
    let prefix = planned.str("name_prefix").unwrap_or("reconcile-");
    planned.string("name").unwrap_or_else(|| operation.name(prefix, LONGEST_NAME))
}

/// Returns the VPC that a group is planned in: a group without one is created in the default VPC.
async fn vpc(cx: &Aws, planned: &Object) -> Result<Option<String>, ProviderError> {
    if let Some(id) = planned.string("vpc_id") {
        return Ok(Some(id));
    }
    let filter = filters::exactly("is-default", ["true"]);
    let output =
        cx.ec2(DESCRIBE_VPCS, |ec2| ec2.describe_vpcs().filters(filter.clone()).send()).await?;
    Ok(output.vpcs().iter().find_map(|vpc| vpc.vpc_id()).map(str::to_owned))
}

/// Returns what an update has to make of the rules; nothing for a direction that is as planned or not managed.
fn goals(update: &Update<'_>) -> Vec<(Direction, Goal)> {
    let own = update.id.as_str();
    let mut goals = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        if update.changes(&SCHEMA, direction.attribute()) {
            let rules = blocks::expand(update.planned.blocks(direction.attribute()), own);
            goals.push((direction, Goal::Exactly(rules)));
        }
    }
    let leaves_default = update.planned.bool("revoke_default_egress") != Some(true)
        || !update.changes(&SCHEMA, "revoke_default_egress")
        || goals.iter().any(|(direction, _)| direction.is_egress());
    if !leaves_default {
        goals.push((Direction::Egress, Goal::WithoutDefault));
    }
    goals
}

fn object(group: &Group, target: &Target<'_>, region: &str) -> Object {
    let own = target.id.as_str();
    let made_up = || {
        let account = group.owner_id()?;
        Some(arn::ec2(region, account, &format!("security-group/{own}")))
    };
    let mut object = Object::new()
        .with("id", own)
        .with("name", group.group_name())
        .with("description", group.description())
        .with("vpc_id", group.vpc_id())
        .with("arn", group.security_group_arn().map(str::to_owned).or_else(made_up))
        .with("owner_id", group.owner_id());
    let ingress = blocks::live(group.ip_permissions(), group.owner_id());
    let egress = blocks::live(group.ip_permissions_egress(), group.owner_id());
    if let Some(kept) = revoked_default(target, &egress) {
        object.set("revoke_default_egress", kept);
    }
    for (direction, live) in [(Direction::Ingress, ingress), (Direction::Egress, egress)] {
        let name = direction.attribute();
        if is_managed(target, name) || target.recorded.value(name).as_list().is_none() {
            object.set(name, blocks::regroup(target.recorded.list(name), &live, own));
        }
    }
    tags::set(&mut object, &tags::from_ec2(group.tags()));
    object
}

fn is_managed(target: &Target<'_>, name: &str) -> bool {
    target.arguments.contains(name)
}

/// Tells whether a new group's default rule is gone, as far as that is still to be seen to: once the group's rules are
/// recorded, a rule like it is someone's wish.
fn revoked_default(target: &Target<'_>, egress: &Rules) -> Option<bool> {
    if is_managed(target, "egress") || target.recorded.value("egress").as_list().is_some() {
        return None;
    }
    if target.recorded.is_empty() {
        // An adopted group was not made just now: what it lets out is no default for us to take.
        return Some(true);
    }
    let wanted = target.recorded.bool("revoke_default_egress") == Some(true);
    wanted.then(|| !egress.keys().any(Traffic::is_default_egress))
}

fn is_name(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Ok(()) };
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.to_lowercase().starts_with("sg-") {
        return Err("must not begin with `sg-`, which EC2 keeps for ids".to_owned());
    }
    is_description(value)
}

fn is_name_prefix(value: &Value) -> Result<(), String> {
    let longest = LONGEST_NAME - 10;
    if value.as_str().is_some_and(|text| text.chars().count() > longest) {
        return Err(format!("must have at most {longest} characters, since 10 are added"));
    }
    is_name(value)
}

fn is_group_description(value: &Value) -> Result<(), String> {
    if value.as_str() == Some("") {
        return Err("must not be empty".to_owned());
    }
    is_description(value)
}

#[cfg(test)]
mod tests;
