//! Tags, between ours and the two services'.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elbv2;
use reconcile_model::{Object, Schema, tags};
use reconcile_provider::together::Items;
use reconcile_provider::{Operation, ProviderError, Update};

use crate::Aws;
use crate::call::{Call, Class};

const CREATE_TAGS: Call = Call::mutate("CreateTags").class(Class::CreateTags);
const DELETE_TAGS: Call = Call::mutate("DeleteTags").class(Class::DeleteTags);
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
///
/// Objects that get, or lose, the same tags share a call.
pub(crate) async fn update_ec2(
    cx: &Aws,
    schema: &Schema,
    update: &Update<'_>,
) -> Result<(), ProviderError> {
    let Some(TagChange { set, remove }) = change(schema, update) else { return Ok(()) };
    change_ec2(cx, update.id.as_str(), set, remove).await
}

/// Tags an EC2 object, and takes tags with some keys from it. Objects that get, or lose, the same tags share a call.
pub(crate) async fn change_ec2(
    cx: &Aws,
    id: &str,
    set: BTreeMap<String, String>,
    remove: Vec<String>,
) -> Result<(), ProviderError> {
    if !remove.is_empty() {
        let keys = keys(&remove);
        let delete = |resources: Items<String, ()>| {
            let keys = keys.clone();
            async move {
                cx.ec2(DELETE_TAGS, |ec2| {
                    let ids = resources.get();
                    ec2.delete_tags().set_resources(Some(ids)).set_tags(Some(keys.clone())).send()
                })
                .await?;
                Ok(vec![(); resources.get().len()])
            }
        };
        cx.shared.untagged.change(remove, id.to_owned(), DELETE_TAGS.name, delete).await?;
    }
    if !set.is_empty() {
        let tags = to_ec2(set.clone());
        let create = |resources: Items<String, ()>| {
            let tags = tags.clone();
            async move {
                cx.ec2(CREATE_TAGS, |ec2| {
                    let ids = resources.get();
                    ec2.create_tags().set_resources(Some(ids)).set_tags(Some(tags.clone())).send()
                })
                .await?;
                Ok(vec![(); resources.get().len()])
            }
        };
        cx.shared.tagged.change(set, id.to_owned(), CREATE_TAGS.name, create).await?;
    }
    Ok(())
}

fn keys(keys: &[String]) -> Vec<ec2::Tag> {
    keys.iter().map(|key| ec2::Tag::builder().key(key).build()).collect()
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
        let keys = remove.clone();
        let delete = |arns: Items<String, ()>| {
            let keys = keys.clone();
            async move {
                cx.elbv2(REMOVE_TAGS, |elbv2| {
                    let arns = Some(arns.get());
                    elbv2
                        .remove_tags()
                        .set_resource_arns(arns)
                        .set_tag_keys(Some(keys.clone()))
                        .send()
                })
                .await?;
                Ok(vec![(); arns.get().len()])
            }
        };
        cx.shared.elb_untagged.change(remove, arn.to_owned(), REMOVE_TAGS.name, delete).await?;
    }
    if !set.is_empty() {
        let tags = to_elbv2(set.clone());
        let create = |arns: Items<String, ()>| {
            let tags = tags.clone();
            async move {
                cx.elbv2(ADD_TAGS, |elbv2| {
                    let arns = Some(arns.get());
                    elbv2.add_tags().set_resource_arns(arns).set_tags(Some(tags.clone())).send()
                })
                .await?;
                Ok(vec![(); arns.get().len()])
            }
        };
        cx.shared.elb_tagged.change(set, arn.to_owned(), ADD_TAGS.name, create).await?;
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
