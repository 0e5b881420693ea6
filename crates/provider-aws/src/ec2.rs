//! EC2 and VPC: one file for each resource type and data source.

pub mod ami_from_instance;
pub mod data_ami;
pub mod data_availability_zones;
pub mod data_instance;
pub mod data_instance_type;
pub mod data_instance_types;
pub mod data_instances;
pub mod data_region;
pub mod data_security_group;
pub mod data_subnet;
pub mod data_subnets;
pub mod data_vpc;
mod ebs;
pub mod ebs_volume;
mod image;
pub mod instance;
pub mod key_pair;
mod lookup;
pub(crate) mod rules;
pub mod security_group;
pub mod security_group_rule;
pub mod volume_attachment;
