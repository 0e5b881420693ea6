"""Instance types and where they are offered; the data is moto's."""

from __future__ import annotations

import functools
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

from ..errors import AwsError, invalid_value
from ..operations import Call, operation
from ..reads import By, Listing

TYPES = Listing(
    "DescribeInstanceTypes", "InstanceTypes", "InstanceType",
    by=(By("InstanceTypes", "InstanceType", "InvalidInstanceType", "The following supplied instance types do not exist: [{}]"),),
    filters={
        "instance-type": "InstanceType", "free-tier-eligible": "FreeTierEligible", "current-generation": "CurrentGeneration",
        "bare-metal": "BareMetal", "hypervisor": "Hypervisor", "hibernation-supported": "HibernationSupported",
        "auto-recovery-supported": "AutoRecoverySupported", "dedicated-hosts-supported": "DedicatedHostsSupported",
        "burstable-performance-supported": "BurstablePerformanceSupported",
        "instance-storage-supported": "InstanceStorageSupported", "nitro-enclaves-support": "NitroEnclavesSupport",
        "nitro-tpm-support": "NitroTpmSupport", "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
        "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
        "processor-info.sustained-clock-speed-in-ghz": "ProcessorInfo.SustainedClockSpeedInGhz",
        "supported-boot-mode": "SupportedBootModes", "supported-root-device-type": "SupportedRootDeviceTypes",
        "supported-usage-class": "SupportedUsageClasses", "supported-virtualization-type": "SupportedVirtualizationTypes",
        "vcpu-info.default-cores": "VCpuInfo.DefaultCores", "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
        "vcpu-info.default-threads-per-core": "VCpuInfo.DefaultThreadsPerCore",
        "vcpu-info.valid-cores": "VCpuInfo.ValidCores", "vcpu-info.valid-threads-per-core": "VCpuInfo.ValidThreadsPerCore",
        "ebs-info.ebs-optimized-support": "EbsInfo.EbsOptimizedSupport",
        "ebs-info.encryption-support": "EbsInfo.EncryptionSupport", "ebs-info.nvme-support": "EbsInfo.NvmeSupport",
        "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps": "EbsInfo.EbsOptimizedInfo.BaselineBandwidthInMbps",
        "ebs-info.ebs-optimized-info.baseline-iops": "EbsInfo.EbsOptimizedInfo.BaselineIops",
        "ebs-info.ebs-optimized-info.maximum-iops": "EbsInfo.EbsOptimizedInfo.MaximumIops",
        "instance-storage-info.disk.count": "InstanceStorageInfo.Disks.Count",
        "instance-storage-info.disk.size-in-gb": "InstanceStorageInfo.Disks.SizeInGB",
        "instance-storage-info.disk.type": "InstanceStorageInfo.Disks.Type",
        "instance-storage-info.total-size-in-gb": "InstanceStorageInfo.TotalSizeInGB",
        "instance-storage-info.nvme-support": "InstanceStorageInfo.NvmeSupport",
        "network-info.ena-support": "NetworkInfo.EnaSupport", "network-info.efa-supported": "NetworkInfo.EfaSupported",
        "network-info.ipv4-addresses-per-interface": "NetworkInfo.Ipv4AddressesPerInterface",
        "network-info.ipv6-supported": "NetworkInfo.Ipv6Supported",
        "network-info.maximum-network-cards": "NetworkInfo.MaximumNetworkCards",
        "network-info.maximum-network-interfaces": "NetworkInfo.MaximumNetworkInterfaces",
        "network-info.network-performance": "NetworkInfo.NetworkPerformance",
        "network-info.encryption-in-transit-supported": "NetworkInfo.EncryptionInTransitSupported",
    },
    page=(5, 100),
)  # fmt: skip

OFFERINGS = Listing(
    "DescribeInstanceTypeOfferings", "InstanceTypeOfferings", "InstanceType",
    filters={"instance-type": "InstanceType", "location": "Location"},
    page=(5, 1000),
)  # fmt: skip


def instance_type(name: str) -> dict[str, Any]:
    """A type's facts."""
    if name not in INSTANCE_TYPES:
        raise invalid_value(f"Invalid value '{name}' for InstanceType.")
    return {"HibernationSupported": False, "NitroEnclavesSupport": "unsupported", **INSTANCE_TYPES[name]}


@functools.cache
def _zones(region: str) -> dict[str, frozenset[str]]:
    offers: dict[str, set[str]] = {}
    for offer in INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, []):
        offers.setdefault(offer["InstanceType"], set()).add(offer["Location"])
    return {name: frozenset(zones) for name, zones in offers.items()}


def offered_in(region: str, name: str, zone: str) -> bool:
    """Whether a type can be had in a zone."""
    return zone in _zones(region).get(name, ())


@operation("ec2", "DescribeInstanceTypes")
def describe(call: Call) -> dict[str, Any]:
    if call.get("InstanceTypes") and call.get("MaxResults"):
        raise AwsError(
            "InvalidParameterCombination", "The parameter instanceTypes cannot be used with the parameter maxResults"
        )
    offered = _zones(call.region.name)
    return TYPES(call, {"InstanceTypes": [facts for name, facts in INSTANCE_TYPES.items() if name in offered]})


@operation("ec2", "DescribeInstanceTypeOfferings")
def offerings(call: Call) -> dict[str, Any]:
    kind = call.get("LocationType", "region")
    if kind not in INSTANCE_TYPE_OFFERINGS:
        return OFFERINGS(call, {"InstanceTypeOfferings": []})
    found = INSTANCE_TYPE_OFFERINGS[kind].get(call.region.name, [])
    return OFFERINGS(call, {"InstanceTypeOfferings": [{"LocationType": kind, **offer} for offer in found]})
