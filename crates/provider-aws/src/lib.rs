//! EC2, VPC, and Elastic Load Balancing for `reconcile`.
//!
//! One file for each resource type and data source, under [`ec2`] and [`elbv2`]; each reads like a page of the AWS
//! manual: what is odd, the schema, the calls, the conversions. They call through [`Aws`], which keeps to the rate
//! limits, classifies errors, and connects only when the first call is due.
//!
//! **Architecture Invariant:** only this crate knows the AWS SDK's EC2 and ELBv2 clients, and no SDK type is in any of
//! its signatures that others use.

mod arn;
mod call;
mod client;
pub mod ec2;
pub mod elbv2;
mod errors;
mod filters;
mod iam;
mod many;
mod shared;
mod tags;
mod wait;

use std::sync::Arc;

use reconcile_model::{Object, SchemaSet};
use reconcile_provider::{DataSource, Provider, Regions, Registered, Registry, ResourceType};

pub use client::Aws;
pub use iam::RESTRICTIONS;

/// Every resource type, sorted by name.
pub static RESOURCE_TYPES: &[&dyn ResourceType<Aws>] = &[
    &ec2::ami_from_instance::AmiFromInstance,
    &ec2::ebs_volume::EbsVolume,
    &ec2::instance::Instance,
    &ec2::key_pair::KeyPair,
    &elbv2::lb::Lb,
    &elbv2::lb_listener::LbListener,
    &elbv2::lb_listener_rule::LbListenerRule,
    &elbv2::lb_target_group::LbTargetGroup,
    &elbv2::lb_target_group_attachment::LbTargetGroupAttachment,
    &ec2::security_group::SecurityGroup,
    &ec2::volume_attachment::VolumeAttachment,
    &ec2::security_group_rule::EGRESS,
    &ec2::security_group_rule::INGRESS,
];

/// Every data source, sorted by name.
pub static DATA_SOURCES: &[&dyn DataSource<Aws>] = &[
    &ec2::data_ami::AmiData,
    &ec2::data_availability_zones::AvailabilityZonesData,
    &ec2::data_instance_type::EC2_INSTANCE_TYPE,
    &ec2::data_instance_types::EC2_INSTANCE_TYPES,
    &ec2::data_instance::InstanceData,
    &ec2::data_instance_type::INSTANCE_TYPE,
    &ec2::data_instance_types::INSTANCE_TYPES,
    &ec2::data_instances::InstancesData,
    &elbv2::data_lb::LbData,
    &ec2::data_region::RegionData,
    &ec2::data_security_group::SecurityGroupData,
    &ec2::data_subnet::SubnetData,
    &ec2::data_subnets::SubnetsData,
    &ec2::data_vpc::VpcData,
];

/// The AWS provider's types.
pub static REGISTRY: Registry<Aws> = Registry { resources: RESOURCE_TYPES, data: DATA_SOURCES };

/// Returns the schemas of every type.
pub fn schemas() -> SchemaSet {
    REGISTRY.schemas()
}

/// Makes AWS providers from `provider: { aws: … }` blocks.
#[derive(Debug, Default)]
pub struct AwsRegions;

impl Regions for AwsRegions {
    fn configure(&self, stack: &str, arguments: &Object) -> Arc<dyn Provider> {
        Arc::new(Registered::new(&REGISTRY, Aws::new(stack, arguments)))
    }
}
