//! EC2 and VPC: one file for each resource type and data source.

mod ebs;
pub mod instance;
pub mod key_pair;
mod rules;
pub mod security_group;
pub mod security_group_rule;
