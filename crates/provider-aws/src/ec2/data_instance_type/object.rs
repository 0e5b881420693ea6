//! From what EC2 tells of a type of instance to its attributes.

use aws_sdk_ec2::types::{InstanceTypeInfo, NetworkCardInfo, NeuronDeviceInfo};
use reconcile_model::{Number, Object, Value};

pub(super) fn object(info: &InstanceTypeInfo) -> Object {
    let mut object = Object::new();
    set_general(&mut object, info);
    set_processor(&mut object, info);
    set_volumes(&mut object, info);
    set_network(&mut object, info);
    set_devices(&mut object, info);
    object
}

fn set_general(object: &mut Object, info: &InstanceTypeInfo) {
    let name = info.instance_type().map(|it| it.as_str());
    object.set("instance_type", name);
    object.set("id", name);
    object.set("auto_recovery_supported", info.auto_recovery_supported());
    object.set("bare_metal", info.bare_metal());
    object.set("boot_modes", texts(info.supported_boot_modes(), |it| it.as_str()));
    object.set("burstable_performance_supported", info.burstable_performance_supported());
    object.set("current_generation", info.current_generation());
    object.set("dedicated_hosts_supported", info.dedicated_hosts_supported());
    object.set("free_tier_eligible", info.free_tier_eligible());
    object.set("hibernation_supported", info.hibernation_supported());
    object.set("hypervisor", info.hypervisor().map(|it| it.as_str()));
    object.set("instance_storage_supported", info.instance_storage_supported());
    object.set("memory_size", info.memory_info().and_then(|it| it.size_in_mib()));
    object.set("nitro_enclaves_support", info.nitro_enclaves_support().map(|it| it.as_str()));
    object.set("nitro_tpm_support", info.nitro_tpm_support().map(|it| it.as_str()));
    let versions = info.nitro_tpm_info().map_or(&[][..], |it| it.supported_versions());
    object.set("nitro_tpm_supported_versions", versions.to_vec());
    object.set("phc_support", info.phc_support().map(|it| it.as_str()));
    let strategies = info.placement_group_info().map_or(&[][..], |it| it.supported_strategies());
    object.set("supported_placement_strategies", texts(strategies, |it| it.as_str()));
    object.set(
        "supported_root_device_types",
        texts(info.supported_root_device_types(), |it| it.as_str()),
    );
    object.set("supported_usages_classes", texts(info.supported_usage_classes(), |it| it.as_str()));
    object.set(
        "supported_virtualization_types",
        texts(info.supported_virtualization_types(), |it| it.as_str()),
    );
}

fn set_processor(object: &mut Object, info: &InstanceTypeInfo) {
    let processor = info.processor_info();
    let architectures = processor.map_or(&[][..], |it| it.supported_architectures());
    let features = processor.map_or(&[][..], |it| it.supported_features());
    object.set("supported_architectures", texts(architectures, |it| it.as_str()));
    object.set("supported_cpu_features", texts(features, |it| it.as_str()));
    let clock = processor.and_then(|it| it.sustained_clock_speed_in_ghz());
    object.set("sustained_clock_speed", number(clock));
    let cpus = info.v_cpu_info();
    object.set("default_cores", cpus.and_then(|it| it.default_cores()));
    object.set("default_threads_per_core", cpus.and_then(|it| it.default_threads_per_core()));
    object.set("default_vcpus", cpus.and_then(|it| it.default_v_cpus()));
    object.set("valid_cores", cpus.map_or(&[][..], |it| it.valid_cores()).to_vec());
    let threads = cpus.map_or(&[][..], |it| it.valid_threads_per_core());
    object.set("valid_threads_per_core", threads.to_vec());
}

fn set_volumes(object: &mut Object, info: &InstanceTypeInfo) {
    let ebs = info.ebs_info();
    let text = |value: Option<&str>| Value::from(value);
    let support = ebs.and_then(|it| it.encryption_support()).map(|it| it.as_str());
    object.set("ebs_encryption_support", text(support));
    object
        .set("ebs_nvme_support", text(ebs.and_then(|it| it.nvme_support()).map(|it| it.as_str())));
    object.set(
        "ebs_optimized_support",
        text(ebs.and_then(|it| it.ebs_optimized_support()).map(|it| it.as_str())),
    );
    let speed = ebs.and_then(|it| it.ebs_optimized_info());
    object.set(
        "ebs_performance_baseline_bandwidth",
        speed.and_then(|it| it.baseline_bandwidth_in_mbps()),
    );
    object.set("ebs_performance_baseline_iops", speed.and_then(|it| it.baseline_iops()));
    object.set(
        "ebs_performance_baseline_throughput",
        number(speed.and_then(|it| it.baseline_throughput_in_m_bps())),
    );
    object.set(
        "ebs_performance_maximum_bandwidth",
        speed.and_then(|it| it.maximum_bandwidth_in_mbps()),
    );
    object.set("ebs_performance_maximum_iops", speed.and_then(|it| it.maximum_iops()));
    object.set(
        "ebs_performance_maximum_throughput",
        number(speed.and_then(|it| it.maximum_throughput_in_m_bps())),
    );
    let storage = info.instance_storage_info();
    object.set("total_instance_storage", storage.and_then(|it| it.total_size_in_gb()));
    let disks: Vec<Object> = storage
        .map_or(&[][..], |it| it.disks())
        .iter()
        .map(|disk| {
            Object::new()
                .with("count", disk.count())
                .with("size", disk.size_in_gb())
                .with("type", disk.r#type().map(|it| it.as_str()))
        })
        .collect();
    object.set("instance_disks", disks);
}

fn set_network(object: &mut Object, info: &InstanceTypeInfo) {
    let network = info.network_info();
    let weightings = network.map_or(&[][..], |it| it.bandwidth_weightings());
    object.set("bandwidth_weightings", texts(weightings, |it| it.as_str()));
    object
        .set("default_network_card_index", network.and_then(|it| it.default_network_card_index()));
    object.set(
        "efa_maximum_interfaces",
        network.and_then(|it| it.efa_info()).and_then(|it| it.maximum_efa_interfaces()),
    );
    object.set("efa_supported", network.and_then(|it| it.efa_supported()));
    object.set("ena_srd_supported", network.and_then(|it| it.ena_srd_supported()));
    object.set("ena_support", network.and_then(|it| it.ena_support()).map(|it| it.as_str()));
    object.set(
        "encryption_in_transit_supported",
        network.and_then(|it| it.encryption_in_transit_supported()),
    );
    object.set("ipv6_supported", network.and_then(|it| it.ipv6_supported()));
    object.set(
        "maximum_ipv4_addresses_per_interface",
        network.and_then(|it| it.ipv4_addresses_per_interface()),
    );
    object.set(
        "maximum_ipv6_addresses_per_interface",
        network.and_then(|it| it.ipv6_addresses_per_interface()),
    );
    object.set("maximum_network_cards", network.and_then(|it| it.maximum_network_cards()));
    object
        .set("maximum_network_interfaces", network.and_then(|it| it.maximum_network_interfaces()));
    object.set("network_performance", network.and_then(|it| it.network_performance()));
    let cards = network.map_or(&[][..], |it| it.network_cards());
    object.set("network_cards", cards.iter().map(network_card).collect::<Vec<_>>());
}

fn set_devices(object: &mut Object, info: &InstanceTypeInfo) {
    let gpus = info.gpu_info();
    object.set("total_gpu_memory", gpus.and_then(|it| it.total_gpu_memory_in_mib()));
    let all = gpus.map_or(&[][..], |it| it.gpus()).iter().map(|it| {
        let memory = it.memory_info().and_then(|it| it.size_in_mib());
        device(it.count(), it.manufacturer(), memory, it.name())
    });
    object.set("gpus", all.collect::<Vec<_>>());

    let fpgas = info.fpga_info();
    object.set("total_fpga_memory", fpgas.and_then(|it| it.total_fpga_memory_in_mib()));
    let all = fpgas.map_or(&[][..], |it| it.fpgas()).iter().map(|it| {
        let memory = it.memory_info().and_then(|it| it.size_in_mib());
        device(it.count(), it.manufacturer(), memory, it.name())
    });
    object.set("fpgas", all.collect::<Vec<_>>());

    let inference = info.inference_accelerator_info();
    let total = inference.and_then(|it| it.total_inference_memory_in_mib());
    object.set("total_inference_memory", total);
    let all = inference.map_or(&[][..], |it| it.accelerators()).iter().map(|it| {
        let memory = it.memory_info().and_then(|it| it.size_in_mib());
        device(it.count(), it.manufacturer(), memory, it.name())
    });
    object.set("inference_accelerators", all.collect::<Vec<_>>());

    let media = info.media_accelerator_info();
    object.set("total_media_memory", media.and_then(|it| it.total_media_memory_in_mib()));
    let all = media.map_or(&[][..], |it| it.accelerators()).iter().map(|it| {
        let memory = it.memory_info().and_then(|it| it.size_in_mib());
        device(it.count(), it.manufacturer(), memory, it.name())
    });
    object.set("media_accelerators", all.collect::<Vec<_>>());

    let neuron = info.neuron_info();
    let total = neuron.and_then(|it| it.total_neuron_device_memory_in_mib());
    object.set("total_neuron_device_memory", total);
    let all = neuron.map_or(&[][..], |it| it.neuron_devices());
    object.set("neuron_devices", all.iter().map(neuron_device).collect::<Vec<_>>());
}

fn device(
    count: Option<i32>,
    manufacturer: Option<&str>,
    memory: Option<i32>,
    name: Option<&str>,
) -> Object {
    Object::new()
        .with("count", count)
        .with("manufacturer", manufacturer)
        .with("memory_size", memory)
        .with("name", name)
}

fn neuron_device(device: &NeuronDeviceInfo) -> Object {
    let cores = device.core_info();
    Object::new()
        .with("count", device.count())
        .with("core_count", cores.and_then(|it| it.count()))
        .with("core_version", cores.and_then(|it| it.version()))
        .with("memory_size", device.memory_info().and_then(|it| it.size_in_mib()))
        .with("name", device.name())
}

fn network_card(card: &NetworkCardInfo) -> Object {
    Object::new()
        .with("baseline_bandwidth", number(card.baseline_bandwidth_in_gbps()))
        .with("index", card.network_card_index())
        .with("maximum_interfaces", card.maximum_network_interfaces())
        .with("performance", card.network_performance())
        .with("peak_bandwidth", number(card.peak_bandwidth_in_gbps()))
}

fn number(value: Option<f64>) -> Value {
    value.and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

fn texts<T>(items: &[T], text: fn(&T) -> &str) -> Vec<&str> {
    items.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{
        GpuDeviceInfo, GpuInfo, InstanceType, MemoryInfo, ProcessorInfo, VCpuInfo,
    };

    use super::super::ATTRIBUTES;
    use super::*;

    #[test]
    fn a_type_is_told_with_every_attribute_and_no_other() {
        let gpu = GpuDeviceInfo::builder().count(1).name("T4").manufacturer("NVIDIA").build();
        let info = InstanceTypeInfo::builder()
            .instance_type(InstanceType::T3Micro)
            .free_tier_eligible(true)
            .memory_info(MemoryInfo::builder().size_in_mib(1024).build())
            .v_cpu_info(VCpuInfo::builder().default_v_cpus(2).valid_cores(1).build())
            .processor_info(ProcessorInfo::builder().sustained_clock_speed_in_ghz(2.5).build())
            .gpu_info(GpuInfo::builder().gpus(gpu).build())
            .build();
        let object = object(&info);
        for attribute in ATTRIBUTES {
            assert!(object.contains_key(attribute.name), "{}", attribute.name);
        }
        assert_eq!(object.len(), ATTRIBUTES.len());
        assert_eq!(object.bool("free_tier_eligible"), Some(true));
        assert_eq!(object.i64("memory_size"), Some(1024));
        assert_eq!(object.f64("sustained_clock_speed"), Some(2.5));
        assert_eq!(object.block("gpus").unwrap().str("name"), Some("T4"));
    }
}
