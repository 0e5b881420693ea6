//! What the changes of a run share: calls that can be made for several objects at once, and what was looked up before.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use aws_sdk_ec2::types::SecurityGroupRule;
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use reconcile_provider::ProviderError;
use reconcile_provider::together::Together;
use tokio::sync::OnceCell;

/// How many objects `TerminateInstances` is asked for at once. AWS takes up to 1000 and recommends smaller batches.
const INSTANCES: usize = 200;
/// How many objects `CreateTags` and `DeleteTags` take.
const TAGGED: usize = 1000;
/// How many ARNs `AddTags`, `RemoveTags`, and `DescribeTags` of ELBv2 take.
const ARNS: usize = 20;
/// How many targets are registered at once.
const TARGETS: usize = 100;
/// How many rules are revoked at once; a group has 60 unless its quota was raised.
const RULES: usize = 60;
/// How many values a filter takes.
const VALUES: usize = 200;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Where changes meet that one call can make.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Instances to terminate.
    pub(crate) terminated: Together<(), String, ()>,
    /// EC2 objects to tag, by the tags they get.
    pub(crate) tagged: Together<Tags, String, ()>,
    /// EC2 objects to take tags from, by the keys.
    pub(crate) untagged: Together<Vec<String>, String, ()>,
    /// ELBv2 objects to tag, by the tags they get.
    pub(crate) elb_tagged: Together<Tags, String, ()>,
    /// ELBv2 objects to take tags from, by the keys.
    pub(crate) elb_untagged: Together<Vec<String>, String, ()>,
    /// ELBv2 objects whose tags are asked for.
    pub(crate) elb_tags: Together<(), String, Option<Tags>>,
    /// Targets to register, by their group.
    pub(crate) registered: Together<String, TargetDescription, ()>,
    /// Targets to deregister, by their group.
    pub(crate) deregistered: Together<String, TargetDescription, ()>,
    /// Rules to revoke, by their group and whether they are egress rules.
    pub(crate) revoked: Together<(String, bool), String, ()>,
    /// Security groups whose rules are asked for.
    pub(crate) rules: Together<(), String, Vec<SecurityGroupRule>>,
    /// The root devices of images.
    pub(crate) root_devices: Lookups,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            terminated: Together::new(INSTANCES),
            tagged: Together::new(TAGGED),
            untagged: Together::new(TAGGED),
            elb_tagged: Together::new(ARNS),
            elb_untagged: Together::new(ARNS),
            elb_tags: Together::new(ARNS),
            registered: Together::new(TARGETS),
            deregistered: Together::new(TARGETS),
            revoked: Together::new(RULES),
            rules: Together::new(VALUES),
            root_devices: Lookups::default(),
        }
    }
}

/// Answers to questions whose answers never change, asked once each.
#[derive(Debug, Default)]
pub(crate) struct Lookups(Mutex<BTreeMap<String, Arc<OnceCell<String>>>>);

impl Lookups {
    /// Returns what is known for a key, or asks; who asks at the same time waits for the same answer.
    ///
    /// # Errors
    ///
    /// As `ask` fails. Then nothing is remembered.
    pub(crate) async fn get<Fut>(
        &self,
        key: &str,
        ask: impl FnOnce() -> Fut,
    ) -> Result<String, ProviderError>
    where
        Fut: Future<Output = Result<String, ProviderError>>,
    {
        let cell = {
            let mut all = self.0.lock().expect("no panic while the lock is held");
            Arc::clone(all.entry(key.to_owned()).or_default())
        };
        cell.get_or_try_init(ask).await.cloned()
    }
}
