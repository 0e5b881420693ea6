//! What changes of an instance's network: groups, addresses, and checks of its primary interface.

use reconcile_model::Object;
use reconcile_provider::ProviderError;

use super::{Change, flag};
use crate::call::{Call, Class};
use crate::ec2::rules;

const MODIFY_INTERFACE: Call =
    Call::mutate("ModifyNetworkInterfaceAttribute").class(Class::MutateLarge);
const ASSIGN_IPS: Call = Call::mutate("AssignPrivateIpAddresses").class(Class::MutateLarge);
const UNASSIGN_IPS: Call = Call::mutate("UnassignPrivateIpAddresses");
const ASSIGN_IPV6: Call = Call::mutate("AssignIpv6Addresses");
const UNASSIGN_IPV6: Call = Call::mutate("UnassignIpv6Addresses");

impl Change<'_> {
    /// Changes groups, addresses, and checks of the primary network interface. With several interfaces EC2 refuses to
    /// change them through the instance.
    pub(super) async fn network(&self) -> Result<(), ProviderError> {
        let Some(interface) = self.update.live.str("primary_network_interface_id") else {
            return Ok(());
        };
        if self.differs("vpc_security_group_ids") {
            let name = "vpc_security_group_ids";
            let (wanted, live) = (self.planned().strings(name), self.update.live.strings(name));
            let groups = rules::or_default(self.cx, wanted, live).await?;
            self.cx
                .ec2(MODIFY_INTERFACE, |ec2| {
                    ec2.modify_network_interface_attribute()
                        .network_interface_id(interface)
                        .set_groups(Some(groups.clone()))
                        .send()
                })
                .await?;
        }
        if self.differs("source_dest_check") {
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
}

/// Returns the items to add and those to remove.
fn difference(live: &Object, planned: &Object, name: &str) -> (Vec<String>, Vec<String>) {
    let (is, wanted) = (live.strings(name), planned.strings(name));
    let add = wanted.iter().filter(|item| !is.contains(item)).cloned().collect();
    let remove = is.into_iter().filter(|item| !wanted.contains(item)).collect();
    (add, remove)
}
