//! Elastic Load Balancing v2: one file for each resource type and data source.

mod action;
pub mod data_lb;
pub mod lb;
pub mod lb_listener;
pub mod lb_listener_rule;
pub mod lb_target_group;
pub mod lb_target_group_attachment;
mod lookup;
mod settings;
