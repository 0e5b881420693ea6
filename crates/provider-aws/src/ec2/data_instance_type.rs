//! `data.aws_instance_type`, `data.aws_ec2_instance_type`: what a type of instance has.
//!
//! The Terraform AWS provider knows it under the second name.
//!
//! # Remote API
//!
//! `DescribeInstanceTypes`, filtered by `instance-type`.

mod object;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, InstanceTypeInfo};
use reconcile_model::schema::{Blocks, Nesting, Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::lookup;
use crate::Aws;
use crate::call::Call;
use crate::filters;

pub(super) const DESCRIBE: Call = Call::read("DescribeInstanceTypes");

/// The `aws_instance_type` data source.
pub static INSTANCE_TYPE: InstanceTypeData = InstanceTypeData(&SCHEMA);
/// The same under its name in the Terraform AWS provider.
pub static EC2_INSTANCE_TYPE: InstanceTypeData = InstanceTypeData(&EC2_SCHEMA);

/// A data source for a type of instance.
#[derive(Debug)]
pub struct InstanceTypeData(&'static Schema);

static SCHEMA: Schema = schema("aws_instance_type");
static EC2_SCHEMA: Schema = schema("aws_ec2_instance_type");

const fn schema(type_name: &'static str) -> Schema {
    Schema {
        type_name,
        mode: Mode::Data,
        version: 1,
        doc: "What a type of instance has.",
        attributes: ATTRIBUTES,
        constraints: &[],
        recovery: Recovery::None,
        timeouts: Timeouts::minutes(20, 20, 20),
        iam_read: &["ec2:DescribeInstanceTypes"],
        iam_write: &[],
    }
}

const STRINGS: Kind = Kind::List(&Kind::String);
const INTS: Kind = Kind::List(&Kind::Int);

const fn flag(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::Bool)
}

const fn int(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::Int)
}

const fn number(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::Number)
}

const fn text(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::String)
}

const fn texts(name: &'static str) -> Attribute {
    Attribute::computed(name, STRINGS)
}

const fn blocks(name: &'static str, blocks: &'static Blocks) -> Attribute {
    Attribute::computed(name, Kind::Blocks(blocks))
}

const fn list(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::List, min: 0, max: None, attributes }
}

const COUNT: Attribute = int("count").doc("How many.");
const MANUFACTURER: Attribute = text("manufacturer").doc("Who made them.");
const MEMORY: Attribute = int("memory_size").doc("The memory of each, in MiB.");
const NAME: Attribute = text("name").doc("Their name.");

static DEVICES: Blocks = list(&[COUNT, MANUFACTURER, MEMORY, NAME]);

static DISKS: Blocks = list(&[
    COUNT,
    int("size").doc("The size of each, in GB."),
    text("type").doc("`ssd` or `hdd`."),
]);

static NETWORK_CARDS: Blocks = list(&[
    number("baseline_bandwidth").doc("The bandwidth at all times, in Gbit/s."),
    int("index").doc("The card's index."),
    int("maximum_interfaces").doc("How many network interfaces it takes."),
    text("performance").doc("Its performance in words."),
    number("peak_bandwidth").doc("The bandwidth for a while, in Gbit/s."),
]);

static NEURON_DEVICES: Blocks = list(&[
    COUNT,
    int("core_count").doc("How many cores each has."),
    int("core_version").doc("The cores' version."),
    MEMORY,
    NAME,
]);

const ATTRIBUTES: &[Attribute] = &[
    Attribute::required("instance_type", Kind::String).doc("The type, such as `t3.micro`."),
    text("id").doc("The type's name."),
    flag("auto_recovery_supported").doc("Whether it can move to other hardware by itself."),
    texts("bandwidth_weightings").doc("How bandwidth can be divided."),
    flag("bare_metal").doc("Whether it runs without a hypervisor."),
    texts("boot_modes").doc("How it can boot."),
    flag("burstable_performance_supported").doc("Whether it has CPU credits."),
    flag("current_generation").doc("Whether it is of the current generation."),
    flag("dedicated_hosts_supported").doc("Whether it runs on Dedicated Hosts."),
    int("default_cores").doc("How many cores it has."),
    int("default_network_card_index").doc("The first network card."),
    int("default_threads_per_core").doc("How many threads a core runs."),
    int("default_vcpus").doc("How many virtual CPUs it has."),
    text("ebs_encryption_support").doc("Whether volumes can be encrypted."),
    text("ebs_nvme_support").doc("Whether volumes are NVMe devices."),
    text("ebs_optimized_support").doc("Whether volumes have bandwidth of their own."),
    int("ebs_performance_baseline_bandwidth").doc("Volumes' bandwidth at all times, in Mbit/s."),
    int("ebs_performance_baseline_iops").doc("Volumes' operations a second at all times."),
    number("ebs_performance_baseline_throughput").doc("Volumes' MB a second at all times."),
    int("ebs_performance_maximum_bandwidth").doc("Volumes' bandwidth for a while, in Mbit/s."),
    int("ebs_performance_maximum_iops").doc("Volumes' operations a second for a while."),
    number("ebs_performance_maximum_throughput").doc("Volumes' MB a second for a while."),
    int("efa_maximum_interfaces").doc("How many Elastic Fabric Adapters it takes."),
    flag("efa_supported").doc("Whether it takes Elastic Fabric Adapters."),
    flag("ena_srd_supported").doc("Whether it has ENA Express."),
    text("ena_support").doc("Whether the ENA network driver is needed."),
    flag("encryption_in_transit_supported").doc("Whether traffic between instances is encrypted."),
    blocks("fpgas", &DEVICES).doc("Its FPGAs."),
    flag("free_tier_eligible").doc("Whether the free tier covers it."),
    blocks("gpus", &DEVICES).doc("Its GPUs."),
    flag("hibernation_supported").doc("Whether it can hibernate."),
    text("hypervisor").doc("The hypervisor: `nitro` or `xen`."),
    blocks("inference_accelerators", &DEVICES).doc("Its inference accelerators."),
    blocks("instance_disks", &DISKS).doc("Its instance store volumes."),
    flag("instance_storage_supported").doc("Whether it has instance store volumes."),
    flag("ipv6_supported").doc("Whether it takes IPv6 addresses."),
    int("maximum_ipv4_addresses_per_interface").doc("IPv4 addresses for each network interface."),
    int("maximum_ipv6_addresses_per_interface").doc("IPv6 addresses for each network interface."),
    int("maximum_network_cards").doc("How many network cards it has."),
    int("maximum_network_interfaces").doc("How many network interfaces it takes."),
    blocks("media_accelerators", &DEVICES).doc("Its media accelerators."),
    int("memory_size").doc("Its memory, in MiB."),
    blocks("network_cards", &NETWORK_CARDS).doc("Its network cards."),
    text("network_performance").doc("Its network performance in words."),
    blocks("neuron_devices", &NEURON_DEVICES).doc("Its Neuron devices."),
    text("nitro_enclaves_support").doc("Whether it runs Nitro Enclaves."),
    text("nitro_tpm_support").doc("Whether it has a NitroTPM."),
    texts("nitro_tpm_supported_versions").doc("The versions of its NitroTPM."),
    text("phc_support").doc("Whether it has a precise hardware clock."),
    texts("supported_architectures").doc("The architectures that images may have."),
    texts("supported_cpu_features").doc("Features of its processor."),
    texts("supported_placement_strategies").doc("The placement groups it can be in."),
    texts("supported_root_device_types").doc("What its root volume may be."),
    texts("supported_usages_classes").doc("How it can be bought."),
    texts("supported_virtualization_types").doc("The virtualization that images may have."),
    number("sustained_clock_speed").doc("Its clock, in GHz."),
    int("total_fpga_memory").doc("The memory of all FPGAs, in MiB."),
    int("total_gpu_memory").doc("The memory of all GPUs, in MiB."),
    int("total_inference_memory").doc("The memory of all inference accelerators, in MiB."),
    int("total_instance_storage").doc("The size of all instance store volumes, in GB."),
    int("total_media_memory").doc("The memory of all media accelerators, in MiB."),
    int("total_neuron_device_memory").doc("The memory of all Neuron devices, in MiB."),
    Attribute::computed("valid_cores", INTS).doc("How many cores can be used."),
    Attribute::computed("valid_threads_per_core", INTS).doc("How many threads a core can run."),
];

#[async_trait]
impl DataSource<Aws> for InstanceTypeData {
    fn schema(&self) -> &'static Schema {
        self.0
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let name = config.str("instance_type").unwrap_or_default();
        let found = describe(cx, vec![filters::exactly("instance-type", [name])]).await?;
        let info = lookup::one(found, DESCRIBE, "instance type", config)?;
        Ok(object::object(&info))
    }
}

/// Returns the types that match all filters.
pub(super) async fn describe(
    cx: &Aws,
    filters: Vec<Filter>,
) -> Result<Vec<InstanceTypeInfo>, ProviderError> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_instance_types()
                    .set_filters(Some(filters.clone()).filter(|all| !all.is_empty()))
                    .max_results(100)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        found.extend(page.instance_types.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}
