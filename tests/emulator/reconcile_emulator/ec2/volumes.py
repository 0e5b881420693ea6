"""EBS volumes: their types' rules, attachments, and modifications that take time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AwsError, bad_combination, invalid_value
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow
from . import lookup

if TYPE_CHECKING:
    from ..world import Region

Volume = dict[str, Any]

VOLUMES = Listing(
    "DescribeVolumes", "Volumes", "VolumeId",
    by=(By("VolumeIds", "VolumeId", "InvalidVolume.NotFound", "The volume '{}' does not exist.",
           prefix="vol", malformed="InvalidVolumeID.Malformed"),),
    filters={
        "volume-id": "VolumeId", "status": "State", "size": "Size", "snapshot-id": "SnapshotId", "volume-type": "VolumeType",
        "availability-zone": "AvailabilityZone", "availability-zone-id": "AvailabilityZoneId", "create-time": "CreateTime",
        "encrypted": "Encrypted", "fast-restored": "FastRestored", "multi-attach-enabled": "MultiAttachEnabled",
        "attachment.instance-id": "Attachments.InstanceId", "attachment.device": "Attachments.Device",
        "attachment.status": "Attachments.State", "attachment.delete-on-termination": "Attachments.DeleteOnTermination",
        "attachment.attach-time": "Attachments.AttachTime",
    },
    page=(5, 1000), ids_exclude_paging=True,
)  # fmt: skip

MODIFICATIONS = Listing(
    "DescribeVolumesModifications", "VolumesModifications", "VolumeId",
    filters={
        "volume-id": "VolumeId", "modification-state": "ModificationState", "start-time": "StartTime",
        "target-size": "TargetSize", "target-volume-type": "TargetVolumeType", "target-iops": "TargetIops",
        "original-size": "OriginalSize", "original-volume-type": "OriginalVolumeType", "original-iops": "OriginalIops",
        "multi-attach-enabled": "TargetMultiAttachEnabled",
    },
    page=(1, 500),
)  # fmt: skip

# Type: smallest and largest size in GiB, then the same of IOPS where they can be set.
LIMITS: dict[str, tuple[int, int, tuple[int, int] | None]] = {
    "gp2": (1, 16384, None),
    "gp3": (1, 65536, (3000, 80000)),
    "io1": (4, 16384, (100, 64000)),
    "io2": (4, 65536, (100, 256000)),
    "st1": (125, 16384, None),
    "sc1": (125, 16384, None),
    "standard": (1, 1024, None),
}


def performance(kind: str, size: int, iops: int | None, throughput: int | None) -> dict[str, int | None]:
    """The IOPS and throughput a volume gets, checked against its type's rules."""
    low, high, iops_range = LIMITS[kind]
    if not low <= size <= high:
        raise invalid_value(
            f"Volume of {size}GiB is invalid for volume type {kind}; must be between {low}GiB and {high}GiB."
        )
    if throughput is not None and kind != "gp3":
        raise bad_combination(f"The parameter throughput is not supported for {kind} volumes.")
    if iops_range is None:
        if iops is not None:
            raise bad_combination(f"The parameter iops is not supported for {kind} volumes.")
        return {"Iops": min(16000, max(100, 3 * size)) if kind == "gp2" else None, "Throughput": None}
    if iops is None:
        if kind != "gp3":
            raise AwsError("MissingParameter", f"The parameter iops must be specified for {kind} volumes.")
        iops = 3000
    if not iops_range[0] <= iops <= iops_range[1]:
        raise invalid_value(f"Volume iops of {iops} is invalid; must be between {iops_range[0]} and {iops_range[1]}.")
    if kind != "gp3":
        return {"Iops": iops, "Throughput": None}
    throughput = 125 if throughput is None else throughput
    if not 125 <= throughput <= 2000 or throughput > max(125, iops // 4):
        raise invalid_value(f"Throughput of {throughput}MiB/s is invalid for a gp3 volume with {iops} IOPS.")
    return {"Iops": iops, "Throughput": throughput}


def create_volume(
    region: Region,
    zone: str,
    *,
    size: int | None,
    kind: str | None,
    iops: int | None = None,
    throughput: int | None = None,
    encrypted: bool = False,
    kms_key: str | None = None,
    snapshot_id: str | None = None,
    multi_attach: bool = False,
    initialization_rate: int | None = None,
    tags: list[dict[str, str]] | None = None,
    code_for_size: str = "InvalidParameterValue",
) -> Volume:
    """Makes a volume; its state is `creating`, the caller says when that ends."""
    if zone not in lookup.zones(region):
        raise AwsError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
    if snapshot_id:
        snapshot = lookup.snapshot(region, snapshot_id)
        if snapshot["State"] != "completed":
            raise AwsError("IncorrectState", f"Snapshot is in invalid state - {snapshot['State']}")
        if size is not None and size < snapshot["VolumeSize"]:
            raise AwsError(
                code_for_size,
                f"Volume of size {size}GB is smaller than snapshot '{snapshot_id}', expect size >= {snapshot['VolumeSize']}GB",
            )
        size = size or snapshot["VolumeSize"]
        encrypted = encrypted or bool(snapshot.get("Encrypted"))
    if size is None:
        raise AwsError("MissingParameter", "The request must contain the parameter size or snapshotId")
    if kms_key and not encrypted:
        raise AwsError(
            "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."
        )
    kind = kind or "gp2"
    volume = {
        "VolumeId": new_id("vol"),
        "AvailabilityZone": zone,
        "Size": size,
        "VolumeType": kind,
        **performance(kind, size, iops, throughput),
        "Encrypted": encrypted,
        "KmsKeyId": (kms_key or f"arn:aws:kms:{region.name}:{region.account.id}:key/aws-ebs") if encrypted else None,
        "SnapshotId": snapshot_id or "",
        "MultiAttachEnabled": multi_attach,
        "VolumeInitializationRate": initialization_rate,
        "State": "creating",
        "CreateTime": utcnow(),
        "Attachments": [],
        "Tags": tags or [],
    }
    region.volumes[volume["VolumeId"]] = volume
    region.created(volume["VolumeId"])
    return volume


def attach(volume: Volume, instance_id: str, device: str, *, delete: bool, state: str = "attached") -> dict[str, Any]:
    attachment = {
        "VolumeId": volume["VolumeId"],
        "InstanceId": instance_id,
        "Device": device,
        "State": state,
        "AttachTime": utcnow(),
        "DeleteOnTermination": delete,
    }
    volume["Attachments"].append(attachment)
    volume["State"] = "in-use"
    return attachment


def of_instance(region: Region, instance_id: str) -> list[tuple[Volume, dict[str, Any]]]:
    """An instance's volumes with their attachments, the root first."""
    return [
        (volume, attachment)
        for volume in region.volumes.values()
        for attachment in volume["Attachments"]
        if attachment["InstanceId"] == instance_id
    ]


@operation("ec2", "DescribeVolumes")
def describe(call: Call) -> dict[str, Any]:
    return VOLUMES(call, {"Volumes": list(call.region.volumes.values())})


@operation("ec2", "CreateVolume")
def create(call: Call) -> dict[str, Any]:
    zone = call.get("AvailabilityZone")
    if zone is None:
        raise AwsError("MissingParameter", "The request must contain the parameter availabilityZone")
    volume = create_volume(
        call.region,
        zone,
        size=call.get("Size"),
        kind=call.get("VolumeType"),
        iops=call.get("Iops"),
        throughput=call.get("Throughput"),
        encrypted=call.get("Encrypted", False),
        kms_key=call.get("KmsKeyId"),
        snapshot_id=call.get("SnapshotId"),
        multi_attach=call.get("MultiAttachEnabled", False),
        initialization_rate=call.get("VolumeInitializationRate"),
        tags=call.tags_for("volume"),
    )
    outcome = call.outcome

    def settle() -> None:
        if volume["State"] == "creating":
            volume["State"] = "available" if outcome is None else "error"

    call.region.later("volume_creating", settle)
    return volume


@operation("ec2", "DeleteVolume")
def delete(call: Call) -> dict[str, Any]:
    volume = lookup.volume(call.region, call.params["VolumeId"])
    if volume["Attachments"]:
        raise AwsError(
            "VolumeInUse",
            f"Volume {volume['VolumeId']} is currently attached to {volume['Attachments'][0]['InstanceId']}",
        )
    if volume["State"] == "creating":
        raise AwsError("IncorrectState", f"The volume '{volume['VolumeId']}' is 'creating'")
    del call.region.volumes[volume["VolumeId"]]
    call.region.modifications.pop(volume["VolumeId"], None)
    return {}


@operation("ec2", "AttachVolume")
def attach_call(call: Call) -> dict[str, Any]:
    region = call.region
    volume = lookup.volume(region, call.params["VolumeId"])
    instance = lookup.instance(region, call.params["InstanceId"])
    instance_id, device = instance["InstanceId"], call.params["Device"]
    if instance["State"]["Name"] not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{instance_id}' is not 'running'.")
    if volume["AvailabilityZone"] != instance["Placement"]["AvailabilityZone"]:
        raise AwsError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume['VolumeId']}' is not in the same availability zone as instance '{instance_id}'",
        )
    if volume["Attachments"] and not volume["MultiAttachEnabled"]:
        raise AwsError("VolumeInUse", f"{volume['VolumeId']} is already attached to an instance")
    if volume["State"] not in ("available", "in-use"):
        raise AwsError("IncorrectState", f"{volume['VolumeId']} is not 'available'.")
    if any(attachment["Device"] == device for _, attachment in of_instance(region, instance_id)):
        raise invalid_value(f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use")
    attachment = attach(volume, instance_id, device, delete=False, state="attaching")

    def settle() -> None:
        if attachment["State"] == "attaching":
            attachment["State"] = "attached"

    region.later("volume_attaching", settle)
    return attachment


@operation("ec2", "DetachVolume")
def detach_call(call: Call) -> dict[str, Any]:
    region = call.region
    volume = lookup.volume(region, call.params["VolumeId"])
    volume_id, instance_id, device = volume["VolumeId"], call.get("InstanceId"), call.get("Device")
    if not volume["Attachments"]:
        raise AwsError("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
    attachment = next(
        (
            a
            for a in volume["Attachments"]
            if (not instance_id or a["InstanceId"] == instance_id) and (not device or a["Device"] == device)
        ),
        None,
    )
    if attachment is None:
        raise AwsError(
            "InvalidAttachment.NotFound",
            f"The volume '{volume_id}' is not attached to instance '{instance_id}' as device '{device}'.",
        )
    instance = region.instances[attachment["InstanceId"]]
    if attachment["Device"] == instance["RootDeviceName"] and instance["State"]["Name"] == "running":
        raise AwsError(
            "OperationNotPermitted",
            f"Unable to detach root volume '{volume_id}' from instance '{attachment['InstanceId']}'",
        )
    attachment["State"] = "detaching"

    def settle() -> None:
        if attachment in volume["Attachments"]:
            volume["Attachments"].remove(attachment)
            volume["State"] = "in-use" if volume["Attachments"] else "available"

    region.later("volume_detaching", settle)
    return attachment


@operation("ec2", "ModifyVolume")
def modify(call: Call) -> dict[str, Any]:
    region, volume = call.region, lookup.volume(call.region, call.params["VolumeId"])
    volume_id, previous = volume["VolumeId"], region.modifications.get(volume["VolumeId"])
    if previous is not None and previous["ModificationState"] in ("modifying", "optimizing"):
        raise AwsError(
            "IncorrectModificationState",
            f"Volume {volume_id} in state '{previous['ModificationState']}' cannot be modified",
        )
    if previous is not None and previous["_count"] >= region.setting("volume_modifications"):
        raise AwsError(
            "VolumeModificationRateExceeded", "You've reached the maximum modification rate per volume limit."
        )
    size, kind = call.get("Size", volume["Size"]), call.get("VolumeType", volume["VolumeType"])
    if size < volume["Size"]:
        raise invalid_value("New size cannot be smaller than existing size")
    same_kind = kind == volume["VolumeType"]
    iops = call.get("Iops", volume["Iops"] if same_kind and LIMITS[kind][2] else None)
    throughput = call.get("Throughput", volume["Throughput"] if same_kind else None)
    target = {"Size": size, "VolumeType": kind, **performance(kind, size, iops, throughput)}
    target["MultiAttachEnabled"] = call.get("MultiAttachEnabled", volume["MultiAttachEnabled"])
    names = ("Size", "VolumeType", "Iops", "Throughput", "MultiAttachEnabled")
    modification: dict[str, Any] = {
        "VolumeId": volume_id,
        "ModificationState": "modifying",
        "Progress": 0,
        "StartTime": utcnow(),
        **{f"Original{name}": volume.get(name) for name in names},
        **{f"Target{name}": target.get(name) for name in names},
        "_count": previous["_count"] + 1 if previous else 1,
    }
    region.modifications[volume_id] = modification
    outcome = call.outcome

    def completed() -> None:
        modification.update(ModificationState="completed", Progress=100, EndTime=utcnow())

    def applied() -> None:
        if outcome is not None:
            modification.update(ModificationState="failed", StatusMessage=outcome.message, EndTime=utcnow())
            return
        volume.update(target)
        modification.update(ModificationState="optimizing", Progress=50)
        if region.setting("volume_optimizing"):
            region.later("volume_optimizing", completed)
        else:
            completed()

    region.later("volume_modifying", applied)
    return {"VolumeModification": modification}


@operation("ec2", "DescribeVolumesModifications")
def modifications(call: Call) -> dict[str, Any]:
    found = list(call.region.modifications.values())
    if wanted := call.get("VolumeIds"):
        for volume_id in wanted:
            lookup.volume(call.region, volume_id)
            if volume_id not in call.region.modifications:
                raise AwsError(
                    "InvalidVolumeModification.NotFound", f"Modification for volume '{volume_id}' does not exist."
                )
        found = [m for m in found if m["VolumeId"] in wanted]
    return MODIFICATIONS(call, {"VolumesModifications": found})


@operation("ec2", "DescribeVolumeStatus")
def status(call: Call) -> dict[str, Any]:
    found = [
        {
            "VolumeId": volume["VolumeId"],
            "AvailabilityZone": volume["AvailabilityZone"],
            "VolumeStatus": {"Status": "ok", "Details": [{"Name": "io-enabled", "Status": "passed"}]},
            "Actions": [],
            "Events": [],
        }
        for volume in call.region.volumes.values()
    ]
    row = Listing("DescribeVolumeStatus", "VolumeStatuses", "VolumeId", by=VOLUMES.by, filters={
        "volume-status.status": "VolumeStatus.Status", "availability-zone": "AvailabilityZone"}, page=(5, 1000))  # fmt: skip
    return row(call, {"VolumeStatuses": found})


@operation("ec2", "DescribeVolumeAttribute")
def attribute(call: Call) -> dict[str, Any]:
    volume = lookup.volume(call.region, call.params["VolumeId"])
    return {
        "VolumeId": volume["VolumeId"],
        "AutoEnableIO": {"Value": volume.get("_auto_enable_io", False)},
        "ProductCodes": [],
    }


@operation("ec2", "ModifyVolumeAttribute")
def modify_attribute(call: Call) -> dict[str, Any]:
    volume = lookup.volume(call.region, call.params["VolumeId"])
    volume["_auto_enable_io"] = call.get("AutoEnableIO", {}).get("Value", False)
    return {}
