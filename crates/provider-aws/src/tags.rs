//! Tags, between ours and the two services'.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elbv2;
use reconcile_model::{Object, Schema, tags};
use reconcile_provider::{Operation, ProviderError, Update};

use crate::Aws;
use crate::call::{Call, Class};

const CREATE_TAGS: Call = Call::mutate("CreateTags").class(Class::Tags);
const DELETE_TAGS: Call = Call::mutate("DeleteTags").class(Class::Tags);
const ADD_TAGS: Call = Call::mutate("AddTags").class(Class::ElbMutate);
const REMOVE_TAGS: Call = Call::mutate("RemoveTags").class(Class::ElbMutate);

/// Returns the tags of an EC2 create call: the planned ones and those that mark the object as the operation's.
pub(crate) fn specification(
    operation: &Operation,
    planned: &Object,
    resource_type: ec2::ResourceType,
) -> ec2::TagSpecification {
    ec2::TagSpecification::builder()
        .resource_type(resource_type)
        .set_tags(Some(to_ec2(operation.tags(planned.string_map("tags_all")))))
        .build()
}

/// Returns the tags of an ELBv2 create call; see [`specification`].
pub(crate) fn elbv2_create(operation: &Operation, planned: &Object) -> Vec<elbv2::Tag> {
    to_elbv2(operation.tags(planned.string_map("tags_all")))
}

/// Returns the tags of an EC2 object as a map.
pub(crate) fn from_ec2(tags: &[ec2::Tag]) -> BTreeMap<String, String> {
    let pair =
        |tag: &ec2::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

/// Returns the tags of an ELBv2 object as a map.
pub(crate) fn from_elbv2(tags: &[elbv2::Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &elbv2::Tag| {
        (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned())
    };
    tags.iter().map(pair).collect()
}

/// Sets `tags` and `tags_all` of an object that was read. The planner takes the provider's default tags out of `tags`.
pub(crate) fn set(object: &mut Object, all: &BTreeMap<String, String>) {
    let users = tags::users(all);
    object.set("tags", users.clone());
    object.set("tags_all", users);
}

/// Makes an EC2 object's tags what is planned, if they differ. Tags of ours and of AWS are left alone.
pub(crate) async fn update_ec2(
    cx: &Aws,
    schema: &Schema,
    update: &Update<'_>,
) -> Result<(), ProviderError> {
    let Some(TagChange { set, remove }) = change(schema, update) else { return Ok(()) };
    let id = update.id.as_str();
    if !remove.is_empty() {
        let keys: Vec<ec2::Tag> =
            remove.iter().map(|key| ec2::Tag::builder().key(key).build()).collect();
        cx.ec2(DELETE_TAGS, |ec2| {
            ec2.delete_tags().resources(id).set_tags(Some(keys.clone())).send()
        })
        .await?;
    }
    if !set.is_empty() {
        let tags = to_ec2(set);
        cx.ec2(CREATE_TAGS, |ec2| {
            ec2.create_tags().resources(id).set_tags(Some(tags.clone())).send()
        })
        .await?;
    }
    Ok(())
}

/// Makes an ELBv2 object's tags what is planned, if they differ; see [`update_ec2`].
pub(crate) async fn update_elbv2(
    cx: &Aws,
    schema: &Schema,
    update: &Update<'_>,
) -> Result<(), ProviderError> {
    let Some(TagChange { set, remove }) = change(schema, update) else { return Ok(()) };
    let arn = update.id.as_str();
    if !remove.is_empty() {
        cx.elbv2(REMOVE_TAGS, |elbv2| {
            elbv2.remove_tags().resource_arns(arn).set_tag_keys(Some(remove.clone())).send()
        })
        .await?;
    }
    if !set.is_empty() {
        let tags = to_elbv2(set);
        cx.elbv2(ADD_TAGS, |elbv2| {
            elbv2.add_tags().resource_arns(arn).set_tags(Some(tags.clone())).send()
        })
        .await?;
    }
    Ok(())
}

struct TagChange {
    set: BTreeMap<String, String>,
    remove: Vec<String>,
}

fn change(schema: &Schema, update: &Update<'_>) -> Option<TagChange> {
    if !update.changes(schema, "tags_all") {
        return None;
    }
    let live = update.live.string_map("tags_all");
    let mut set = update.planned.string_map("tags_all");
    let remove = live.keys().filter(|key| !set.contains_key(*key)).cloned().collect();
    set.retain(|key, value| live.get(key) != Some(value));
    Some(TagChange { set, remove })
}

fn to_ec2(tags: BTreeMap<String, String>) -> Vec<ec2::Tag> {
    tags.into_iter().map(|(key, value)| ec2::Tag::builder().key(key).value(value).build()).collect()
}

fn to_elbv2(tags: BTreeMap<String, String>) -> Vec<elbv2::Tag> {
    tags.into_iter()
        .map(|(key, value)| elbv2::Tag::builder().key(key).value(value).build())
        .collect()
}
