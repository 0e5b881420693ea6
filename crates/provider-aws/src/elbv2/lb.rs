//! `aws_lb`: an Application, Network, or Gateway Load Balancer.
//!
//! # Remote API
//!
//! | verb   | calls                                                                                        |
//! |--------|----------------------------------------------------------------------------------------------|
//! | create | `DescribeLoadBalancers` by name, `CreateLoadBalancer`, `DescribeTags`                        |
//! | read   | `DescribeLoadBalancers`, `DescribeTags`; `DescribeLoadBalancerAttributes` and `DescribeCapacityReservation` where they matter |
//! | update | `SetSubnets`, `SetIpAddressType`, `SetSecurityGroups`, `ModifyLoadBalancerAttributes`, `ModifyIpPools`, `ModifyCapacityReservation`, `AddTags`, `RemoveTags` |
//! | delete | `DeleteLoadBalancer`                                                                         |
//!
//! # Oddities
//!
//! - Creating one whose name is taken succeeds if the settings are the same, and answers with the other one. So the
//!   name is looked up before, and the ownership tag checked after.
//! - Describing several by ARN fails as a whole if one is gone. All load balancers of a Region fit on a page or two, so
//!   then, and for more than 20, all are listed.
//! - Deleting one that is gone succeeds. Its network interfaces linger for minutes after it is gone, and keep subnets
//!   and security groups in use meanwhile.

mod convert;
mod schema;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{
    EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum, IpAddressType, LoadBalancer,
    LoadBalancerAttribute, MinimumLoadBalancerCapacity, RemoveIpamPoolEnum,
};
use reconcile_model::{Object, ObjectId, Schema, tags::Ownership};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Target, Update,
};

use super::lookup::{self, ARNS, GONE, PAGE};
use super::settings;
use crate::Aws;
use crate::call::{Call, Class};
use crate::ec2::rules;
use crate::tags;
pub(super) use convert::object;
use convert::{create_input, ipam_pools, mappings, status};
use schema::SCHEMA;
pub(super) use schema::SETTINGS;

const CREATE: Call = Call::mutate("CreateLoadBalancer").class(Class::ElbCreate);
const DESCRIBE: Call = Call::read("DescribeLoadBalancers").class(Class::ElbRead).gone(GONE);
const DESCRIBE_ATTRIBUTES: Call =
    Call::read("DescribeLoadBalancerAttributes").class(Class::ElbRead).gone(GONE);
const DESCRIBE_CAPACITY: Call =
    Call::read("DescribeCapacityReservation").class(Class::ElbRead).gone(GONE);
const SET_SUBNETS: Call = Call::mutate("SetSubnets").class(Class::ElbSubnets).gone(GONE);
const SET_IP_ADDRESS_TYPE: Call =
    Call::mutate("SetIpAddressType").class(Class::ElbMutate).gone(GONE);
const SET_SECURITY_GROUPS: Call =
    Call::mutate("SetSecurityGroups").class(Class::ElbMutate).gone(GONE);
const MODIFY_ATTRIBUTES: Call =
    Call::mutate("ModifyLoadBalancerAttributes").class(Class::ElbMutate).gone(GONE);
const MODIFY_CAPACITY: Call =
    Call::mutate("ModifyCapacityReservation").class(Class::ElbMutate).gone(GONE);
const MODIFY_IP_POOLS: Call = Call::mutate("ModifyIpPools").class(Class::ElbMutate).gone(GONE);
const DELETE: Call = Call::mutate("DeleteLoadBalancer").class(Class::ElbMutate).gone(GONE);

/// The argument that has calls of its own.
const CAPACITY: &str = "minimum_load_balancer_capacity";

/// The `aws_lb` resource type.
#[derive(Debug)]
pub struct Lb;

#[async_trait]
impl ResourceType<Aws> for Lb {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        match self.find(cx, operation, planned).await? {
            Found::Ours(id) => return Ok(Created::new(id)),
            Found::Foreign { id, description } => {
                return Err(lookup::exists(CREATE, &id, &description));
            }
            Found::Nothing => {}
        }
        let name = lookup::name(operation, planned, "lb-");
        let input = create_input(operation, &name, planned);
        let output = cx
            .elbv2(CREATE, |elb| {
                let (elb, input) = (elb.clone(), input.clone());
                async move { input.send_with(&elb).await }
            })
            .await?;
        let arn = output.load_balancers().first().and_then(LoadBalancer::load_balancer_arn);
        let arn = arn.ok_or_else(|| {
            ProviderError::new(ErrorKind::Failed, CREATE.name, "the answer names no load balancer")
        })?;
        // Someone may have been faster since the name was looked up.
        match lookup::owner(cx, operation, arn, description(&name)).await? {
            Found::Foreign { id, description } => Err(lookup::exists(CREATE, &id, &description)),
            Found::Ours(_) | Found::Nothing => Ok(Created::new(arn)),
        }
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let arns: Vec<String> = targets.iter().map(|target| target.id.0.clone()).collect();
        let mut found: BTreeMap<String, LoadBalancer> = describe(cx, &arns)
            .await?
            .into_iter()
            .filter_map(|it| Some((it.load_balancer_arn()?.to_owned(), it)))
            .collect();
        found.retain(|arn, _| arns.contains(arn));
        if depth == Depth::Status {
            let observed = |(arn, it): (String, LoadBalancer)| {
                let observed = Observed { status: status(&it), ..Observed::ready(Object::new()) };
                (ObjectId(arn), observed)
            };
            return Ok(found.into_iter().map(observed).collect());
        }
        let present = targets.iter().filter(|target| found.contains_key(target.id.as_str()));
        let arns_of = |wanted: &dyn Fn(&Target<'_>) -> bool| -> Vec<String> {
            present.clone().filter(|target| wanted(target)).map(|it| it.id.0.clone()).collect()
        };
        let with_settings = arns_of(&|target| settings::matter(SETTINGS, target));
        let with_capacity = arns_of(&|target| settings::matters(target, CAPACITY));
        let arns = arns_of(&|_| true);
        let (mut tags, told, capacity) = futures::try_join!(
            lookup::tags_of(cx, &arns),
            lookup::each(with_settings, |arn| settings_of(cx, arn)),
            lookup::each(with_capacity, |arn| capacity_of(cx, arn)),
        )?;
        let mut all = BTreeMap::new();
        for target in present {
            let arn = target.id.as_str();
            // Without tags it was deleted between the calls.
            let (Some(balancer), Some(tags)) = (found.get(arn), tags.remove(arn)) else { continue };
            let mut object = object(balancer);
            if let Some(told) = told.get(arn) {
                settings::set(SETTINGS, told, target, &mut object);
            }
            if let Some(units) = capacity.get(arn) {
                object.set(CAPACITY, capacity_blocks(*units));
            }
            tags::set(&mut object, &tags);
            let ownership = Ownership::of(&tags);
            let observed = Observed { object, status: status(balancer), ownership };
            all.insert(target.id.clone(), observed);
        }
        Ok(all)
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        let changes = |name: &str| update.changes(&SCHEMA, name);
        let planned = update.planned;
        if changes("subnets") || mappings_change(update) {
            set_subnets(cx, update).await?;
        }
        let arn = update.id.as_str();
        if changes("ip_address_type")
            && let Some(kind) = planned.str("ip_address_type")
        {
            cx.elbv2(SET_IP_ADDRESS_TYPE, |elb| {
                let kind = IpAddressType::from(kind);
                elb.set_ip_address_type().load_balancer_arn(arn).ip_address_type(kind).send()
            })
            .await?;
        }
        let private_link = "enforce_security_group_inbound_rules_on_private_link_traffic";
        if changes("security_groups") || changes(private_link) {
            let (wanted, live) =
                (planned.strings("security_groups"), update.live.strings("security_groups"));
            let groups = rules::or_default(cx, wanted, live).await?;
            let enforce = planned.str(private_link);
            cx.elbv2(SET_SECURITY_GROUPS, |elb| {
                elb.set_security_groups()
                    .load_balancer_arn(arn)
                    .set_security_groups(Some(groups.clone()))
                    .set_enforce_security_group_inbound_rules_on_private_link_traffic(
                        enforce.map(EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum::from),
                    )
                    .send()
            })
            .await?;
        }
        let pairs = settings::changes(SETTINGS, update.live, planned);
        if !pairs.is_empty() {
            let pair =
                |(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build();
            let attributes: Vec<LoadBalancerAttribute> = pairs.into_iter().map(pair).collect();
            cx.elbv2(MODIFY_ATTRIBUTES, |elb| {
                elb.modify_load_balancer_attributes()
                    .load_balancer_arn(arn)
                    .set_attributes(Some(attributes.clone()))
                    .send()
            })
            .await?;
        }
        if changes("ipam_pools") {
            modify_ip_pools(cx, update).await?;
        }
        if changes(CAPACITY) {
            modify_capacity(cx, update).await?;
        }
        tags::update_elbv2(cx, &SCHEMA, update).await?;
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        _recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let arn = id.as_str();
        let deleted =
            cx.elbv2(DELETE, |elb| elb.delete_load_balancer().load_balancer_arn(arn).send()).await;
        match deleted {
            Ok(_) => Ok(Notes::new()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Notes::new()),
            Err(error) if error.has_code("OperationNotPermitted") => Err(error.about(id).hint(
                "If the load balancer is protected against deletion, set `enable_deletion_protection: false` and apply that first.",
            )),
            Err(error) => Err(error.about(id)),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let name = lookup::name(operation, planned, "lb-");
        match by_name(cx, &name).await? {
            Some(balancer) => {
                let arn = balancer.load_balancer_arn().unwrap_or_default();
                lookup::owner(cx, operation, arn, description(&name)).await
            }
            None => Ok(Found::Nothing),
        }
    }
}

fn description(name: &str) -> String {
    format!("a load balancer named `{name}` exists already")
}

/// Returns the load balancer of this name.
pub(super) async fn by_name(cx: &Aws, name: &str) -> Result<Option<LoadBalancer>, ProviderError> {
    let answer = cx.elbv2(DESCRIBE, |elb| elb.describe_load_balancers().names(name).send()).await;
    match answer {
        Ok(output) => Ok(output.load_balancers().first().cloned()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns those of the load balancers that exist, and possibly others.
pub(super) async fn describe(
    cx: &Aws,
    arns: &[String],
) -> Result<Vec<LoadBalancer>, ProviderError> {
    if arns.len() > ARNS {
        return list(cx).await;
    }
    let answer = cx
        .elbv2(DESCRIBE, |elb| {
            elb.describe_load_balancers().set_load_balancer_arns(Some(arns.to_vec())).send()
        })
        .await;
    match answer {
        Ok(output) => Ok(output.load_balancers.unwrap_or_default()),
        Err(error) if error.kind == ErrorKind::NotFound && arns.len() == 1 => Ok(Vec::new()),
        Err(error) if error.kind == ErrorKind::NotFound => list(cx).await,
        Err(error) => Err(error),
    }
}

/// Returns every load balancer of the account and Region.
pub(super) async fn list(cx: &Aws) -> Result<Vec<LoadBalancer>, ProviderError> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let output = cx
            .elbv2(DESCRIBE, |elb| {
                elb.describe_load_balancers().page_size(PAGE).set_marker(marker.clone()).send()
            })
            .await?;
        all.extend(output.load_balancers.unwrap_or_default());
        marker = output.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Reads the settings of a load balancer.
pub(super) async fn settings_of(cx: &Aws, arn: String) -> Result<settings::Pairs, ProviderError> {
    let output = cx
        .elbv2(DESCRIBE_ATTRIBUTES, |elb| {
            elb.describe_load_balancer_attributes().load_balancer_arn(&arn).send()
        })
        .await?;
    let pair = |it: LoadBalancerAttribute| Some((it.key?, it.value.unwrap_or_default()));
    Ok(output.attributes.unwrap_or_default().into_iter().filter_map(pair).collect())
}

async fn capacity_of(cx: &Aws, arn: String) -> Result<Option<i32>, ProviderError> {
    let output = cx
        .elbv2(DESCRIBE_CAPACITY, |elb| {
            elb.describe_capacity_reservation().load_balancer_arn(&arn).send()
        })
        .await?;
    Ok(output.minimum_load_balancer_capacity().and_then(|it| it.capacity_units()))
}

fn capacity_blocks(units: Option<i32>) -> Vec<Object> {
    let block = |units: i32| Object::new().with("capacity_units", units);
    units.filter(|units| *units > 0).map(block).into_iter().collect()
}

/// `update.changes` does not see mappings whose Outpost is unknown yet.
fn mappings_change(update: &Update<'_>) -> bool {
    let mappings = |object: &Object| -> Vec<[Option<String>; 4]> {
        let owned = |block| schema::mapping(block).map(|it| it.map(str::to_owned));
        let mut all: Vec<_> = object.blocks("subnet_mapping").map(owned).collect();
        all.sort();
        all
    };
    !update.planned.value("subnet_mapping").is_unknown()
        && mappings(update.planned) != mappings(update.live)
}

async fn set_subnets(cx: &Aws, update: &Update<'_>) -> Result<(), ProviderError> {
    let arn = update.id.as_str();
    // One of the two is given; the other follows from it, and is unknown while that changes.
    let subnets = update.planned.strings("subnets");
    let mappings = mappings(update.planned);
    let by_mapping = mappings_change(update) && !mappings.is_empty();
    cx.elbv2(SET_SUBNETS, |elb| {
        let request = elb.set_subnets().load_balancer_arn(arn);
        if by_mapping {
            request.set_subnet_mappings(Some(mappings.clone())).send()
        } else {
            request.set_subnets(Some(subnets.clone())).send()
        }
    })
    .await?;
    Ok(())
}

async fn modify_ip_pools(cx: &Aws, update: &Update<'_>) -> Result<(), ProviderError> {
    let arn = update.id.as_str();
    let pools = ipam_pools(update.planned);
    cx.elbv2(MODIFY_IP_POOLS, |elb| {
        let request = elb.modify_ip_pools().load_balancer_arn(arn);
        match pools.clone() {
            Some(pools) => request.ipam_pools(pools).send(),
            None => request.remove_ipam_pools(RemoveIpamPoolEnum::from("ipv4")).send(),
        }
    })
    .await?;
    Ok(())
}

async fn modify_capacity(cx: &Aws, update: &Update<'_>) -> Result<(), ProviderError> {
    let arn = update.id.as_str();
    let block = update.planned.block(CAPACITY);
    let units = block.and_then(|block| block.i32("capacity_units"));
    cx.elbv2(MODIFY_CAPACITY, |elb| {
        let request = elb.modify_capacity_reservation().load_balancer_arn(arn);
        match units {
            Some(units) => {
                let capacity = MinimumLoadBalancerCapacity::builder().capacity_units(units).build();
                request.minimum_load_balancer_capacity(capacity).send()
            }
            None => request.reset_capacity_reservation(true).send(),
        }
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use reconcile_model::{Address, Value};

    use super::*;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/web/50dc6c49";

    fn operation() -> Operation {
        Operation {
            id: "0192f3c45b6d7e8f".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_lb", "web"),
        }
    }

    #[test]
    fn a_new_mapping_is_seen_though_its_outpost_is_unknown() {
        let mapping = |subnet: &str, outpost: Value| {
            Object::new().with("subnet_id", subnet).with("outpost_id", outpost)
        };
        let of = |blocks: Vec<Object>| Object::new().with("subnet_mapping", blocks);
        let live = of(vec![mapping("subnet-a", Value::Null)]);
        let (operation, id) = (operation(), ObjectId::from(ARN));
        let changes = |planned: &Object| {
            mappings_change(&Update {
                operation: &operation,
                id: &id,
                live: &live,
                planned,
                restart: false,
            })
        };
        let both = vec![mapping("subnet-c", Value::Unknown), mapping("subnet-a", Value::Null)];
        assert!(changes(&of(both)));
        assert!(!changes(&of(vec![mapping("subnet-a", Value::Null)])));
        assert!(!changes(&Object::new().with("subnet_mapping", Value::Unknown)));
    }
}
