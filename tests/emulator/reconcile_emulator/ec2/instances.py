"""Instances as they are seen, and their way through start, stop and termination."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow
from . import lookup, volumes
from .interfaces import detach as detach_interface
from .interfaces import of_instance, public_address, public_dns, remove_interface, set_public

if TYPE_CHECKING:
    from ..world import Region

Instance = dict[str, Any]

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}

INSTANCES = Listing(
    "DescribeInstances", "Instances", "InstanceId",
    by=(By("InstanceIds", "InstanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist",
           prefix="i", malformed="InvalidInstanceID.Malformed"),),
    filters={
        "instance-id": "InstanceId", "instance-state-name": "State.Name", "instance-state-code": "State.Code",
        "instance-type": "InstanceType", "image-id": "ImageId", "key-name": "KeyName", "client-token": "ClientToken",
        "architecture": "Architecture", "availability-zone": "Placement.AvailabilityZone",
        "availability-zone-id": "Placement.AvailabilityZoneId", "placement-group-name": "Placement.GroupName",
        "tenancy": "Placement.Tenancy", "affinity": "Placement.Affinity", "host-id": "Placement.HostId",
        "subnet-id": "SubnetId", "vpc-id": "VpcId", "dns-name": "PublicDnsName", "ip-address": "PublicIpAddress",
        "private-dns-name": "PrivateDnsName", "private-ip-address": "PrivateIpAddress", "launch-time": "LaunchTime",
        "launch-index": "AmiLaunchIndex", "monitoring-state": "Monitoring.State", "hypervisor": "Hypervisor",
        "root-device-name": "RootDeviceName", "root-device-type": "RootDeviceType", "source-dest-check": "SourceDestCheck",
        "virtualization-type": "VirtualizationType", "ebs-optimized": "EbsOptimized", "instance-lifecycle": "InstanceLifecycle",
        "owner-id": "_owner", "reservation-id": "_reservation", "requester-id": "_requester",
        "group-id": "SecurityGroups.GroupId", "group-name": "SecurityGroups.GroupName",
        "instance.group-id": "SecurityGroups.GroupId", "instance.group-name": "SecurityGroups.GroupName",
        "reason": "StateTransitionReason", "state-reason-code": "StateReason.Code", "state-reason-message": "StateReason.Message",
        "iam-instance-profile.arn": "IamInstanceProfile.Arn", "iam-instance-profile.id": "IamInstanceProfile.Id",
        "hibernation-options.configured": "HibernationOptions.Configured", "platform": "Platform",
        "platform-details": "PlatformDetails", "usage-operation": "UsageOperation", "boot-mode": "BootMode",
        "metadata-options.http-tokens": "MetadataOptions.HttpTokens",
        "metadata-options.http-endpoint": "MetadataOptions.HttpEndpoint",
        "metadata-options.http-put-response-hop-limit": "MetadataOptions.HttpPutResponseHopLimit",
        "metadata-options.instance-metadata-tags": "MetadataOptions.InstanceMetadataTags",
        "maintenance-options.auto-recovery": "MaintenanceOptions.AutoRecovery",
        "enclave-options.enabled": "EnclaveOptions.Enabled",
        "block-device-mapping.volume-id": "BlockDeviceMappings.Ebs.VolumeId",
        "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
        "block-device-mapping.status": "BlockDeviceMappings.Ebs.Status",
        "block-device-mapping.delete-on-termination": "BlockDeviceMappings.Ebs.DeleteOnTermination",
        "block-device-mapping.attach-time": "BlockDeviceMappings.Ebs.AttachTime",
        "network-interface.network-interface-id": "NetworkInterfaces.NetworkInterfaceId",
        "network-interface.subnet-id": "NetworkInterfaces.SubnetId", "network-interface.vpc-id": "NetworkInterfaces.VpcId",
        "network-interface.group-id": "NetworkInterfaces.Groups.GroupId",
        "network-interface.group-name": "NetworkInterfaces.Groups.GroupName",
        "network-interface.description": "NetworkInterfaces.Description",
        "network-interface.status": "NetworkInterfaces.Status",
        "network-interface.attachment.attachment-id": "NetworkInterfaces.Attachment.AttachmentId",
        "network-interface.attachment.device-index": "NetworkInterfaces.Attachment.DeviceIndex",
        "network-interface.addresses.private-ip-address": "NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress",
        "network-interface.addresses.association.public-ip": "NetworkInterfaces.PrivateIpAddresses.Association.PublicIp",
        "network-interface.association.public-ip": "NetworkInterfaces.Association.PublicIp",
    },
    page=(5, 1000), ids_exclude_paging=True,
)  # fmt: skip


def set_state(instance: Instance, name: str) -> None:
    instance["State"] = {"Code": CODES[name], "Name": name}


def view(region: Region, instance: Instance) -> Instance:
    """An instance with what follows from its interfaces and volumes."""
    instance_id = instance["InstanceId"]
    return _view(region, instance, of_instance(region, instance_id), volumes.of_instance(region, instance_id))


def _view(
    region: Region,
    instance: Instance,
    interfaces: list[dict[str, Any]],
    attached: list[tuple[dict[str, Any], dict[str, Any]]],
) -> Instance:
    shown = dict(instance)
    shown["NetworkInterfaces"] = [
        {
            **{name: eni.get(name) for name in (
                "Association", "Attachment", "Description", "Groups", "Ipv6Addresses", "MacAddress", "NetworkInterfaceId",
                "OwnerId", "PrivateDnsName", "PrivateIpAddress", "PrivateIpAddresses", "SourceDestCheck", "Status",
                "SubnetId", "VpcId", "InterfaceType",
            )},
        }
        for eni in interfaces
    ]  # fmt: skip
    if interfaces:
        primary = interfaces[0]
        shown["SecurityGroups"] = primary["Groups"]
        shown["PrivateIpAddress"] = primary["PrivateIpAddress"]
        shown["SourceDestCheck"] = primary["SourceDestCheck"]
        shown["SubnetId"], shown["VpcId"] = primary["SubnetId"], primary["VpcId"]
        public = primary.get("Association", {}).get("PublicIp")
        shown["PublicIpAddress"] = public
        shown["PublicDnsName"] = public_dns(region, public) if public else ""
        if primary["Ipv6Addresses"]:
            shown["Ipv6Address"] = primary["Ipv6Addresses"][0]["Ipv6Address"]
    else:
        shown["SecurityGroups"] = []
        shown["PrivateDnsName"] = shown["PublicDnsName"] = ""
    shown["BlockDeviceMappings"] = [
        {
            "DeviceName": attachment["Device"],
            "Ebs": {
                "VolumeId": volume["VolumeId"],
                "Status": attachment["State"],
                "AttachTime": attachment["AttachTime"],
                "DeleteOnTermination": attachment["DeleteOnTermination"],
            },
        }
        for volume, attachment in attached
    ]
    return shown


def reservations(region: Region, instances: list[Instance]) -> list[dict[str, Any]]:
    """Instances gathered by the call that started them."""
    gathered: dict[str, dict[str, Any]] = {}
    for instance in instances:
        reservation = gathered.setdefault(
            instance["_reservation"],
            {"ReservationId": instance["_reservation"], "OwnerId": region.account.id, "Groups": [], "Instances": []},
        )
        reservation["Instances"].append(instance)
    return list(gathered.values())


def _views(region: Region, wanted: list[str] | None) -> list[Instance]:
    """Views of the wanted instances, or of all: one pass over interfaces and volumes, not one each."""
    names = region.instances if wanted is None else dict.fromkeys(wanted)
    interfaces: dict[str, list[dict[str, Any]]] = {}
    for eni in region.interfaces.values():
        if "Attachment" in eni:
            interfaces.setdefault(eni["Attachment"].get("InstanceId"), []).append(eni)
    attached: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for volume in region.volumes.values():
        for attachment in volume["Attachments"]:
            attached.setdefault(attachment["InstanceId"], []).append((volume, attachment))
    return [
        _view(
            region,
            region.instances[name],
            sorted(interfaces.get(name, ()), key=lambda eni: eni["Attachment"]["DeviceIndex"]),
            attached.get(name, []),
        )
        for name in names
        if name in region.instances
    ]


@operation("ec2", "DescribeInstances")
def describe(call: Call) -> dict[str, Any]:
    result = INSTANCES(call, {"Instances": _views(call.region, call.get("InstanceIds"))})
    return {"Reservations": reservations(call.region, result["Instances"]), "NextToken": result["NextToken"]}


STATUSES = Listing(
    "DescribeInstanceStatus", "InstanceStatuses", "InstanceId", by=INSTANCES.by,
    filters={
        "availability-zone": "AvailabilityZone", "instance-state-name": "InstanceState.Name",
        "instance-state-code": "InstanceState.Code", "instance-status.status": "InstanceStatus.Status",
        "instance-status.reachability": "InstanceStatus.Details.Status", "system-status.status": "SystemStatus.Status",
        "system-status.reachability": "SystemStatus.Details.Status",
    },
    page=(5, 1000), ids_exclude_paging=True,
)  # fmt: skip


@operation("ec2", "DescribeInstanceStatus")
def describe_status(call: Call) -> dict[str, Any]:
    for instance_id in call.get("InstanceIds", ()):
        lookup.instance(call.region, instance_id)
    found = []
    for instance in call.region.instances.values():
        running = instance["State"]["Name"] == "running"
        if not running and not call.get("IncludeAllInstances"):
            continue
        health: dict[str, Any] = {"Status": "not-applicable"}
        if running:
            health = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
        found.append(
            {
                "InstanceId": instance["InstanceId"],
                "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
                "InstanceState": instance["State"],
                "InstanceStatus": health,
                "SystemStatus": health,
                "Events": [],
            }
        )
    if wanted := call.get("InstanceIds"):
        found = [status for status in found if status["InstanceId"] in wanted]
        call.params["InstanceIds"] = [status["InstanceId"] for status in found]
    return STATUSES(call, {"InstanceStatuses": found})


def _change(instance: Instance, previous: dict[str, Any]) -> dict[str, Any]:
    return {"InstanceId": instance["InstanceId"], "CurrentState": dict(instance["State"]), "PreviousState": previous}


def _named(call: Call) -> list[Instance]:
    wanted = call.params["InstanceIds"]
    missing = [i for i in wanted if i.startswith("i-") and i not in call.region.instances]
    if len(missing) > 1:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(missing)}' do not exist")
    return [lookup.instance(call.region, instance_id) for instance_id in wanted]


def give_public_address(region: Region, instance: Instance) -> None:
    """A public address for the time the instance runs, unless it has one of its own."""
    for eni in of_instance(region, instance["InstanceId"])[:1]:
        if instance["_public"] and "Association" not in eni:
            set_public(region, eni, {"PublicIp": public_address(), "IpOwnerId": "amazon"})


def _take_public_address(region: Region, instance: Instance) -> None:
    for eni in of_instance(region, instance["InstanceId"]):
        if eni.get("Association", {}).get("IpOwnerId") == "amazon":
            set_public(region, eni, None)


@operation("ec2", "StartInstances")
def start(call: Call) -> dict[str, Any]:
    instances = _named(call)
    for instance in instances:
        if instance["State"]["Name"] not in ("stopped", "running", "pending"):
            raise _wrong_state(instance, "started")
    changes = []
    for instance in instances:
        previous = dict(instance["State"])
        if previous["Name"] == "stopped":
            set_state(instance, "pending")
            # AWS counts whole seconds, and a stop takes it many of them: two starts never share one.
            instance["LaunchTime"] = max(utcnow(), instance["LaunchTime"] + timedelta(seconds=1))
            instance["StateTransitionReason"] = ""
            instance.pop("StateReason", None)
            begin(call, instance)
        changes.append(_change(instance, previous))
    return {"StartingInstances": changes}


def begin(call: Call, instance: Instance) -> None:
    """Lets a pending instance run, or end at once when a fault wants that."""
    region, outcome = call.region, call.outcome

    def settle() -> None:
        if instance["State"]["Name"] != "pending":
            return
        if outcome is None:
            set_state(instance, "running")
            give_public_address(region, instance)
        else:
            _end(region, instance)
            instance["StateReason"] = {"Code": outcome.code, "Message": f"{outcome.code}: {outcome.message}"}
            instance["StateTransitionReason"] = outcome.code

    region.later("instance_pending", settle)


@operation("ec2", "StopInstances")
def stop(call: Call) -> dict[str, Any]:
    instances = _named(call)
    for instance in instances:
        if instance["State"]["Name"] in ("shutting-down", "terminated", "pending"):
            raise _wrong_state(instance, "stopped")
        if instance["_disable_api_stop"]:
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{instance['InstanceId']}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
            )
    changes = []
    for instance in instances:
        previous = dict(instance["State"])
        if previous["Name"] == "running":
            set_state(instance, "stopping")
            _user_did(instance)
            call.region.later("instance_stopping", lambda instance=instance: _stopped(call.region, instance))
        changes.append(_change(instance, previous))
    return {"StoppingInstances": changes}


def _stopped(region: Region, instance: Instance) -> None:
    if instance["State"]["Name"] == "stopping":
        set_state(instance, "stopped")
        _take_public_address(region, instance)


def _user_did(instance: Instance) -> None:
    instance["StateTransitionReason"] = f"User initiated ({utcnow():%Y-%m-%d %H:%M:%S} GMT)"
    instance["StateReason"] = {
        "Code": "Client.UserInitiatedShutdown",
        "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
    }


@operation("ec2", "RebootInstances")
def reboot(call: Call) -> dict[str, Any]:
    for instance in _named(call):
        if instance["State"]["Name"] != "running":
            raise _wrong_state(instance, "rebooted")
        instance["_reboots"] += 1
    return {}


@operation("ec2", "GetPasswordData")
def password(call: Call) -> dict[str, Any]:
    instance = lookup.instance(call.region, call.params["InstanceId"])
    # Linux has none.
    return {"InstanceId": instance["InstanceId"], "PasswordData": "", "Timestamp": utcnow()}


@operation("ec2", "TerminateInstances")
def terminate(call: Call) -> dict[str, Any]:
    instances = _named(call)
    guarded = [i for i in instances if i["_disable_api_termination"] and i["State"]["Name"] != "terminated"]
    # AWS still terminates what is named in other zones, though the call fails.
    zones = {instance["Placement"]["AvailabilityZone"] for instance in guarded}
    changes = []
    for instance in instances:
        if instance["Placement"]["AvailabilityZone"] in zones:
            continue
        previous = dict(instance["State"])
        if previous["Name"] not in ("shutting-down", "terminated"):
            set_state(instance, "shutting-down")
            _user_did(instance)
            call.region.later("instance_shutting_down", lambda instance=instance: _end(call.region, instance))
        changes.append(_change(instance, previous))
    if guarded:
        raise AwsError(
            "OperationNotPermitted",
            f"The instance '{guarded[0]['InstanceId']}' may not be terminated. Modify its 'disableApiTermination' instance "
            "attribute and try again.",
        )
    return {"TerminatingInstances": changes}


def _end(region: Region, instance: Instance) -> None:
    """Terminates: volumes and interfaces go or stay as they were told, the name stays for a while."""
    if instance["State"]["Name"] == "terminated":
        return
    instance_id = instance["InstanceId"]
    _take_public_address(region, instance)
    for volume, attachment in volumes.of_instance(region, instance_id):
        volume["Attachments"].remove(attachment)
        volume["State"] = "in-use" if volume["Attachments"] else "available"
        if attachment["DeleteOnTermination"]:
            del region.volumes[volume["VolumeId"]]
    for eni in of_instance(region, instance_id):
        if eni["Attachment"]["DeleteOnTermination"]:
            remove_interface(region, eni)
        else:
            detach_interface(eni)
    for association_id, association in list(region.profile_associations.items()):
        if association["InstanceId"] == instance_id:
            del region.profile_associations[association_id]
    set_state(instance, "terminated")
    for name in ("SubnetId", "VpcId", "PrivateIpAddress", "PublicIpAddress"):
        instance.pop(name, None)
    instance["Monitoring"] = {"State": "disabled"}
    region.later("instance_terminated_visible", lambda: region.instances.pop(instance_id, None) and None)


def _wrong_state(instance: Instance, verb: str) -> AwsError:
    return AwsError(
        "IncorrectInstanceState",
        f"The instance '{instance['InstanceId']}' is not in a state from which it can be {verb}: it is {instance['State']['Name']}.",
    )
