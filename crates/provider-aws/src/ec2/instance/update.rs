//! Making an instance what is planned: one call for each option that differs, and a stop and a start around those that
//! EC2 changes of a stopped instance only.

mod network;
mod restart;

use std::time::Duration;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, HostnameType, InstanceAutoRecoveryState,
    InstanceCreditSpecificationRequest,
};
use reconcile_model::{Object, Value};
use reconcile_provider::{ErrorKind, Notes, ProviderError, Update};

use super::{MODIFY_INSTANCE_ATTRIBUTE, NOT_FOUND, SCHEMA, create, profile, read, volumes};
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
    /// Tells whether an attribute is to be changed. What was not read is as it was recorded, and so as planned.
    fn differs(&self, name: &str) -> bool {
        self.update.live.contains_key(name) && self.update.changes(&SCHEMA, name)
    }

    fn planned(&self) -> &Object {
        self.update.planned
    }

    /// Returns an option of a block as it is planned, when it is planned and not what is there.
    fn option(&self, block: &str, name: &str) -> Option<&Value> {
        let planned = self.update.planned.block(block)?.value(name);
        let live = self.update.live.block(block).map_or(&Value::Null, |it| it.value(name));
        let differs = planned.is_known() && !planned.is_null() && planned.bare() != live.bare();
        (differs && self.update.live.contains_key(block)).then_some(planned)
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
        let options = create::metadata_options(planned);
        self.cx
            .ec2(MODIFY_METADATA, |ec2| {
                ec2.modify_instance_metadata_options()
                    .instance_id(self.id)
                    .set_http_endpoint(options.http_endpoint.clone())
                    .set_http_protocol_ipv6(options.http_protocol_ipv6.clone())
                    .set_http_put_response_hop_limit(options.http_put_response_hop_limit)
                    .set_http_tokens(options.http_tokens.clone())
                    .set_instance_metadata_tags(options.instance_metadata_tags.clone())
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
