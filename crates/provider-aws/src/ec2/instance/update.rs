//! Making an instance what is planned: one call for each option that differs, and a stop and a start around those that
//! EC2 changes of a stopped instance only.

use std::time::Duration;

use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, HostnameType, HttpTokensState,
    InstanceAutoRecoveryState, InstanceBandwidthWeighting, InstanceCreditSpecificationRequest,
    InstanceMetadataEndpointState, InstanceMetadataProtocolState, InstanceMetadataTagsState,
    SecureBlobAttributeValue,
};
use reconcile_model::{Object, Value};
use reconcile_provider::{ErrorKind, Notes, ProviderError, Update};

use super::{
    MODIFY_INSTANCE_ATTRIBUTE, NOT_FOUND, SCHEMA, create, profile, read, user_data, volumes,
};
use crate::Aws;
use crate::call::{Call, Class};
use crate::tags;
use crate::wait::{Look, until};

const MODIFY_METADATA: Call =
    Call::mutate("ModifyInstanceMetadataOptions").class(Class::MutateLarge).gone(NOT_FOUND);
const MONITOR: Call = Call::mutate("MonitorInstances").gone(NOT_FOUND);
const UNMONITOR: Call = Call::mutate("UnmonitorInstances").gone(NOT_FOUND);
const MODIFY_CREDITS: Call = Call::mutate("ModifyInstanceCreditSpecification").gone(NOT_FOUND);
const MODIFY_MAINTENANCE: Call = Call::mutate("ModifyInstanceMaintenanceOptions").gone(NOT_FOUND);
const MODIFY_PRIVATE_DNS: Call = Call::mutate("ModifyPrivateDnsNameOptions").gone(NOT_FOUND);
const MODIFY_CPU: Call = Call::mutate("ModifyInstanceCpuOptions").gone(NOT_FOUND);
const MODIFY_RESERVATION: Call =
    Call::mutate("ModifyInstanceCapacityReservationAttributes").gone(NOT_FOUND);
const MODIFY_BANDWIDTH: Call =
    Call::mutate("ModifyInstanceNetworkPerformanceOptions").gone(NOT_FOUND);
const MODIFY_INTERFACE: Call =
    Call::mutate("ModifyNetworkInterfaceAttribute").class(Class::MutateLarge);
const ASSIGN_IPS: Call = Call::mutate("AssignPrivateIpAddresses").class(Class::MutateLarge);
const UNASSIGN_IPS: Call = Call::mutate("UnassignPrivateIpAddresses");
const ASSIGN_IPV6: Call = Call::mutate("AssignIpv6Addresses");
const UNASSIGN_IPV6: Call = Call::mutate("UnassignIpv6Addresses");
const STOP: Call = Call::mutate("StopInstances").gone(NOT_FOUND);
const START: Call = Call::mutate("StartInstances").class(Class::RunInstances).gone(NOT_FOUND);

/// How long a stop may take, and metadata options may take to apply.
const STEP: Duration = Duration::from_secs(10 * 60);

/// Makes the instance what is planned.
pub(super) async fn update(cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
    let change = Change { cx, update, id: update.id.as_str() };
    tags::update_ec2(cx, &SCHEMA, update).await?;
    let notes = volumes::update(cx, update).await?;
    change.network().await?;
    if change.differs("iam_instance_profile") {
        profile::set(cx, change.id, update.planned.str("iam_instance_profile")).await?;
    }
    change.protection(false).await?;
    change.metadata_options().await?;
    change.monitoring().await?;
    change.maintenance().await?;
    if update.restart || change.needs_stop() {
        change.stop().await?;
        change.while_stopped().await?;
        change.credits().await?;
        change.start().await?;
    } else {
        change.credits().await?;
        change.private_dns(false).await?;
    }
    // What protects from a stop comes after the stop.
    change.protection(true).await?;
    Ok(notes)
}

/// One change of one instance.
struct Change<'a> {
    cx: &'a Aws,
    update: &'a Update<'a>,
    id: &'a str,
}

impl Change<'_> {
    fn differs(&self, name: &str) -> bool {
        self.update.changes(&SCHEMA, name)
    }

    fn planned(&self) -> &Object {
        self.update.planned
    }

    /// Returns an option of a block as it is planned, when it is planned and not what is there.
    fn option(&self, block: &str, name: &str) -> Option<&Value> {
        let planned = self.update.planned.block(block)?.value(name);
        let live = self.update.live.block(block).map_or(&Value::Null, |it| it.value(name));
        (planned.is_known() && !planned.is_null() && planned.bare() != live.bare())
            .then_some(planned)
    }

    /// Tells whether something differs that EC2 changes of a stopped instance only.
    fn needs_stop(&self) -> bool {
        let attributes = ["instance_type", "ebs_optimized", "capacity_reservation_specification"];
        attributes.into_iter().any(|name| self.differs(name))
            || self.user_data_differs()
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

    /// Changes groups, addresses, and checks of the primary network interface. With several interfaces EC2 refuses to
    /// change them through the instance.
    async fn network(&self) -> Result<(), ProviderError> {
        let Some(interface) = self.update.live.str("primary_network_interface_id") else {
            return Ok(());
        };
        if self.differs("vpc_security_group_ids") {
            let groups = self.planned().strings("vpc_security_group_ids");
            self.cx
                .ec2(MODIFY_INTERFACE, |ec2| {
                    ec2.modify_network_interface_attribute()
                        .network_interface_id(interface)
                        .set_groups(Some(groups.clone()))
                        .send()
                })
                .await?;
        }
        if self.differs("source_dest_check") && self.update.live.contains_key("source_dest_check") {
            let check = flag(self.planned().bool("source_dest_check").unwrap_or(true));
            self.cx
                .ec2(MODIFY_INTERFACE, |ec2| {
                    ec2.modify_network_interface_attribute()
                        .network_interface_id(interface)
                        .source_dest_check(check.clone())
                        .send()
                })
                .await?;
        }
        self.addresses(interface).await
    }

    async fn addresses(&self, interface: &str) -> Result<(), ProviderError> {
        let (live, planned) = (self.update.live, self.planned());
        if self.differs("secondary_private_ips") {
            let (add, remove) = difference(live, planned, "secondary_private_ips");
            if !remove.is_empty() {
                self.cx
                    .ec2(UNASSIGN_IPS, |ec2| {
                        ec2.unassign_private_ip_addresses()
                            .network_interface_id(interface)
                            .set_private_ip_addresses(Some(remove.clone()))
                            .send()
                    })
                    .await?;
            }
            if !add.is_empty() {
                self.cx
                    .ec2(ASSIGN_IPS, |ec2| {
                        ec2.assign_private_ip_addresses()
                            .network_interface_id(interface)
                            .set_private_ip_addresses(Some(add.clone()))
                            .send()
                    })
                    .await?;
            }
        }
        let (mut add, mut remove, mut count) = (Vec::new(), Vec::new(), None);
        if self.differs("ipv6_addresses") {
            (add, remove) = difference(live, planned, "ipv6_addresses");
        } else if self.differs("ipv6_address_count") {
            let now = live.strings("ipv6_addresses");
            let wanted = planned.i64("ipv6_address_count").and_then(|it| usize::try_from(it).ok());
            let wanted = wanted.unwrap_or_default();
            // The addresses that came last go first.
            remove = now.iter().skip(wanted).cloned().collect();
            count = i32::try_from(wanted.saturating_sub(now.len())).ok().filter(|it| *it > 0);
        }
        if !remove.is_empty() {
            self.cx
                .ec2(UNASSIGN_IPV6, |ec2| {
                    ec2.unassign_ipv6_addresses()
                        .network_interface_id(interface)
                        .set_ipv6_addresses(Some(remove.clone()))
                        .send()
                })
                .await?;
        }
        if !add.is_empty() || count.is_some() {
            self.cx
                .ec2(ASSIGN_IPV6, |ec2| {
                    ec2.assign_ipv6_addresses()
                        .network_interface_id(interface)
                        .set_ipv6_addresses((!add.is_empty()).then(|| add.clone()))
                        .set_ipv6_address_count(count)
                        .send()
                })
                .await?;
        }
        if self.differs("enable_primary_ipv6") && planned.bool("enable_primary_ipv6") == Some(true)
        {
            self.cx
                .ec2(MODIFY_INTERFACE, |ec2| {
                    ec2.modify_network_interface_attribute()
                        .network_interface_id(interface)
                        .enable_primary_ipv6(true)
                        .send()
                })
                .await?;
        }
        Ok(())
    }

    /// Switches protections on or off, whichever `on` says, and with `off` sets what a shutdown does.
    async fn protection(&self, on: bool) -> Result<(), ProviderError> {
        let wanted = |name| {
            self.differs(name).then(|| self.planned().bool(name)).flatten().filter(|it| *it == on)
        };
        if let Some(value) = wanted("disable_api_termination") {
            disable_api_termination(self.cx, self.id, value).await?;
        }
        if let Some(value) = wanted("disable_api_stop") {
            self.cx
                .ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
                    ec2.modify_instance_attribute()
                        .instance_id(self.id)
                        .disable_api_stop(flag(value))
                        .send()
                })
                .await?;
        }
        let behavior = "instance_initiated_shutdown_behavior";
        if let Some(value) = self.planned().str(behavior).filter(|_| !on && self.differs(behavior))
        {
            self.cx
                .ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
                    ec2.modify_instance_attribute()
                        .instance_id(self.id)
                        .instance_initiated_shutdown_behavior(text(value))
                        .send()
                })
                .await?;
        }
        Ok(())
    }

    /// Changes metadata options, all of them together, and waits until they apply.
    async fn metadata_options(&self) -> Result<(), ProviderError> {
        let Some(planned) = self.planned().block("metadata_options") else { return Ok(()) };
        let names = [
            "http_endpoint",
            "http_protocol_ipv6",
            "http_put_response_hop_limit",
            "http_tokens",
            "instance_metadata_tags",
        ];
        if !names.into_iter().any(|name| self.option("metadata_options", name).is_some()) {
            return Ok(());
        }
        self.cx
            .ec2(MODIFY_METADATA, |ec2| {
                ec2.modify_instance_metadata_options()
                    .instance_id(self.id)
                    .set_http_endpoint(
                        planned.str("http_endpoint").map(InstanceMetadataEndpointState::from),
                    )
                    .set_http_protocol_ipv6(
                        planned.str("http_protocol_ipv6").map(InstanceMetadataProtocolState::from),
                    )
                    .set_http_put_response_hop_limit(planned.i32("http_put_response_hop_limit"))
                    .set_http_tokens(planned.str("http_tokens").map(HttpTokensState::from))
                    .set_instance_metadata_tags(
                        planned.str("instance_metadata_tags").map(InstanceMetadataTagsState::from),
                    )
                    .send()
            })
            .await?;
        until(MODIFY_METADATA.name, STEP, || async {
            let found = read::by_id(self.cx, &[self.id]).await?;
            let state = found
                .first()
                .and_then(|found| found.instance.metadata_options())
                .and_then(|options| options.state())
                .map_or("", |state| state.as_str());
            Ok(match state {
                "pending" => Look::NotYet("metadata options pending".to_owned()),
                _ => Look::Done(()),
            })
        })
        .await
    }

    async fn monitoring(&self) -> Result<(), ProviderError> {
        match self.planned().bool("monitoring").filter(|_| self.differs("monitoring")) {
            Some(true) => {
                self.cx
                    .ec2(MONITOR, |ec2| ec2.monitor_instances().instance_ids(self.id).send())
                    .await?;
            }
            Some(false) => {
                self.cx
                    .ec2(UNMONITOR, |ec2| ec2.unmonitor_instances().instance_ids(self.id).send())
                    .await?;
            }
            None => {}
        }
        Ok(())
    }

    async fn maintenance(&self) -> Result<(), ProviderError> {
        if let Some(value) =
            self.option("maintenance_options", "auto_recovery").and_then(Value::as_str)
        {
            self.cx
                .ec2(MODIFY_MAINTENANCE, |ec2| {
                    ec2.modify_instance_maintenance_options()
                        .instance_id(self.id)
                        .auto_recovery(InstanceAutoRecoveryState::from(value))
                        .send()
                })
                .await?;
        }
        Ok(())
    }

    async fn credits(&self) -> Result<(), ProviderError> {
        let Some(credits) =
            self.option("credit_specification", "cpu_credits").and_then(Value::as_str)
        else {
            return Ok(());
        };
        let request = InstanceCreditSpecificationRequest::builder()
            .instance_id(self.id)
            .cpu_credits(credits)
            .build();
        let output = self
            .cx
            .ec2(MODIFY_CREDITS, |ec2| {
                ec2.modify_instance_credit_specification()
                    .client_token(self.update.operation.token("credits"))
                    .instance_credit_specifications(request.clone())
                    .send()
            })
            .await?;
        // A refusal comes with a success's status.
        match output.unsuccessful_instance_credit_specifications().first().and_then(|it| it.error())
        {
            None => Ok(()),
            Some(refused) => {
                let code = refused.code().map_or("", |code| code.as_str());
                let kind = match code {
                    "IncorrectInstanceState" => ErrorKind::NotReady,
                    _ => ErrorKind::Invalid,
                };
                let message = refused.message().unwrap_or("AWS gives no reason");
                let mut error =
                    ProviderError::new(kind, MODIFY_CREDITS.name, message).about(self.update.id);
                error.code = Some(code.to_owned());
                Err(error)
            }
        }
    }

    /// Changes what the private DNS name resolves to, and with `stopped` also how it is made.
    async fn private_dns(&self, stopped: bool) -> Result<(), ProviderError> {
        let block = "private_dns_name_options";
        let kind = self.option(block, "hostname_type").filter(|_| stopped).and_then(Value::as_str);
        let a = self.option(block, "enable_resource_name_dns_a_record").and_then(Value::as_bool);
        let aaaa =
            self.option(block, "enable_resource_name_dns_aaaa_record").and_then(Value::as_bool);
        if kind.is_none() && a.is_none() && aaaa.is_none() {
            return Ok(());
        }
        self.cx
            .ec2(MODIFY_PRIVATE_DNS, |ec2| {
                ec2.modify_private_dns_name_options()
                    .instance_id(self.id)
                    .set_private_dns_hostname_type(kind.map(HostnameType::from))
                    .set_enable_resource_name_dns_a_record(a)
                    .set_enable_resource_name_dns_aaaa_record(aaaa)
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn stop(&self) -> Result<(), ProviderError> {
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

    async fn start(&self) -> Result<(), ProviderError> {
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
    async fn while_stopped(&self) -> Result<(), ProviderError> {
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
        if let Some(block) = self
            .planned()
            .block("capacity_reservation_specification")
            .filter(|_| self.differs("capacity_reservation_specification"))
        {
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

/// Switches termination protection on or off.
pub(super) async fn disable_api_termination(
    cx: &Aws,
    id: &str,
    value: bool,
) -> Result<(), ProviderError> {
    cx.ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
        ec2.modify_instance_attribute().instance_id(id).disable_api_termination(flag(value)).send()
    })
    .await?;
    Ok(())
}

fn flag(value: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(value).build()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::builder().value(value).build()
}

/// Returns the items to add and those to remove.
fn difference(live: &Object, planned: &Object, name: &str) -> (Vec<String>, Vec<String>) {
    let (is, wanted) = (live.strings(name), planned.strings(name));
    let add = wanted.iter().filter(|item| !is.contains(item)).cloned().collect();
    let remove = is.into_iter().filter(|item| !wanted.contains(item)).collect();
    (add, remove)
}
