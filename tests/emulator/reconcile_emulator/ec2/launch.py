"""RunInstances: everything that is decided when an instance starts."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from ..errors import AwsError, bad_combination, invalid_value
from ..ids import new_id
from ..operations import Call, operation
from ..world import utcnow
from . import lookup, profiles, spot, volumes
from .images import usable
from .instance_types import instance_type, offered_in
from .instances import Instance, begin, give_public_address, reservations, set_state, view
from .interfaces import attach, create_interface, groups_for, of_instance, private_dns, remove_interface

if TYPE_CHECKING:
    from ..world import Region

MAX_USER_DATA_BYTES = 16384


@operation("ec2", "RunInstances")
def run(call: Call) -> dict[str, Any]:
    region = call.region
    _apply_template(call)
    _check_combinations(call)
    if not call.get("ImageId"):
        raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
    image = usable(region, call.params["ImageId"])
    kind = instance_type(call.get("InstanceType", "m1.small"))
    if image["Architecture"] not in kind["ProcessorInfo"]["SupportedArchitectures"]:
        raise invalid_value(
            f"The architecture '{','.join(kind['ProcessorInfo']['SupportedArchitectures'])}' of the specified instance type does "
            f"not match the architecture '{image['Architecture']}' of the specified AMI. Specify an instance type and an AMI "
            "that have matching architectures, and try again."
        )
    key_name = call.get("KeyName")
    if key_name and not any(key["KeyName"] == key_name for key in region.keys.values()):
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key_name}' does not exist")
    low, high = call.params["MinCount"], call.params["MaxCount"]
    if low < 1 or high < low:
        raise invalid_value(f"Value ({low}) for parameter minCount is invalid. Must be between 1 and maxCount.")
    user_data(call.get("UserData"))
    subnet = _subnet(call, kind["InstanceType"])
    if not offered_in(region.name, kind["InstanceType"], subnet.availability_zone):
        raise AwsError(
            "Unsupported",
            f"Your requested instance type ({kind['InstanceType']}) is not supported in your requested Availability Zone "
            f"({subnet.availability_zone}). Please retry your request by not specifying an Availability Zone or choosing another.",
        )
    mappings = block_devices(call, image)
    _rehearse(call, subnet, mappings)
    profile = profiles.resolve(region, call.get("IamInstanceProfile"))
    reservation = new_id("r")
    made: list[Instance] = []
    try:
        for index in range(high):
            made.append(_new_instance(call, image, kind, subnet, new_id("i"), reservation, index))
            _launch(call, subnet, mappings, made[-1])
    except AwsError:
        for instance in made:
            _undo(region, instance["InstanceId"])
        raise
    for instance in made:
        # An address is there from the first answer on, before the instance runs.
        give_public_address(region, instance)
        begin(call, instance)
    if profile is not None:
        for instance in made:
            profiles.associate(region, instance, profile)
    shown = [view(region, instance) for instance in made]
    return {**reservations(region, shown)[0], "_instances": made}


def _apply_template(call: Call) -> None:
    """Fills in from a launch template what the call leaves open."""
    wanted = call.get("LaunchTemplate")
    if not wanted:
        return
    moto = call.region.moto
    for template in moto.launch_templates.values():
        if wanted.get("LaunchTemplateId") == template.id or wanted.get("LaunchTemplateName") == template.name:
            version = wanted.get("Version", "$Default")
            number = {"$Default": template.default_version_number, "$Latest": template.latest_version_number}.get(
                version, version
            )
            data = template.get_version(int(number)).data
            call.params.update({name: value for name, value in dict(data).items() if name not in call.params})
            call.params["_template"] = {
                "aws:ec2launchtemplate:id": template.id,
                "aws:ec2launchtemplate:version": str(number),
            }
            return
    if "LaunchTemplateId" in wanted:
        raise AwsError("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID "
                       f"{wanted['LaunchTemplateId']}, does not exist.")  # fmt: skip
    raise AwsError("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name "
                   f"{wanted.get('LaunchTemplateName')}, does not exist.")  # fmt: skip


def _check_combinations(call: Call) -> None:
    nics = call.get("NetworkInterfaces")
    if nics:
        for name, words in (
            ("SubnetId", "an instance-level subnet ID"),
            ("SecurityGroupIds", "instance-level security groups"),
            ("SecurityGroups", "instance-level security groups"),
            ("PrivateIpAddress", "an instance-level private address"),
        ):
            if call.get(name):
                raise bad_combination(f"Network interfaces and {words} may not be specified on the same request")
        indices = [nic.get("DeviceIndex", 0) for nic in nics]
        if len(set(indices)) != len(indices) or 0 not in indices:
            raise invalid_value("Each network interface requires a device index of its own, and one must be 0.")
        if len(nics) > 1 and any(nic.get("AssociatePublicIpAddress") for nic in nics):
            raise bad_combination(
                "The associatePublicIPAddress parameter can only be specified for one network interface."
            )
    if call.get("SecurityGroups") and call.get("SecurityGroupIds"):
        raise bad_combination("The parameters groupId and groupName cannot be used together")


def user_data(value: str | None) -> bytes:
    """The bytes of user data, which travels in base64."""
    try:
        data = base64.b64decode(value or "", validate=True)
    except (binascii.Error, ValueError):
        raise invalid_value("Invalid BASE64 encoding of user data.") from None
    if len(data) > MAX_USER_DATA_BYTES:
        raise invalid_value(f"User data is limited to {MAX_USER_DATA_BYTES} bytes")
    return data


def _subnet(call: Call, kind: str) -> Any:
    region = call.region
    for nic in call.get("NetworkInterfaces", ()):
        if nic.get("DeviceIndex", 0) == 0:
            if nic.get("NetworkInterfaceId"):
                return lookup.subnet(region, lookup.interface(region, nic["NetworkInterfaceId"])["SubnetId"])
            if nic.get("SubnetId"):
                return lookup.subnet(region, nic["SubnetId"])
    if call.get("SubnetId"):
        subnet = lookup.subnet(region, call.params["SubnetId"])
        zone = call.get("Placement", {}).get("AvailabilityZone")
        if zone and zone != subnet.availability_zone:
            raise invalid_value(f"The specified subnet is not in the availability zone '{zone}'.")
        return subnet
    wanted = call.get("Placement", {}).get("AvailabilityZone")
    if wanted and wanted not in lookup.zones(region):
        raise invalid_value(f"Invalid availability zone: [{wanted}]")
    defaults = [
        s
        for subnets in region.moto.subnets.values()
        for s in subnets.values()
        if str(s.default_for_az).lower() == "true"
    ]
    for subnet in sorted(defaults, key=lambda s: s.availability_zone):
        if subnet.availability_zone == wanted or (
            not wanted and offered_in(region.name, kind, subnet.availability_zone)
        ):
            return subnet
    raise AwsError("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")


def block_devices(call: Call, image: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The volumes to make by device: the image's, changed and completed by the request's."""
    devices = {
        m["DeviceName"]: {"DeleteOnTermination": True, **m["Ebs"]} for m in image["BlockDeviceMappings"] if m.get("Ebs")
    }
    for mapping in call.get("BlockDeviceMappings", ()):
        name = mapping.get("DeviceName")
        if not name:
            raise AwsError("MissingParameter", "The request must contain the parameter deviceName")
        if "NoDevice" in mapping:
            devices.pop(name, None)
            continue
        if mapping.get("VirtualName"):
            continue
        ebs = mapping.get("Ebs", {})
        base = devices.get(name, {"DeleteOnTermination": True})
        if ebs.get("VolumeType") not in (None, base.get("VolumeType")):
            # What the image says of performance is about its own type.
            base = {k: v for k, v in base.items() if k not in ("Iops", "Throughput")}
        merged = {**base, **ebs}
        if not merged.get("VolumeSize") and not merged.get("SnapshotId"):
            raise AwsError("MissingParameter", "The request must contain the parameter size or snapshotId")
        devices[name] = merged
    root = image["RootDeviceName"]
    return {root: devices[root], **devices} if root in devices else devices


def _rehearse(call: Call, subnet: Any, mappings: dict[str, dict[str, Any]]) -> None:
    """Finds what is wrong before anything is made, so that a refused launch leaves nothing behind."""
    region = call.region
    for nic in call.get("NetworkInterfaces") or [{"Groups": _group_ids(call)}]:
        if nic.get("NetworkInterfaceId"):
            eni = lookup.interface(region, nic["NetworkInterfaceId"])
            if eni["Status"] != "available":
                raise AwsError(
                    "InvalidNetworkInterface.InUse", f"Interface {eni['NetworkInterfaceId']} is currently in use."
                )
        else:
            place = lookup.subnet(region, nic["SubnetId"]) if nic.get("SubnetId") else subnet
            groups_for(region, place.vpc_id, nic.get("Groups"))
            if place.availability_zone != subnet.availability_zone:
                raise invalid_value("All network interfaces of an instance must be in one availability zone.")
    for name, ebs in mappings.items():
        size = ebs.get("VolumeSize")
        if ebs.get("SnapshotId"):
            snapshot = lookup.snapshot(region, ebs["SnapshotId"])
            if size is not None and size < snapshot["VolumeSize"]:
                raise AwsError(
                    "InvalidBlockDeviceMapping",
                    f"Volume of size {size}GB is smaller than snapshot '{ebs['SnapshotId']}', expect size >= {snapshot['VolumeSize']}GB",
                )
            size = size or snapshot["VolumeSize"]
        volumes.performance(ebs.get("VolumeType") or "gp2", size, _iops(ebs), ebs.get("Throughput"))


def _iops(ebs: dict[str, Any]) -> int | None:
    return ebs.get("Iops") if (ebs.get("VolumeType") or "gp2") in ("gp3", "io1", "io2") else None


def _group_ids(call: Call) -> list[str] | None:
    if names := call.get("SecurityGroups"):
        groups = call.region.moto.groups[call.region.moto.default_vpc.id].values()
        found = {group.name: group.id for group in groups}
        for name in names:
            if name not in found:
                raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
        return [found[name] for name in names]
    return call.get("SecurityGroupIds")


def _launch(call: Call, subnet: Any, mappings: dict[str, Any], instance: Instance) -> None:
    """Puts an instance into the world with its interfaces and volumes."""
    region, instance_id = call.region, instance["InstanceId"]
    nics = call.get("NetworkInterfaces") or [
        {
            "Groups": _group_ids(call),
            "PrivateIpAddress": call.get("PrivateIpAddress"),
            "Ipv6AddressCount": call.get("Ipv6AddressCount", 0),
            "Ipv6Addresses": call.get("Ipv6Addresses", ()),
            "DeviceIndex": 0,
        }
    ]
    primary_nic = next(nic for nic in nics if nic.get("DeviceIndex", 0) == 0)
    wants_public = primary_nic.get("AssociatePublicIpAddress")
    automatic = str(subnet.map_public_ip_on_launch).lower() == "true"
    instance["_public"] = (automatic if wants_public is None else wants_public) and not primary_nic.get(
        "NetworkInterfaceId"
    )
    region.instances[instance_id] = instance
    region.created(instance_id)
    for nic in nics:
        _interface(call, nic, subnet, instance_id)
    instance["PrivateDnsName"] = private_dns(region, view(region, instance)["PrivateIpAddress"])
    for device, ebs in mappings.items():
        volume = volumes.create_volume(
            region,
            subnet.availability_zone,
            size=ebs.get("VolumeSize"),
            kind=ebs.get("VolumeType"),
            iops=_iops(ebs),
            throughput=ebs.get("Throughput"),
            encrypted=bool(ebs.get("Encrypted")),
            kms_key=ebs.get("KmsKeyId"),
            snapshot_id=ebs.get("SnapshotId"),
            tags=call.tags_for("volume"),
        )
        volumes.attach(volume, instance_id, device, delete=ebs["DeleteOnTermination"])


def _undo(region: Region, instance_id: str) -> None:
    """Takes back a launch that failed half-way: AWS starts all that is asked for or nothing."""
    for interface in of_instance(region, instance_id):
        remove_interface(region, interface)
    for volume, _ in volumes.of_instance(region, instance_id):
        del region.volumes[volume["VolumeId"]]
    region.instances.pop(instance_id, None)


def _interface(call: Call, nic: dict[str, Any], subnet: Any, instance_id: str) -> None:
    region, index = call.region, nic.get("DeviceIndex", 0)
    if nic.get("NetworkInterfaceId"):
        attach(region, region.interfaces[nic["NetworkInterfaceId"]], instance_id, index, delete=False)
        return
    entries = nic.get("PrivateIpAddresses", [])
    primary = nic.get("PrivateIpAddress") or next((e["PrivateIpAddress"] for e in entries if e.get("Primary")), None)
    interface = create_interface(
        region,
        lookup.subnet(region, nic["SubnetId"]) if nic.get("SubnetId") else subnet,
        nic.get("Groups"),
        description=nic.get("Description", ""),
        private_ip=primary,
        secondary=nic.get("SecondaryPrivateIpAddressCount", 0),
        more_ips=[e["PrivateIpAddress"] for e in entries if e["PrivateIpAddress"] != primary],
        tags=call.tags_for("network-interface"),
        ipv6_count=nic.get("Ipv6AddressCount", 0),
        ipv6_addresses=[entry["Ipv6Address"] for entry in nic.get("Ipv6Addresses", ())],
    )
    if nic.get("PrimaryIpv6") and interface["Ipv6Addresses"]:
        interface["Ipv6Addresses"][0]["IsPrimaryIpv6"] = True
    attach(region, interface, instance_id, index, delete=nic.get("DeleteOnTermination", True))


def _new_instance(
    call: Call, image: dict[str, Any], kind: dict[str, Any], subnet: Any, instance_id: str, reservation: str, index: int
) -> Instance:
    placement, cpu = call.get("Placement", {}), call.get("CpuOptions", {})
    group = placement.get("GroupName")
    if group and not any(known["GroupName"] == group for known in call.region.placement_groups.values()):
        raise AwsError("InvalidPlacementGroup.Unknown", f"The Placement Group '{group}' is unknown.")
    imds_v2 = image.get("ImdsSupport") == "v2.0"
    burstable = kind["BurstablePerformanceSupported"]
    credits = call.get("CreditSpecification", {}).get("CpuCredits")
    if credits and not burstable:
        raise bad_combination(f"The instance type {kind['InstanceType']} does not support CPU credits.")
    optimized = kind["EbsInfo"]["EbsOptimizedSupport"]
    if call.get("EbsOptimized") and optimized == "unsupported":
        raise AwsError(
            "InvalidParameterCombination", f"EBS-optimized instances are not supported for {kind['InstanceType']}."
        )
    if call.get("HibernationOptions", {}).get("Configured") and not kind["HibernationSupported"]:
        raise AwsError(
            "UnsupportedHibernationConfiguration", f"Hibernation is not supported for {kind['InstanceType']}."
        )
    if call.get("EnclaveOptions", {}).get("Enabled") and kind["NitroEnclavesSupport"] != "supported":
        raise bad_combination(f"The instance type {kind['InstanceType']} does not support Nitro Enclaves.")
    now = utcnow()
    instance: Instance = {
        "InstanceId": instance_id,
        "AmiLaunchIndex": index,
        "Architecture": image["Architecture"],
        "BootMode": image.get("BootMode"),
        "CapacityReservationSpecification": call.get("CapacityReservationSpecification")
        or {"CapacityReservationPreference": "open"},
        "ClientToken": call.get("ClientToken", ""),
        "CpuOptions": {
            "CoreCount": cpu.get("CoreCount", kind["VCpuInfo"].get("DefaultCores", 1)),
            "ThreadsPerCore": cpu.get("ThreadsPerCore", kind["VCpuInfo"].get("DefaultThreadsPerCore", 1)),
            "AmdSevSnp": cpu.get("AmdSevSnp"),
        },
        "CurrentInstanceBootMode": "uefi" if image["Architecture"] == "arm64" else "legacy-bios",
        "EbsOptimized": call.get("EbsOptimized", False),
        "EnaSupport": True,
        "EnclaveOptions": {"Enabled": call.get("EnclaveOptions", {}).get("Enabled", False)},
        "HibernationOptions": {"Configured": call.get("HibernationOptions", {}).get("Configured", False)},
        "Hypervisor": "xen",
        "ImageId": image["ImageId"],
        "InstanceType": kind["InstanceType"],
        "KeyName": call.get("KeyName"),
        "LaunchTime": now,
        "MaintenanceOptions": {"AutoRecovery": call.get("MaintenanceOptions", {}).get("AutoRecovery", "default"),
                               "RebootMigration": "default"},
        "MetadataOptions": {
            "State": "applied",
            "HttpTokens": "required" if imds_v2 else "optional",
            "HttpPutResponseHopLimit": 2 if imds_v2 else 1,
            "HttpEndpoint": "enabled",
            "HttpProtocolIpv6": "disabled",
            "InstanceMetadataTags": "disabled",
            **call.get("MetadataOptions", {}),
        },
        "Monitoring": {"State": "enabled" if call.get("Monitoring", {}).get("Enabled") else "disabled"},
        "NetworkPerformanceOptions": {
            "BandwidthWeighting": call.get("NetworkPerformanceOptions", {}).get("BandwidthWeighting", "default")
        },
        "Operator": {"Managed": False},
        "Placement": {
            "AvailabilityZone": subnet.availability_zone,
            "AvailabilityZoneId": subnet.availability_zone_id,
            "GroupName": placement.get("GroupName", ""),
            "GroupId": placement.get("GroupId"),
            "PartitionNumber": placement.get("PartitionNumber"),
            "HostId": placement.get("HostId"),
            "HostResourceGroupArn": placement.get("HostResourceGroupArn"),
            "Affinity": placement.get("Affinity"),
            "Tenancy": placement.get("Tenancy", "default"),
        },
        "PlatformDetails": "Linux/UNIX",
        "PrivateDnsNameOptions": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
            **call.get("PrivateDnsNameOptions", {}),
        },
        "ProductCodes": [],
        "RootDeviceName": image["RootDeviceName"],
        "RootDeviceType": "ebs",
        "SourceDestCheck": True,
        "StateTransitionReason": "",
        "SubnetId": subnet.id,
        "Tags": call.tags_for("instance")
        + [{"Key": key, "Value": value} for key, value in call.get("_template", {}).items()],
        "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": now,
        "VirtualizationType": "hvm",
        "VpcId": subnet.vpc_id,
        "_owner": call.region.account.id,
        "_reservation": reservation,
        "_reboots": 0,
        "_user_data": call.get("UserData"),
        "_disable_api_termination": call.get("DisableApiTermination", False),
        "_disable_api_stop": call.get("DisableApiStop", False),
        "_shutdown": call.get("InstanceInitiatedShutdownBehavior", "stop"),
        "_credits": (credits or ("standard" if kind["InstanceType"].startswith("t2.") else "unlimited")) if burstable else None,
    }  # fmt: skip
    if call.get("InstanceMarketOptions", {}).get("MarketType") == "spot":
        instance["InstanceLifecycle"] = "spot"
        instance["SpotInstanceRequestId"] = spot.request(call, instance_id)
    set_state(instance, "pending")
    return instance
