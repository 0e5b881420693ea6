//! Making a group's rules what is planned: from what is there now to what should be, in one call of each kind.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{SecurityGroupRule, SecurityGroupRuleDescription};
use reconcile_provider::{ErrorKind, ProviderError};

use super::blocks::Rules;
use crate::call::Call;
use crate::ec2::rules::{self, Details, Direction, Traffic};
use crate::{Aws, filters};

const DESCRIBE_INGRESS_RULES: Call =
    Call::mutate("UpdateSecurityGroupRuleDescriptionsIngress").gone(RULE_GONE);
const DESCRIBE_EGRESS_RULES: Call =
    Call::mutate("UpdateSecurityGroupRuleDescriptionsEgress").gone(RULE_GONE);
const RULE_GONE: &[&str] = &["InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"];

/// How often the rules are compared anew when someone else changes them meanwhile, or a read was not yet current.
const ROUNDS: u32 = 5;
/// The wait before the second round; each further one takes as much longer.
const PAUSE: Duration = Duration::from_millis(500);

/// What one direction's rules should be.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// These and no other.
    Exactly(Rules),
    /// As they are, but for what EC2 lets out of every new group.
    WithoutDefault,
    /// None at all.
    Nothing,
}

/// Makes the rules of a group what the goals say. What is so already is not touched, so it can be done again.
pub(super) async fn converge(
    cx: &Aws,
    group: &str,
    goals: &[(Direction, Goal)],
) -> Result<(), ProviderError> {
    let mut round = 0;
    loop {
        round += 1;
        let live = rules::of_group(cx, group).await?;
        let mut outcome = Ok(());
        for (direction, goal) in goals {
            outcome = outcome.and(Change::between(*direction, &live, goal).make(cx, group).await);
        }
        match outcome {
            // The rules are no longer as they were read: look again.
            Err(error)
                if round < ROUNDS
                    && matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::NotFound) =>
            {
                tokio::time::sleep(PAUSE * round).await;
            }
            outcome => return outcome,
        }
    }
}

/// Removes the rules of other groups that let this group's members through: while there are any, it cannot be deleted.
pub(super) async fn revoke_references(cx: &Aws, group: &str) -> Result<(), ProviderError> {
    let mut others = BTreeSet::new();
    for filter in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let groups = rules::groups(cx, vec![filters::exactly(filter, [group])]).await?;
        others.extend(groups.into_iter().filter_map(|it| it.group_id));
    }
    others.remove(group);
    for other in others {
        let live = rules::describe(cx, filters::exactly("group-id", [&other])).await?;
        for direction in [Direction::Ingress, Direction::Egress] {
            let refers = |rule: &&SecurityGroupRule| {
                let referenced = rule.referenced_group_info().and_then(|group| group.group_id());
                is_of(rule, direction) && referenced == Some(group)
            };
            let ids: Vec<String> =
                live.iter().filter(refers).filter_map(id).map(str::to_owned).collect();
            if ids.is_empty() {
                continue;
            }
            match rules::revoke(cx, direction, &other, ids).await {
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

fn id(rule: &SecurityGroupRule) -> Option<&str> {
    rule.security_group_rule_id()
}

fn is_of(rule: &SecurityGroupRule, direction: Direction) -> bool {
    rule.is_egress().unwrap_or_default() == direction.is_egress()
}

/// The calls that lead from one direction's rules to its goal.
#[derive(Debug)]
struct Change {
    direction: Direction,
    missing: Rules,
    surplus: Vec<String>,
    described: Vec<(String, Option<String>)>,
}

impl Change {
    fn between(direction: Direction, live: &[SecurityGroupRule], goal: &Goal) -> Self {
        let missing = match goal {
            Goal::Exactly(rules) => rules.clone(),
            Goal::WithoutDefault | Goal::Nothing => Rules::new(),
        };
        let mut change = Self { direction, missing, surplus: vec![], described: vec![] };
        for rule in live.iter().filter(|rule| is_of(rule, direction)) {
            let (Some(id), Some(traffic)) = (id(rule), Traffic::of(rule)) else { continue };
            match goal {
                Goal::Exactly(_) => change.meet(id, rule, &traffic),
                Goal::WithoutDefault if !traffic.is_default_egress() => {}
                Goal::WithoutDefault | Goal::Nothing => change.surplus.push(id.to_owned()),
            }
        }
        change
    }

    /// Takes a live rule off what is missing, or notes that it is one too many.
    fn meet(&mut self, id: &str, rule: &SecurityGroupRule, traffic: &Traffic) {
        let Some(Details { description, .. }) = self.missing.remove(traffic) else {
            self.surplus.push(id.to_owned());
            return;
        };
        if description.as_deref() != rule.description().filter(|text| !text.is_empty()) {
            self.described.push((id.to_owned(), description));
        }
    }

    /// Adds before it removes, so that no traffic is cut that both the old and the new rules allow.
    async fn make(&self, cx: &Aws, group: &str) -> Result<(), ProviderError> {
        match self.authorize(cx, group).await {
            // There is room only once the old rules are gone.
            Err(error) if error.kind == ErrorKind::Quota && !self.surplus.is_empty() => {
                self.revoke(cx, group).await?;
                self.authorize(cx, group).await?;
            }
            Err(error) => return Err(error),
            Ok(()) => self.revoke(cx, group).await?,
        }
        self.describe(cx, group).await
    }

    async fn authorize(&self, cx: &Aws, group: &str) -> Result<(), ProviderError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let permissions = rules::permissions(&self.missing);
        rules::authorize(cx, self.direction, group, permissions, None).await?;
        Ok(())
    }

    async fn revoke(&self, cx: &Aws, group: &str) -> Result<(), ProviderError> {
        if self.surplus.is_empty() {
            return Ok(());
        }
        rules::revoke(cx, self.direction, group, self.surplus.clone()).await
    }

    async fn describe(&self, cx: &Aws, group: &str) -> Result<(), ProviderError> {
        if self.described.is_empty() {
            return Ok(());
        }
        let described = |(id, description): &(String, Option<String>)| {
            SecurityGroupRuleDescription::builder()
                .security_group_rule_id(id)
                .set_description(description.clone())
                .build()
        };
        let described: Option<Vec<_>> = Some(self.described.iter().map(described).collect());
        match self.direction {
            Direction::Ingress => {
                cx.ec2(DESCRIBE_INGRESS_RULES, |ec2| {
                    ec2.update_security_group_rule_descriptions_ingress()
                        .group_id(group)
                        .set_security_group_rule_descriptions(described.clone())
                        .send()
                })
                .await?;
            }
            Direction::Egress => {
                cx.ec2(DESCRIBE_EGRESS_RULES, |ec2| {
                    ec2.update_security_group_rule_descriptions_egress()
                        .group_id(group)
                        .set_security_group_rule_descriptions(described.clone())
                        .send()
                })
                .await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::rules::Peer;

    fn live(id: &str, port: i32, range: &str, description: &str) -> SecurityGroupRule {
        SecurityGroupRule::builder()
            .security_group_rule_id(id)
            .is_egress(false)
            .ip_protocol("tcp")
            .from_port(port)
            .to_port(port)
            .cidr_ipv4(range)
            .description(description)
            .build()
    }

    fn default_egress(id: &str) -> SecurityGroupRule {
        SecurityGroupRule::builder()
            .security_group_rule_id(id)
            .is_egress(true)
            .ip_protocol("-1")
            .from_port(-1)
            .to_port(-1)
            .cidr_ipv4("0.0.0.0/0")
            .build()
    }

    fn wanted(port: i32, description: Option<&str>) -> (Traffic, Details) {
        let traffic = Traffic::new("tcp", Some(port), Some(port), Peer::ipv4("0.0.0.0/0"));
        let description = description.map(str::to_owned);
        (traffic, Details { description, ..Details::default() })
    }

    #[test]
    fn only_the_difference_is_called_for() {
        let live = [
            live("sgr-1", 22, "0.0.0.0/0", ""),
            live("sgr-2", 80, "0.0.0.0/0", "old"),
            live("sgr-3", 8080, "0.0.0.0/0", ""),
            default_egress("sgr-4"),
        ];
        let goal: Rules =
            [wanted(22, None), wanted(80, Some("new")), wanted(443, None)].into_iter().collect();
        let change = Change::between(Direction::Ingress, &live, &Goal::Exactly(goal));
        assert_eq!(change.missing, [wanted(443, None)].into_iter().collect());
        assert_eq!(change.surplus, ["sgr-3"]);
        assert_eq!(change.described, [("sgr-2".to_owned(), Some("new".to_owned()))]);
    }

    #[test]
    fn a_new_groups_default_rule_goes_alone() {
        let mut other = default_egress("sgr-5");
        other.cidr_ipv4 = Some("10.0.0.0/8".to_owned());
        let live = [default_egress("sgr-4"), other];
        let change = Change::between(Direction::Egress, &live, &Goal::WithoutDefault);
        assert_eq!(change.surplus, ["sgr-4"]);
        let change = Change::between(Direction::Egress, &live, &Goal::Nothing);
        assert_eq!(change.surplus.len(), 2);
    }
}
