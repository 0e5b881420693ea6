//! What every ELBv2 type needs: names, tags by ARN, and whose an object is that stands where one is to be created.

use std::collections::BTreeMap;
use std::future::Future;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reconcile_model::{Object, ObjectId, Value, tags::Ownership};
use reconcile_provider::together::Items;
use reconcile_provider::{ErrorKind, Found, Operation, ProviderError};

use crate::Aws;
use crate::call::{Call, Class};
use crate::shared::Tags;
use crate::tags;

/// How many ARNs or names one `Describe*` call takes.
pub(crate) const ARNS: usize = 20;
/// How many objects one page holds at most.
pub(crate) const PAGE: i32 = 400;
/// How many calls for single objects run at once.
pub(crate) const AT_ONCE: usize = 8;

/// The codes that say that an object which is described or tagged does not exist.
pub(crate) const GONE: &[&str] =
    &["ListenerNotFound", "LoadBalancerNotFound", "RuleNotFound", "TargetGroupNotFound"];

const DESCRIBE_TAGS: Call = Call::read("DescribeTags").class(Class::ElbRead).gone(GONE);

/// Tags by ARN.
pub(crate) type TagsByArn = BTreeMap<String, Tags>;

/// Reads the tags of objects; an object that is gone is absent.
pub(crate) async fn tags_of(cx: &Aws, arns: &[String]) -> Result<TagsByArn, ProviderError> {
    let chunks: Vec<Vec<String>> = arns.chunks(ARNS).map(<[String]>::to_vec).collect();
    let answers: Vec<TagsByArn> = stream::iter(chunks)
        .map(|chunk| tags_of_chunk(cx, chunk))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

async fn tags_of_chunk(cx: &Aws, arns: Vec<String>) -> Result<TagsByArn, ProviderError> {
    let mut found = TagsByArn::new();
    let mut chunks = vec![arns];
    while let Some(chunk) = chunks.pop() {
        let call = |arns: Vec<String>| {
            cx.elbv2(DESCRIBE_TAGS, move |elb| {
                elb.describe_tags().set_resource_arns(Some(arns.clone())).send()
            })
        };
        match call(chunk.clone()).await {
            Ok(output) => {
                for description in output.tag_descriptions() {
                    let arn = description.resource_arn().unwrap_or_default().to_owned();
                    found.insert(arn, tags::from_elbv2(description.tags()));
                }
            }
            // One that is gone fails the whole call: ask for the others one by one.
            Err(error) if error.kind == ErrorKind::NotFound => {
                if chunk.len() > 1 {
                    chunks.extend(chunk.into_iter().map(|arn| vec![arn]));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Makes a call for each of several objects, a few at once; an object that is gone is absent.
pub(crate) async fn each<T, F, Fut>(
    arns: Vec<String>,
    call: F,
) -> Result<BTreeMap<String, T>, ProviderError>
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<T, ProviderError>>,
{
    let answer = |arn: String| {
        let call = call(arn.clone());
        async move {
            match call.await {
                Ok(answer) => Ok(Some((arn, answer))),
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }
    };
    stream::iter(arns)
        .map(answer)
        .buffer_unordered(AT_ONCE)
        .try_filter_map(|answer| async move { Ok(answer) })
        .try_collect()
        .await
}

/// Tells whose an object is that has the natural key of the one to be created: this operation's, if its tag says so.
///
/// ELBv2 answers a create call for an object that exists with the same settings as if it had just created it. So who
/// creates asks this before, lest it take over what belongs to someone else, and after, for those who were faster.
pub(crate) async fn owner(
    cx: &Aws,
    operation: &Operation,
    arn: &str,
    description: String,
) -> Result<Found, ProviderError> {
    let read = |arns: Items<String, Option<Tags>>| async move {
        let arns = arns.get();
        let mut found = tags_of(cx, &arns).await?;
        Ok(arns.iter().map(|arn| found.remove(arn)).collect())
    };
    let tags = cx.shared.elb_tags.change((), arn.to_owned(), DESCRIBE_TAGS.name, read).await?;
    let Some(tags) = tags else { return Ok(Found::Nothing) };
    let id = ObjectId::from(arn);
    Ok(if Ownership::of(&tags).operation.as_deref() == Some(operation.id.as_str()) {
        Found::Ours(id)
    } else {
        Found::Foreign { id, description }
    })
}

/// Returns the error for a create call that would take over, or did not create, what is there.
pub(crate) fn exists(call: Call, id: &ObjectId, description: &str) -> ProviderError {
    ProviderError::new(ErrorKind::AlreadyExists, call.name, description).about(id)
}

/// Returns the name to create an object under: the planned one, or one made for the operation.
pub(crate) fn name(operation: &Operation, planned: &Object, fallback: &str) -> String {
    planned.string("name").unwrap_or_else(|| {
        operation.name(planned.str("name_prefix").unwrap_or(fallback), NAME_LIMIT)
    })
}

const NAME_LIMIT: usize = 32;

/// Checks the name of a load balancer (ELBv2 API, `CreateLoadBalancer`).
pub(crate) fn check_load_balancer_name(value: &Value) -> Result<(), String> {
    if value.as_str().is_some_and(|name| name.starts_with("internal-")) {
        return Err("must not begin with `internal-`".to_owned());
    }
    check_name(value)
}

/// Checks the name of a target group (ELBv2 API, `CreateTargetGroup`).
pub(crate) fn check_name(value: &Value) -> Result<(), String> {
    let name = value.as_str().unwrap_or_default();
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(format!("must have between 1 and {NAME_LIMIT} characters"));
    }
    check_characters(name)?;
    if name.ends_with('-') {
        return Err("must not end with a hyphen".to_owned());
    }
    Ok(())
}

/// Checks the prefix of a name; ten characters follow it.
pub(crate) fn check_name_prefix(value: &Value) -> Result<(), String> {
    let prefix = value.as_str().unwrap_or_default();
    if prefix.len() > NAME_LIMIT - 10 {
        return Err(format!("must have at most {} characters", NAME_LIMIT - 10));
    }
    check_characters(prefix)
}

fn check_characters(name: &str) -> Result<(), String> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err("must consist of letters, digits, and hyphens".to_owned());
    }
    if name.starts_with('-') {
        return Err("must not begin with a hyphen".to_owned());
    }
    Ok(())
}

/// Returns the part of an ARN that CloudWatch metrics know an object by: `app/web/50dc6c495c0c9188`.
pub(crate) fn arn_suffix(arn: &str) -> Option<String> {
    let resource = arn.splitn(6, ':').nth(5)?;
    match resource.split_once('/') {
        // A target group's keeps its first word: `targetgroup/web/73e2d6bc24d8a067`.
        Some(("targetgroup", _)) => Some(resource.to_owned()),
        Some((_, suffix)) => Some(suffix.to_owned()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_elbv2_does() {
        for good in ["web", "lab-web-alb", "a"] {
            assert_eq!(check_load_balancer_name(&good.into()), Ok(()), "{good}");
        }
        for bad in ["", "-web", "web-", "internal-web", "web_1", &"x".repeat(33)] {
            assert!(check_load_balancer_name(&bad.into()).is_err(), "{bad}");
        }
        assert_eq!(check_name_prefix(&"web-".into()), Ok(()));
    }

    #[test]
    fn suffixes_are_what_metrics_are_named_by() {
        let arn = |resource| format!("arn:aws:elasticloadbalancing:eu-west-1:1:{resource}");
        let suffix = arn_suffix(&arn("loadbalancer/app/web/50dc"));
        assert_eq!(suffix.as_deref(), Some("app/web/50dc"));
        let suffix = arn_suffix(&arn("targetgroup/web/73e2"));
        assert_eq!(suffix.as_deref(), Some("targetgroup/web/73e2"));
        assert_eq!(arn_suffix("nonsense"), None);
    }
}
