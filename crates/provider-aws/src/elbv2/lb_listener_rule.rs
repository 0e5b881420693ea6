//! `aws_lb_listener_rule`: what a listener does with requests that meet conditions.
//!
//! # Remote API
//!
//! | verb   | calls                                                            |
//! |--------|------------------------------------------------------------------|
//! | create | `DescribeRules` of the listener, `CreateRule`                    |
//! | read   | `DescribeRules`, `DescribeTags`                                  |
//! | update | `SetRulePriorities`, `ModifyRule`, `AddTags`, `RemoveTags`       |
//! | delete | `DeleteRule`                                                     |
//!
//! # Oddities
//!
//! - A priority can be taken once in a listener, and is what a lost create is found by. A rule whose spec gives none
//!   gets the lowest that is free, and a lost one is found by its tag.
//! - Priorities of several rules change in one call or not at all. A rule that is to have the priority of another of
//!   the same stack changes places with it, so that any permutation of a listener's rules succeeds, in any order.
//! - Describing several by ARN fails as a whole if one is gone; then those of each listener are listed.

mod condition;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::operation::create_rule::builders::CreateRuleInputBuilder;
use aws_sdk_elasticloadbalancingv2::types::{Rule, RulePriorityPair};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reconcile_model::schema::{Attribute, Check, Constraint, Kind, Recovery, Schema, Timeouts};
use reconcile_model::{Mode, Object, ObjectId, tags::Ownership};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use super::action;
use super::lookup::{self, ARNS, AT_ONCE, GONE, PAGE};
use crate::Aws;
use crate::call::{Call, Class};
use crate::tags;

static SCHEMA: Schema = Schema {
    type_name: "aws_lb_listener_rule",
    mode: Mode::Managed,
    version: 1,
    doc: "What a listener of an application load balancer does with requests that meet conditions.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The rule's ARN."),
        Attribute::computed("arn", Kind::String).doc("The rule's ARN."),
        Attribute::required("listener_arn", Kind::String)
            .replace()
            .refers_to("aws_lb_listener", "arn")
            .doc("The listener."),
        Attribute::optional_computed("priority", Kind::Int)
            .check(Check::Range(1, MOST))
            .doc("The place among the listener's rules, lowest first; the lowest that is free otherwise."),
        Attribute::required("condition", condition::CONDITIONS)
            .doc("What a request has to meet, all of it."),
        Attribute::required("action", action::ACTIONS).doc("What is done with such a request."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[Constraint::Rule(check)],
    recovery: Recovery::OperationTag,
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &["elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"],
    iam_write: &[
        "cognito-idp:DescribeUserPoolClient",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateRule",
        "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:ModifyRule",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetRulePriorities",
    ],
};

/// The largest priority.
const MOST: i64 = 50_000;

/// How often a priority is looked for when someone else takes each that is found: more than rules are made at once.
const TRIES: usize = 50;

const RULE_GONE: &[&str] = &["RuleNotFound"];

const CREATE: Call = Call::mutate("CreateRule").class(Class::ElbMutate);
const DESCRIBE: Call = Call::read("DescribeRules").class(Class::ElbRead).gone(GONE);
const MODIFY: Call = Call::mutate("ModifyRule").class(Class::ElbMutate).gone(RULE_GONE);
const SET_PRIORITIES: Call =
    Call::mutate("SetRulePriorities").class(Class::ElbMutate).gone(RULE_GONE);
const DELETE: Call = Call::mutate("DeleteRule").class(Class::ElbMutate).gone(GONE);

fn check(config: &Object) -> Vec<(&'static str, String)> {
    let mut wrong = condition::check(config);
    wrong.extend(action::check(config, "action"));
    wrong
}

/// The `aws_lb_listener_rule` resource type.
#[derive(Debug)]
pub struct LbListenerRule;

#[async_trait]
impl ResourceType<Aws> for LbListenerRule {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let listener = planned.str("listener_arn").unwrap_or_default();
        let given = planned.i32("priority");
        let mut tries = 1;
        loop {
            let priority = match given {
                Some(priority) => priority,
                None => lowest_free(&of_listener(cx, listener).await?),
            };
            let input = create_input(operation, priority, planned);
            let answer = cx
                .elbv2(CREATE, |elb| {
                    let (elb, input) = (elb.clone(), input.clone());
                    async move { input.send_with(&elb).await }
                })
                .await;
            match answer {
                Ok(output) => {
                    let arn = output.rules().first().and_then(Rule::rule_arn);
                    return arn.map(Created::new).ok_or_else(|| {
                        let message = "the answer names no rule";
                        ProviderError::new(ErrorKind::Failed, CREATE.name, message)
                    });
                }
                // Another rule took the priority since it was found to be free.
                Err(error)
                    if error.kind == ErrorKind::AlreadyExists
                        && given.is_none()
                        && tries < TRIES =>
                {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let arns: Vec<String> = targets.iter().map(|target| target.id.0.clone()).collect();
        let mut found: BTreeMap<String, Rule> = describe(cx, &arns)
            .await?
            .into_iter()
            .filter_map(|it| Some((it.rule_arn()?.to_owned(), it)))
            .collect();
        found.retain(|arn, _| arns.contains(arn));
        if depth == Depth::Status {
            let observed = |arn: String| (ObjectId(arn), Observed::ready(Object::new()));
            return Ok(found.into_keys().map(observed).collect());
        }
        let arns: Vec<String> = found.keys().cloned().collect();
        let mut tags = lookup::tags_of(cx, &arns).await?;
        let mut all = BTreeMap::new();
        for target in targets {
            let arn = target.id.as_str();
            // Without tags it was deleted between the calls.
            let (Some(rule), Some(tags)) = (found.get(arn), tags.remove(arn)) else { continue };
            let mut object = object(rule, target.recorded);
            tags::set(&mut object, &tags);
            let ownership = Ownership::of(&tags);
            let observed = Observed { object, status: Status::Ready, ownership };
            all.insert(target.id.clone(), observed);
        }
        Ok(all)
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        let mut notes = Notes::new();
        if update.changes(&SCHEMA, "priority")
            && let Some(priority) = update.planned.i32("priority")
        {
            notes.extend(set_priority(cx, update, priority).await?);
        }
        let (conditions, actions) = modifications(update);
        if conditions.is_some() || actions.is_some() {
            let arn = update.id.as_str();
            cx.elbv2(MODIFY, |elb| {
                elb.modify_rule()
                    .rule_arn(arn)
                    .set_conditions(conditions.clone())
                    .set_actions(actions.clone())
                    .send()
            })
            .await?;
        }
        tags::update_elbv2(cx, &SCHEMA, update).await?;
        Ok(notes)
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        _recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let arn = id.as_str();
        let deleted = cx.elbv2(DELETE, |elb| elb.delete_rule().rule_arn(arn).send()).await;
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
        let listener = planned.str("listener_arn").unwrap_or_default();
        let rules = of_listener(cx, listener).await?;
        if let Some(wanted) = planned.i32("priority") {
            let holder = rules.iter().find(|it| priority(it) == Some(wanted));
            return match holder.and_then(Rule::rule_arn) {
                Some(arn) => {
                    let description =
                        format!("a rule with priority {wanted} of the listener exists already");
                    lookup::owner(cx, operation, arn, description).await
                }
                None => Ok(Found::Nothing),
            };
        }
        let arns: Vec<String> = rules.iter().filter_map(|it| it.rule_arn.clone()).collect();
        let ours = lookup::tags_of(cx, &arns).await?.into_iter().find(|(_, tags)| {
            Ownership::of(tags).operation.as_deref() == Some(operation.id.as_str())
        });
        Ok(ours.map_or(Found::Nothing, |(arn, _)| Found::Ours(ObjectId(arn))))
    }

    /// With a priority of the spec's there can be only one; one that is chosen here may be another the next time.
    fn recovery(&self, planned: &Object) -> Recovery {
        match planned.i32("priority") {
            Some(_) => Recovery::NaturalKey(&["listener_arn", "priority"]),
            None => SCHEMA.recovery,
        }
    }
}

/// Returns those of the rules that exist, and possibly others.
async fn describe(cx: &Aws, arns: &[String]) -> Result<Vec<Rule>, ProviderError> {
    // Those of a few listeners are fewer calls than so many by their ARNs.
    let listeners: BTreeSet<String> = arns.iter().filter_map(|arn| listener_of(arn)).collect();
    if listeners.len() < arns.len().div_ceil(ARNS) {
        return of_listeners(cx, listeners).await;
    }
    let chunks: Vec<Vec<String>> = arns.chunks(ARNS).map(<[String]>::to_vec).collect();
    let answers: Vec<Vec<Rule>> = stream::iter(chunks)
        .map(|chunk| describe_chunk(cx, chunk))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

async fn describe_chunk(cx: &Aws, arns: Vec<String>) -> Result<Vec<Rule>, ProviderError> {
    let answer = cx
        .elbv2(DESCRIBE, |elb| elb.describe_rules().set_rule_arns(Some(arns.clone())).send())
        .await;
    match answer {
        Ok(output) => return Ok(output.rules.unwrap_or_default()),
        Err(error) if error.kind == ErrorKind::NotFound && arns.len() == 1 => {
            return Ok(Vec::new());
        }
        Err(error) if error.kind == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    of_listeners(cx, arns.iter().filter_map(|arn| listener_of(arn)).collect()).await
}

async fn of_listeners(cx: &Aws, listeners: BTreeSet<String>) -> Result<Vec<Rule>, ProviderError> {
    let answers: Vec<Vec<Rule>> = stream::iter(listeners)
        .map(|listener| async move { of_listener(cx, &listener).await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

/// Returns the rules of a listener, the default rule included; none when the listener is gone.
async fn of_listener(cx: &Aws, listener: &str) -> Result<Vec<Rule>, ProviderError> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let answer = cx
            .elbv2(DESCRIBE, |elb| {
                elb.describe_rules()
                    .listener_arn(listener)
                    .page_size(PAGE)
                    .set_marker(marker.clone())
                    .send()
            })
            .await;
        let output = match answer {
            Ok(output) => output,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        all.extend(output.rules.unwrap_or_default());
        marker = output.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Returns the ARN of a rule's listener, which is in its own: `…:listener-rule/app/web/50dc/f2f7/9683` is one of
/// `…:listener/app/web/50dc/f2f7`.
fn listener_of(arn: &str) -> Option<String> {
    let (prefix, path) = arn.split_once(":listener-rule/")?;
    let (listener, _) = path.rsplit_once('/')?;
    Some(format!("{prefix}:listener/{listener}"))
}

/// Returns a rule's priority; `None` for the default rule, whose priority is a word.
fn priority(rule: &Rule) -> Option<i32> {
    rule.priority().and_then(|priority| priority.parse().ok())
}

fn lowest_free(rules: &[Rule]) -> i32 {
    let taken: BTreeSet<i32> = rules.iter().filter_map(priority).collect();
    (1..).find(|priority| !taken.contains(priority)).unwrap_or(1)
}

/// Held while rules change places: what was read of a listener's rules has to hold until the priorities are set.
static CHANGING_PLACES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Gives the rule a priority; changes places with the rule of the same stack that has it.
async fn set_priority(
    cx: &Aws,
    update: &Update<'_>,
    wanted: i32,
) -> Result<Option<String>, ProviderError> {
    let _alone = CHANGING_PLACES.lock().await;
    let arn = update.id.as_str();
    let mut moved: Option<(String, i32)> = None;
    let mut tries = 1;
    loop {
        let mut pairs = vec![pair(arn, wanted)];
        pairs.extend(moved.iter().map(|(other, priority)| pair(other, *priority)));
        let answer = cx
            .elbv2(SET_PRIORITIES, |elb| {
                elb.set_rule_priorities().set_rule_priorities(Some(pairs.clone())).send()
            })
            .await;
        match answer {
            Ok(_) => {
                let note = |(other, priority)| {
                    format!("Rule {other} had priority {wanted} and has {priority} now.")
                };
                return Ok(moved.map(note));
            }
            Err(error) if error.kind == ErrorKind::AlreadyExists && tries < TRIES => {
                moved = Some(other_place(cx, update, wanted).await?.ok_or(error)?);
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn pair(arn: &str, priority: i32) -> RulePriorityPair {
    RulePriorityPair::builder().rule_arn(arn).priority(priority).build()
}

/// Returns the rule of the same stack that has the wanted priority, and the one it gets instead: this rule's.
async fn other_place(
    cx: &Aws,
    update: &Update<'_>,
    wanted: i32,
) -> Result<Option<(String, i32)>, ProviderError> {
    let arn = update.id.as_str();
    let rules = of_listener(cx, update.planned.str("listener_arn").unwrap_or_default()).await?;
    let ours = rules.iter().find(|it| it.rule_arn() == Some(arn)).and_then(priority);
    let holder = rules.iter().find(|it| priority(it) == Some(wanted)).and_then(Rule::rule_arn);
    let (Some(ours), Some(holder)) = (ours, holder) else { return Ok(None) };
    let tags = lookup::tags_of(cx, &[holder.to_owned()]).await?;
    let stack = tags.get(holder).map(Ownership::of).and_then(|ownership| ownership.stack);
    let same_stack = stack.as_deref() == Some(update.operation.stack.as_str());
    Ok(same_stack.then(|| (holder.to_owned(), ours)))
}

fn create_input(operation: &Operation, priority: i32, planned: &Object) -> CreateRuleInputBuilder {
    CreateRuleInputBuilder::default()
        .set_listener_arn(planned.string("listener_arn"))
        .priority(priority)
        .set_conditions(Some(condition::to_elbv2(planned)))
        .set_actions(Some(action::to_elbv2(planned, "action")))
        .set_tags(Some(tags::elbv2_create(operation, planned)))
}

type Modifications = (
    Option<Vec<aws_sdk_elasticloadbalancingv2::types::RuleCondition>>,
    Option<Vec<aws_sdk_elasticloadbalancingv2::types::Action>>,
);

/// Returns the conditions and the actions of the rule, those that are not yet what is planned.
fn modifications(update: &Update<'_>) -> Modifications {
    let Update { live, planned, .. } = *update;
    let conditions = update.changes(&SCHEMA, "condition").then(|| condition::to_elbv2(planned));
    let actions = action::to_elbv2(planned, "action");
    let actions = (actions != action::to_elbv2(live, "action")).then_some(actions);
    (conditions, actions)
}

fn object(rule: &Rule, recorded: &Object) -> Object {
    let arn = rule.rule_arn();
    Object::new()
        .with("id", arn)
        .with("arn", arn)
        .with("listener_arn", arn.and_then(listener_of))
        .with("priority", priority(rule))
        .with("condition", condition::from_elbv2(rule.conditions()))
        .with("action", action::from_elbv2(rule.actions(), recorded, "action"))
}

#[cfg(test)]
mod tests {
    use reconcile_model::{Address, Value};

    use super::*;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:ap-northeast-2:1:listener-rule/app/web/50dc/f2f7/9683";
    const LISTENER: &str =
        "arn:aws:elasticloadbalancing:ap-northeast-2:1:listener/app/web/50dc/f2f7";

    fn operation() -> Operation {
        Operation {
            id: "0192f3c45b6d7e8f".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_lb_listener_rule", "static"),
        }
    }

    fn planned(path: &str, group: &str) -> Object {
        let path = Object::new().with("values", vec![path]);
        let condition = Object::new().with("path_pattern", vec![path]);
        let action = Object::new()
            .with("type", "forward")
            .with("order", Value::Unknown)
            .with("target_group_arn", group);
        Object::new()
            .with("listener_arn", LISTENER)
            .with("priority", Value::Unknown)
            .with("condition", vec![condition])
            .with("action", vec![action])
    }

    fn rule(priority: &str) -> Rule {
        let input = create_input(&operation(), 1, &planned("/static/*", "tg-1")).build().unwrap();
        Rule::builder()
            .rule_arn(ARN)
            .priority(priority)
            .set_conditions(input.conditions)
            .set_actions(input.actions)
            .build()
    }

    #[test]
    fn the_lowest_free_priority_is_taken() {
        assert_eq!(lowest_free(&[rule("default")]), 1);
        assert_eq!(lowest_free(&[rule("1"), rule("2"), rule("4"), rule("default")]), 3);
    }

    #[test]
    fn a_rule_names_its_listener() {
        assert_eq!(listener_of(ARN).as_deref(), Some(LISTENER));
        assert_eq!(listener_of(LISTENER), None);
    }

    #[test]
    fn only_what_differs_is_modified() {
        let (operation, id) = (operation(), ObjectId::from(ARN));
        let live = object(&rule("1"), &planned("/static/*", "tg-1"));
        let modified = |planned: &Object| {
            let (conditions, actions) = modifications(&Update {
                operation: &operation,
                id: &id,
                live: &live,
                planned,
                restart: false,
            });
            (conditions.is_some(), actions.is_some())
        };
        assert_eq!(live.i64("priority"), Some(1));
        assert_eq!(live.str("listener_arn"), Some(LISTENER));
        assert_eq!(modified(&planned("/static/*", "tg-1")), (false, false));
        assert_eq!(modified(&planned("/img/*", "tg-1")), (true, false));
        assert_eq!(modified(&planned("/static/*", "tg-2")), (false, true));
    }
}
