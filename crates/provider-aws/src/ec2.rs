//! EC2 and VPC: one file for each resource type and data source.

pub mod key_pair;
