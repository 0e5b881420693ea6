//! Elastic Load Balancing v2: one file for each resource type and data source.
