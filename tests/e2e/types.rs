//! Each resource type through the binary: created, read back, changed argument by argument, drifted, destroyed; and each
//! data source read.

mod harness;

mod elbv2;
mod key_pair;
mod security_group;
mod security_group_rule;
