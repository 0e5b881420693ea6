//! Each resource type through the binary: created, read back, changed argument by argument, drifted, destroyed; and each
//! data source read.

mod harness;

mod ami_from_instance;
mod data_network;
mod ebs_volume;
mod elbv2;
mod instance;
mod instance_data;
mod key_pair;
mod security_group;
mod security_group_replaced;
mod security_group_rule;
mod volume_attachment;
