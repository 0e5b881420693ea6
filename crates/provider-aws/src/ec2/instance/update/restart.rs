//! What changes of a stopped instance only, and the stop and the start around it.

use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{InstanceBandwidthWeighting, SecureBlobAttributeValue};
use reconcile_model::{Object, Value};
use reconcile_provider::{ErrorKind, ProviderError};

use super::{Change, STEP, flag, text};
use crate::call::{Call, Class};
use crate::ec2::instance::{MODIFY_INSTANCE_ATTRIBUTE, NOT_FOUND, create, read, user_data};
use crate::wait::{Look, until};

const MODIFY_CPU: Call = Call::mutate("ModifyInstanceCpuOptions").gone(NOT_FOUND);
const MODIFY_RESERVATION: Call =
    Call::mutate("ModifyInstanceCapacityReservationAttributes").gone(NOT_FOUND);
const MODIFY_BANDWIDTH: Call =
    Call::mutate("ModifyInstanceNetworkPerformanceOptions").gone(NOT_FOUND);
const STOP: Call = Call::mutate("StopInstances").class(Class::StopInstances).gone(NOT_FOUND);
const START: Call = Call::mutate("StartInstances").class(Class::StartInstances).gone(NOT_FOUND);

impl Change<'_> {
    /// Tells whether something differs that EC2 changes of a stopped instance only.
    pub(super) fn needs_stop(&self) -> bool {
        ["instance_type", "ebs_optimized"].into_iter().any(|name| self.differs(name))
            || self.user_data_differs()
            || self.capacity_reservation().is_some()
            || self.cpu_options().is_some()
            || self.option("private_dns_name_options", "hostname_type").is_some()
            || self.option("network_performance_options", "bandwidth_weighting").is_some()
    }

    fn user_data_differs(&self) -> bool {
        let known = |name| self.update.planned.value(name).is_known();
        (self.differs("user_data") || self.differs("user_data_base64"))
            && known("user_data")
            && known("user_data_base64")
            && user_data::bytes(self.update.planned) != user_data::bytes(self.update.live)
    }

    pub(super) async fn stop(&self) -> Result<(), ProviderError> {
        if self.state().await? == "stopped" {
            return Ok(());
        }
        let mut asked = false;
        until(STOP.name, STEP, || {
            let ask = !asked;
            asked = true;
            async move {
                if ask {
                    self.cx
                        .ec2(STOP, |ec2| ec2.stop_instances().instance_ids(self.id).send())
                        .await
                        .map_err(|error| error.about(self.update.id))?;
                }
                Ok(match self.state().await? {
                    state if state == "stopped" => Look::Done(()),
                    state => Look::NotYet(state),
                })
            }
        })
        .await
    }

    pub(super) async fn start(&self) -> Result<(), ProviderError> {
        self.cx
            .ec2(START, |ec2| ec2.start_instances().instance_ids(self.id).send())
            .await
            .map_err(|error| error.about(self.update.id))?;
        Ok(())
    }

    async fn state(&self) -> Result<String, ProviderError> {
        let found = read::by_id(self.cx, &[self.id]).await?;
        match found.first().map(|found| read::state(&found.instance)) {
            Some(state @ ("terminated" | "shutting-down")) => {
                let message = format!("it is {state}");
                Err(ProviderError::new(ErrorKind::Failed, STOP.name, message).about(self.update.id))
            }
            Some(state) => Ok(state.to_owned()),
            None => Ok("not yet visible".to_owned()),
        }
    }

    /// Makes the changes that need a stopped instance.
    pub(super) async fn while_stopped(&self) -> Result<(), ProviderError> {
        if let Some(name) =
            self.planned().str("instance_type").filter(|_| self.differs("instance_type"))
        {
            self.cx
                .ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
                    ec2.modify_instance_attribute()
                        .instance_id(self.id)
                        .instance_type(text(name))
                        .send()
                })
                .await?;
        }
        if let Some(value) =
            self.planned().bool("ebs_optimized").filter(|_| self.differs("ebs_optimized"))
        {
            self.cx
                .ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
                    ec2.modify_instance_attribute()
                        .instance_id(self.id)
                        .ebs_optimized(flag(value))
                        .send()
                })
                .await?;
        }
        if self.user_data_differs() {
            let data = Blob::new(user_data::bytes(self.planned()));
            let data = SecureBlobAttributeValue::builder().value(data).build();
            self.cx
                .ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
                    ec2.modify_instance_attribute()
                        .instance_id(self.id)
                        .user_data(data.clone())
                        .send()
                })
                .await?;
        }
        if let Some((cores, threads)) = self.cpu_options() {
            self.cx
                .ec2(MODIFY_CPU, |ec2| {
                    ec2.modify_instance_cpu_options()
                        .instance_id(self.id)
                        .core_count(cores)
                        .threads_per_core(threads)
                        .send()
                })
                .await?;
        }
        if let Some(block) = self.capacity_reservation() {
            self.cx
                .ec2(MODIFY_RESERVATION, |ec2| {
                    ec2.modify_instance_capacity_reservation_attributes()
                        .instance_id(self.id)
                        .capacity_reservation_specification(create::capacity_reservation(block))
                        .send()
                })
                .await?;
        }
        if let Some(value) = self
            .option("network_performance_options", "bandwidth_weighting")
            .and_then(Value::as_str)
        {
            self.cx
                .ec2(MODIFY_BANDWIDTH, |ec2| {
                    ec2.modify_instance_network_performance_options()
                        .instance_id(self.id)
                        .bandwidth_weighting(InstanceBandwidthWeighting::from(value))
                        .send()
                })
                .await?;
        }
        self.private_dns(true).await
    }

    /// Returns which Capacity Reservations may be used, when that differs.
    fn capacity_reservation(&self) -> Option<&Object> {
        let block = "capacity_reservation_specification";
        let planned = self.planned().block(block)?;
        let differs = self.option(block, "capacity_reservation_preference").is_some()
            || self.option(block, "capacity_reservation_target").is_some();
        differs.then_some(planned)
    }

    /// Returns cores and threads to set: where they are planned and differ, or where a new instance type would reset
    /// them. EC2 takes both or none.
    fn cpu_options(&self) -> Option<(i32, i32)> {
        let planned = |block_name: &str, name: &str| {
            let block = self.planned().block("cpu_options");
            block.and_then(|it| it.i32(block_name)).or_else(|| self.planned().i32(name))
        };
        let cores = planned("core_count", "cpu_core_count")?;
        let threads = planned("threads_per_core", "cpu_threads_per_core")?;
        let live =
            (self.update.live.i32("cpu_core_count"), self.update.live.i32("cpu_threads_per_core"));
        (self.differs("instance_type") || live != (Some(cores), Some(threads)))
            .then_some((cores, threads))
    }
}

#[cfg(test)]
mod tests {
    use reconcile_model::Address;
    use reconcile_provider::{Operation, Update};

    use super::*;
    use crate::Aws;

    fn live() -> Object {
        Object::new()
            .with("instance_type", "t3.micro")
            .with("user_data", "#!/bin/sh")
            .with("user_data_base64", Value::Null)
            .with("cpu_core_count", 1)
            .with("cpu_threads_per_core", 2)
            .with("metadata_options", vec![Object::new().with("http_tokens", "optional")])
            .with(
                "capacity_reservation_specification",
                vec![
                    Object::new()
                        .with("capacity_reservation_preference", "open")
                        .with("capacity_reservation_target", Vec::<Object>::new()),
                ],
            )
    }

    fn ask<T>(live: &Object, planned: &Object, question: impl FnOnce(&Change<'_>) -> T) -> T {
        let operation = Operation {
            id: "0192f3c4-5b6d-7e8f-9012-3456789abcde".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_instance", "web"),
        };
        let id = "i-1".into();
        let update = Update { operation: &operation, id: &id, live, planned, restart: false };
        let cx = Aws::new("web", &Object::new());
        question(&Change { cx: &cx, update: &update, id: "i-1" })
    }

    fn needs_stop(planned: &Object) -> bool {
        ask(&live(), planned, |change| change.needs_stop())
    }

    #[test]
    fn only_some_changes_need_a_stop() {
        assert!(!needs_stop(&live()));
        assert!(needs_stop(&live().with("instance_type", "t3.small")));
        assert!(needs_stop(&live().with("user_data", "#!/bin/bash")));
        assert!(needs_stop(&live().with("user_data", Value::Null)));
        let tokens = vec![Object::new().with("http_tokens", "required")];
        assert!(!needs_stop(&live().with("metadata_options", tokens)));
    }

    #[test]
    fn user_data_written_otherwise_are_the_same() {
        let in_base64 =
            live().with("user_data", Value::Null).with("user_data_base64", "IyEvYmluL3No");
        assert!(!needs_stop(&in_base64));
        // What was not read is as it was planned.
        let mut unread = live();
        unread.remove("user_data");
        unread.remove("user_data_base64");
        assert!(!ask(&unread, &live(), |change| change.needs_stop()));
    }

    #[test]
    fn a_new_type_says_its_cores_again() {
        let block = vec![Object::new().with("core_count", 1).with("threads_per_core", 2)];
        let planned = live().with("cpu_options", block);
        assert_eq!(ask(&live(), &planned, |change| change.cpu_options()), None);
        let larger = planned.with("instance_type", "t3.large");
        assert_eq!(ask(&live(), &larger, |change| change.cpu_options()), Some((1, 2)));
        let left = live()
            .with("instance_type", "t3.large")
            .with("cpu_core_count", Value::Unknown)
            .with("cpu_threads_per_core", Value::Unknown);
        assert_eq!(ask(&live(), &left, |change| change.cpu_options()), None);
    }

    #[test]
    fn a_reservation_is_taken_though_its_preference_is_unknown() {
        let target = vec![Object::new().with("capacity_reservation_id", "cr-1")];
        let block = Object::new()
            .with("capacity_reservation_preference", Value::Unknown)
            .with("capacity_reservation_target", target);
        let planned = live().with("capacity_reservation_specification", vec![block]);
        assert!(needs_stop(&planned));
    }
}
