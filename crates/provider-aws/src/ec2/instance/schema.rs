//! What `aws_instance` looks like.

mod blocks;

use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{
    Attribute, Blocks, Check, Constraint, Kind, Literal, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::{Mode, Object, Value};

use self::blocks::{
    CAPACITY_RESERVATION, CPU_OPTIONS, CREDIT_SPECIFICATION, EBS_BLOCK_DEVICE, ENCLAVE_OPTIONS,
    EPHEMERAL_BLOCK_DEVICE, LAUNCH_TEMPLATE, MAINTENANCE_OPTIONS, MARKET_OPTIONS, METADATA_OPTIONS,
    NETWORK_INTERFACE, NETWORK_PERFORMANCE, PRIVATE_DNS, ROOT_BLOCK_DEVICE,
};
use super::user_data;
use crate::ec2::ebs;

const STRINGS: Kind = Kind::Set(&Kind::String);
const TAGS: Kind = Kind::Map(&Kind::String);
/// What a stop and a start can change: a public address that is not an Elastic IP, and the state it ends in.
const RESTARTING: &[&str] = &[
    "capacity_reservation_specification",
    "cpu_core_count",
    "cpu_options",
    "cpu_threads_per_core",
    "ebs_optimized",
    "instance_type",
    "network_performance_options",
    "private_dns_name_options",
    "user_data",
    "user_data_base64",
];

const fn one(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::List, min: 0, max: Some(1), attributes }
}

const fn many(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::Set, min: 0, max: None, attributes }
}

/// The schema of `aws_instance`.
pub(super) static SCHEMA: Schema = Schema {
    type_name: "aws_instance",
    mode: Mode::Managed,
    version: 1,
    doc: "A virtual machine, with its volumes and network interfaces.",
    attributes: &[
        // What it is.
        Attribute::optional_computed("ami", Kind::String)
            .replace()
            .refers_to("aws_ami_from_instance", "id")
            .doc("The image to start from; required unless a launch template names one."),
        Attribute::optional_computed("instance_type", Kind::String)
            .restart()
            .doc("The size, such as `t3.micro`; required unless a launch template names one."),
        Attribute::optional("launch_template", Kind::Blocks(&one(LAUNCH_TEMPLATE)))
            .doc("A launch template, which gives what the spec leaves out."),
        Attribute::optional_computed("key_name", Kind::String)
            .replace()
            .refers_to("aws_key_pair", "key_name")
            .doc("The key pair for SSH, or for the password of a Windows instance."),
        Attribute::optional("user_data", Kind::String)
            .replace_if_else_restart(replaces_on_user_data)
            .normalize(Normalize::Rule(user_data::normalize))
            .doc("What the instance runs at its first start, as plain text; base64 is taken as what it stands for."),
        Attribute::optional("user_data_base64", Kind::String)
            .replace_if_else_restart(replaces_on_user_data)
            .normalize(Normalize::Rule(user_data::normalize_base64))
            .check(Check::Rule(user_data::is_base64))
            .doc("User data that is not text, in base64."),
        Attribute::optional("user_data_replace_on_change", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether changed user data make a new instance; otherwise the instance is stopped and started, and most images do not run them again."),
        // Where it is.
        Attribute::optional_computed("availability_zone", Kind::String)
            .replace()
            .doc("The Availability Zone; follows from the subnet when one is given."),
        Attribute::optional_computed("subnet_id", Kind::String)
            .replace()
            .refers_to("aws_subnet", "id")
            .doc("The subnet; a default subnet when left out."),
        Attribute::optional_computed("tenancy", Kind::String)
            .replace()
            .check(Check::OneOf(&["default", "dedicated", "host"]))
            .doc("Whether the hardware is shared."),
        Attribute::optional_computed("host_id", Kind::String)
            .replace()
            .doc("The Dedicated Host to run on."),
        Attribute::optional_computed("host_resource_group_arn", Kind::String)
            .replace()
            .doc("The host resource group to run in."),
        Attribute::optional_computed("placement_group", Kind::String)
            .replace()
            .doc("The placement group's name."),
        Attribute::optional_computed("placement_partition_number", Kind::Int)
            .replace()
            .doc("The partition within a partition placement group."),
        // Its network.
        Attribute::optional_computed("vpc_security_group_ids", STRINGS)
            .refers_to("aws_security_group", "id")
            .recomputed_by(&["security_groups"])
            .doc("The security groups; the VPC's default one when left out."),
        Attribute::optional_computed("security_groups", STRINGS)
            .replace()
            .recomputed_by(&["vpc_security_group_ids"])
            .doc("Security groups by name, in the default VPC only."),
        Attribute::optional_computed("associate_public_ip_address", Kind::Bool)
            .replace()
            .doc("Whether it gets a public IPv4 address; as the subnet says when left out."),
        Attribute::optional_computed("private_ip", Kind::String)
            .replace()
            .check(Check::Ip)
            .doc("The primary private IPv4 address."),
        Attribute::optional_computed("secondary_private_ips", STRINGS)
            .check(Check::Ip)
            .doc("Further private IPv4 addresses of the primary network interface."),
        Attribute::optional_computed("ipv6_address_count", Kind::Int)
            .recomputed_by(&["ipv6_addresses"])
            .doc("How many IPv6 addresses the primary network interface has."),
        Attribute::optional_computed("ipv6_addresses", Kind::List(&Kind::String))
            .recomputed_by(&["ipv6_address_count"])
            .check(Check::Ip)
            .doc("The IPv6 addresses of the primary network interface."),
        Attribute::optional_computed("enable_primary_ipv6", Kind::Bool)
            .replace_if(loses_primary_ipv6)
            .doc("Whether the first IPv6 address stays with the instance for good."),
        Attribute::optional("source_dest_check", Kind::Bool)
            .default(Literal::Bool(true))
            .doc("Whether traffic must be from or to the instance itself; off for routers and NAT."),
        Attribute::optional("network_interface", Kind::Blocks(&many(NETWORK_INTERFACE)))
            .doc("Network interfaces that exist already, in place of one made at launch."),
        Attribute::optional_computed("private_dns_name_options", Kind::Blocks(&one(PRIVATE_DNS)))
            .doc("How the private DNS name is made; as the subnet says when left out."),
        Attribute::optional_computed("network_performance_options", Kind::Blocks(&one(NETWORK_PERFORMANCE)))
            .recomputed_by(&["instance_type"])
            .doc("How bandwidth is divided between network and volumes."),
        // Its volumes.
        Attribute::optional_computed("root_block_device", Kind::Blocks(&one(ROOT_BLOCK_DEVICE)))
            .doc("The root volume."),
        Attribute::optional_computed("ebs_block_device", Kind::Blocks(&many(EBS_BLOCK_DEVICE)))
            .doc("Further volumes, which are made and deleted with the instance."),
        Attribute::optional("ephemeral_block_device", Kind::Blocks(&many(EPHEMERAL_BLOCK_DEVICE)))
            .write_only()
            .doc("Instance store volumes, and devices of the image to leave out."),
        Attribute::optional("volume_tags", TAGS)
            .doc("Tags for every volume; the provider's default tags are not added to volumes."),
        Attribute::optional_computed("ebs_optimized", Kind::Bool)
            .restart()
            .doc("Whether volumes have bandwidth of their own; many types always do."),
        // How it behaves.
        Attribute::optional_computed("iam_instance_profile", Kind::String)
            .normalize(Normalize::Rule(profile_name))
            .doc("The name of the IAM instance profile; an empty string takes it away."),
        Attribute::optional_computed("monitoring", Kind::Bool)
            .doc("Whether CloudWatch gets detailed metrics."),
        Attribute::optional_computed("disable_api_termination", Kind::Bool)
            .doc("Whether the instance is protected from termination by others; `reconcile` lifts a protection that the spec gave before it destroys."),
        Attribute::optional_computed("disable_api_stop", Kind::Bool)
            .doc("Whether the instance is protected from being stopped."),
        Attribute::optional("force_destroy", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether destroying also lifts a termination protection that the spec did not give."),
        Attribute::optional_computed("instance_initiated_shutdown_behavior", Kind::String)
            .check(Check::OneOf(&["stop", "terminate"]))
            .doc("What a shutdown from within does."),
        Attribute::optional_computed("metadata_options", Kind::Blocks(&one(METADATA_OPTIONS)))
            .doc("Who can reach the instance metadata service, and how."),
        Attribute::optional_computed("credit_specification", Kind::Blocks(&one(CREDIT_SPECIFICATION)))
            .recomputed_by(&["instance_type"])
            .doc("CPU credits of burstable types."),
        Attribute::optional_computed("maintenance_options", Kind::Blocks(&one(MAINTENANCE_OPTIONS)))
            .doc("What happens when the hardware fails."),
        Attribute::optional_computed("cpu_options", Kind::Blocks(&one(CPU_OPTIONS)))
            .recomputed_by(&["instance_type", "cpu_core_count", "cpu_threads_per_core"])
            .doc("How many cores and threads are used."),
        Attribute::optional_computed("cpu_core_count", Kind::Int)
            .restart()
            .recomputed_by(&["instance_type", "cpu_options"])
            .doc("How many cores are used. Deprecated; use `cpu_options`."),
        Attribute::optional_computed("cpu_threads_per_core", Kind::Int)
            .restart()
            .recomputed_by(&["instance_type", "cpu_options"])
            .doc("How many threads a core runs. Deprecated; use `cpu_options`."),
        Attribute::optional_computed("hibernation", Kind::Bool)
            .replace()
            .doc("Whether it can hibernate."),
        Attribute::optional_computed("enclave_options", Kind::Blocks(&one(ENCLAVE_OPTIONS)))
            .doc("Whether it can run Nitro Enclaves."),
        Attribute::optional_computed(
            "capacity_reservation_specification",
            Kind::Blocks(&one(CAPACITY_RESERVATION)),
        )
        .doc("Which Capacity Reservations it may use."),
        Attribute::optional_computed("instance_market_options", Kind::Blocks(&one(MARKET_OPTIONS)))
            .doc("How the capacity is bought, when not on demand."),
        Attribute::optional("get_password_data", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether to read the encrypted administrator password of a Windows instance."),
        Attribute::optional("tags", TAGS).doc("Tags for the instance."),
        // What AWS tells.
        Attribute::computed("id", Kind::String).doc("The instance's id."),
        Attribute::computed("arn", Kind::String).doc("The instance's ARN."),
        Attribute::computed("instance_state", Kind::String)
            .recomputed_by(RESTARTING)
            .doc("Its state, such as `running`."),
        Attribute::computed("instance_lifecycle", Kind::String)
            .doc("`spot` or `scheduled`; null when on demand."),
        Attribute::computed("launch_time", Kind::String)
            .recomputed_by(RESTARTING)
            .doc("When it was last started."),
        Attribute::computed("outpost_arn", Kind::String).doc("The Outpost it runs on."),
        Attribute::computed("password_data", Kind::String)
            .doc("The administrator password, encrypted with the key pair, in base64; null until Windows has set it."),
        Attribute::computed("primary_network_interface_id", Kind::String)
            .doc("The network interface at device index 0."),
        Attribute::computed("private_dns", Kind::String)
            .recomputed_by(&["private_dns_name_options"])
            .doc("The private DNS name."),
        Attribute::computed("public_dns", Kind::String)
            .recomputed_by(RESTARTING)
            .doc("The public DNS name; empty where there is none, as while it is stopped."),
        Attribute::computed("public_ip", Kind::String)
            .recomputed_by(RESTARTING)
            .doc("The public IPv4 address; empty where there is none, as while it is stopped."),
        Attribute::computed("spot_instance_request_id", Kind::String)
            .doc("The Spot request it came from."),
        Attribute::computed("tags_all", TAGS)
            .doc("Its tags together with the provider's default tags."),
    ],
    constraints: &[
        Constraint::AtLeastOne(&["ami", "launch_template"]),
        Constraint::AtLeastOne(&["instance_type", "launch_template"]),
        Constraint::Conflicts(&["user_data", "user_data_base64"]),
        Constraint::Conflicts(&["vpc_security_group_ids", "security_groups"]),
        Constraint::Conflicts(&["subnet_id", "security_groups"]),
        Constraint::Conflicts(&["ipv6_addresses", "ipv6_address_count"]),
        Constraint::Conflicts(&["host_id", "host_resource_group_arn"]),
        Constraint::Conflicts(&["cpu_options", "cpu_core_count"]),
        Constraint::Conflicts(&["cpu_options", "cpu_threads_per_core"]),
        Constraint::Conflicts(&["network_interface", "subnet_id"]),
        Constraint::Conflicts(&["network_interface", "vpc_security_group_ids"]),
        Constraint::Conflicts(&["network_interface", "security_groups"]),
        Constraint::Conflicts(&["network_interface", "associate_public_ip_address"]),
        Constraint::Conflicts(&["network_interface", "private_ip"]),
        Constraint::Conflicts(&["network_interface", "secondary_private_ips"]),
        Constraint::Conflicts(&["network_interface", "ipv6_addresses"]),
        Constraint::Conflicts(&["network_interface", "ipv6_address_count"]),
        Constraint::Conflicts(&["network_interface", "enable_primary_ipv6"]),
        Constraint::Conflicts(&["volume_tags", "root_block_device.tags"]),
        Constraint::Conflicts(&["volume_tags", "ebs_block_device.tags"]),
        Constraint::Requires("placement_partition_number", &["placement_group"]),
        Constraint::Rule(volumes_fit_their_types),
        Constraint::Rule(template_has_one_name),
        Constraint::Rule(interfaces_have_a_primary),
    ],
    recovery: Recovery::ClientToken,
    timeouts: Timeouts::minutes(10, 10, 20),
    iam_read: &[
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceCreditSpecifications",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeSpotInstanceRequests",
        "ec2:DescribeVolumes",
        "ec2:GetPasswordData",
    ],
    iam_write: &[
        "ec2:AssignIpv6Addresses",
        "ec2:AssignPrivateIpAddresses",
        "ec2:AssociateIamInstanceProfile",
        "ec2:CancelSpotInstanceRequests",
        "ec2:CreateTags",
        "ec2:DeleteTags",
        "ec2:DescribeIamInstanceProfileAssociations",
        "ec2:DescribeImages",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeVolumesModifications",
        "ec2:DisassociateIamInstanceProfile",
        "ec2:ModifyInstanceAttribute",
        "ec2:ModifyInstanceCapacityReservationAttributes",
        "ec2:ModifyInstanceCpuOptions",
        "ec2:ModifyInstanceCreditSpecification",
        "ec2:ModifyInstanceMaintenanceOptions",
        "ec2:ModifyInstanceMetadataOptions",
        "ec2:ModifyInstanceNetworkPerformanceOptions",
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:ModifyPrivateDnsNameOptions",
        "ec2:ModifyVolume",
        "ec2:MonitorInstances",
        "ec2:ReplaceIamInstanceProfileAssociation",
        "ec2:RunInstances",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
        "ec2:UnassignIpv6Addresses",
        "ec2:UnassignPrivateIpAddresses",
        "ec2:UnmonitorInstances",
        "iam:PassRole",
    ],
};

fn replaces_on_user_data(_prior: &Object, planned: &Object) -> bool {
    planned.bool("user_data_replace_on_change") == Some(true)
}

fn loses_primary_ipv6(prior: &Object, planned: &Object) -> bool {
    prior.bool("enable_primary_ipv6") == Some(true)
        && planned.bool("enable_primary_ipv6") == Some(false)
}

/// Brings an instance profile to its name, which is what EC2 tells in its ARN; an empty name is none.
pub(super) fn profile_name(value: &Value) -> Value {
    match value.as_str() {
        Some("") => Value::Null,
        Some(text) => text.rsplit('/').next().unwrap_or(text).into(),
        None => value.clone(),
    }
}

fn volumes_fit_their_types(config: &Object) -> Vec<(&'static str, String)> {
    let problems = |block: &'static str| {
        config
            .blocks(block)
            .filter_map(|volume| ebs::performance_problem(volume, ebs::OF_BLOCKS))
            .map(move |(name, problem)| (block, format!("`{name}` {problem}")))
    };
    problems("root_block_device").chain(problems("ebs_block_device")).collect()
}

fn template_has_one_name(config: &Object) -> Vec<(&'static str, String)> {
    let given = |template: &Object| {
        ["id", "name"].into_iter().filter(|name| !template.value(name).is_null()).count()
    };
    config
        .blocks("launch_template")
        .filter(|template| given(template) != 1)
        .map(|_| ("launch_template", "needs either `id` or `name`".to_owned()))
        .collect()
}

fn interfaces_have_a_primary(config: &Object) -> Vec<(&'static str, String)> {
    let mut indexes =
        config.blocks("network_interface").map(|it| it.value("device_index")).peekable();
    let missing = indexes.peek().is_some()
        && !indexes.any(|index| index.is_unknown() || index.as_i64() == Some(0));
    if missing {
        vec![("network_interface", "one must have `device_index` 0, the primary one".to_owned())]
    } else {
        Vec::new()
    }
}
