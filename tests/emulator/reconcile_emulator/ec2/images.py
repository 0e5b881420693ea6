"""Images: from instances, copied, registered; and what becomes of their snapshots."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ..errors import AwsError, invalid_value
from ..ids import new_id
from ..operations import Call, operation
from ..protocol import timestamp
from ..reads import By, Listing
from ..world import utcnow
from . import lookup
from .defaults import public_images
from .snapshots import create_snapshot, image_using
from .volumes import of_instance

if TYPE_CHECKING:
    from ..world import Region

Image = dict[str, Any]

NAME = re.compile(r"[\w()\[\] ./\-'@]{3,128}", re.ASCII)

IMAGES = Listing(
    "DescribeImages", "Images", "ImageId",
    by=(By("ImageIds", "ImageId", "InvalidAMIID.NotFound", "The image id '[{}]' does not exist",
           prefix="ami", malformed="InvalidAMIID.Malformed"),),
    filters={
        "image-id": "ImageId", "name": "Name", "description": "Description", "state": "State", "architecture": "Architecture",
        "owner-id": "OwnerId", "owner-alias": "ImageOwnerAlias", "is-public": "Public", "image-type": "ImageType",
        "root-device-name": "RootDeviceName", "root-device-type": "RootDeviceType", "hypervisor": "Hypervisor",
        "virtualization-type": "VirtualizationType", "creation-date": "CreationDate", "ena-support": "EnaSupport",
        "sriov-net-support": "SriovNetSupport", "platform": "Platform", "kernel-id": "KernelId",
        "ramdisk-id": "RamdiskId", "manifest-location": "ImageLocation", "product-code": "ProductCodes.ProductCodeId",
        "product-code.type": "ProductCodes.ProductCodeType", "source-image-id": "SourceImageId",
        "source-image-region": "SourceImageRegion", "source-instance-id": "SourceInstanceId",
        "state-reason-code": "StateReason.Code", "state-reason-message": "StateReason.Message",
        "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
        "block-device-mapping.snapshot-id": "BlockDeviceMappings.Ebs.SnapshotId",
        "block-device-mapping.volume-size": "BlockDeviceMappings.Ebs.VolumeSize",
        "block-device-mapping.volume-type": "BlockDeviceMappings.Ebs.VolumeType",
        "block-device-mapping.delete-on-termination": "BlockDeviceMappings.Ebs.DeleteOnTermination",
        "block-device-mapping.encrypted": "BlockDeviceMappings.Ebs.Encrypted",
    },
    page=(1, 1000), ids_exclude_paging=True,
)  # fmt: skip


@operation("ec2", "DescribeImages")
def describe(call: Call) -> dict[str, Any]:
    region = call.region
    found = [*region.images.values(), *public_images(region.name).values()]
    if owners := call.get("Owners"):
        wanted = {region.account.id if owner == "self" else owner for owner in owners}
        found = [i for i in found if i["OwnerId"] in wanted or i.get("ImageOwnerAlias") in wanted]
    if users := call.get("ExecutableUsers"):
        wanted = {region.account.id if user == "self" else user for user in users}
        found = [
            i
            for i in found
            if (i["Public"] and "all" in wanted) or any(p.get("UserId") in wanted for p in i.get("_permissions", ()))
        ]
    # For a while after it is deregistered, an image asked for by id is an empty answer, not an error.
    call.params["ImageIds"] = [i for i in call.get("ImageIds", ()) if i not in region.retired_images] or None
    if call.params["ImageIds"] is None and any(key.startswith("ImageId.") for key in call.form):
        return {"Images": []}
    return IMAGES(call, {"Images": found})


def _new_image(call: Call, name: str, **members: Any) -> Image:
    region = call.region
    if not NAME.fullmatch(name):
        raise AwsError(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, and ()[] ./-'@_",
        )
    holder = next(
        (i["ImageId"] for i in region.images.values() if i["Name"] == name), region.reserved_image_names.get(name)
    )
    if holder is not None:
        raise AwsError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {holder}")
    image_id = new_id("ami")
    image = {
        "ImageId": image_id,
        "ImageLocation": f"{region.account.id}/{name}",
        "ImageType": "machine",
        "Name": name,
        "Description": call.get("Description") or None,
        "OwnerId": region.account.id,
        "Public": False,
        "State": "pending",
        "CreationDate": timestamp(utcnow()),
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "EnaSupport": True,
        "SriovNetSupport": "simple",
        "Hypervisor": "xen",
        "RootDeviceType": "ebs",
        "VirtualizationType": "hvm",
        "Tags": call.tags_for("image"),
        "_permissions": [],
        **members,
    }
    region.images[image_id] = image
    region.created(image_id)
    outcome = call.outcome

    def settle() -> None:
        if image["State"] != "pending":
            return
        if outcome is None:
            image["State"] = "available"
        else:
            image["State"] = "failed"
            image["StateReason"] = {"Code": outcome.code, "Message": outcome.message}

    region.later("image_pending", settle)
    return image


@operation("ec2", "CreateImage")
def create(call: Call) -> dict[str, Any]:
    region, instance = call.region, lookup.instance(call.region, call.params["InstanceId"])
    instance_id = instance["InstanceId"]
    if instance["State"]["Name"] not in ("running", "stopped"):
        raise AwsError(
            "IncorrectInstanceState", f"The instance '{instance_id}' is not in a state from which it can be imaged."
        )
    overrides = {
        mapping["DeviceName"]: mapping for mapping in call.get("BlockDeviceMappings", ()) if mapping.get("DeviceName")
    }
    image = _new_image(
        call,
        call.params["Name"],
        Architecture=instance["Architecture"],
        RootDeviceName=instance["RootDeviceName"],
        SourceInstanceId=instance_id,
        SourceImageId=instance["ImageId"],
        SourceImageRegion=region.name,
        BootMode=instance.get("BootMode"),
        BlockDeviceMappings=[],
    )
    description = f"Created by CreateImage({instance_id}) for {image['ImageId']}"
    tags = call.tags_for("snapshot")
    for volume, attachment in of_instance(region, instance_id):
        override = overrides.pop(attachment["Device"], {})
        if "NoDevice" in override:
            continue
        snapshot = create_snapshot(region, volume, description, [dict(tag) for tag in tags])
        ebs = {
            "DeleteOnTermination": attachment["DeleteOnTermination"],
            "SnapshotId": snapshot["SnapshotId"],
            "VolumeSize": volume["Size"],
            "VolumeType": volume["VolumeType"],
            "Iops": volume["Iops"] if volume["VolumeType"] in ("gp3", "io1", "io2") else None,
            "Throughput": volume["Throughput"],
            "Encrypted": volume["Encrypted"],
        }
        ebs.update({k: v for k, v in override.get("Ebs", {}).items() if k == "DeleteOnTermination"})
        image["BlockDeviceMappings"].append({"DeviceName": attachment["Device"], "Ebs": ebs})
    image["BlockDeviceMappings"] += [dict(mapping) for mapping in overrides.values() if "NoDevice" not in mapping]
    if not call.get("NoReboot", False):
        instance["_reboots"] += 1
    return {"ImageId": image["ImageId"]}


@operation("ec2", "CopyImage")
def copy(call: Call) -> dict[str, Any]:
    source_region = call.region.account.region(call.params["SourceRegion"])
    source = lookup.image(source_region, call.params["SourceImageId"])
    if source["State"] != "available":
        raise AwsError("InvalidAMIID.Unavailable", f"The image '{source['ImageId']}' is not available")
    kept = {
        name: source.get(name) for name in ("Architecture", "RootDeviceName", "BootMode", "ImdsSupport", "Platform")
    }
    image = _new_image(
        call, call.params["Name"], **kept, SourceImageId=source["ImageId"], SourceImageRegion=source_region.name,
        BlockDeviceMappings=[],
    )  # fmt: skip
    if call.get("CopyImageTags"):
        image["Tags"] = image["Tags"] or [dict(tag) for tag in source["Tags"]]
    for mapping in source["BlockDeviceMappings"]:
        copied = {**mapping}
        if "Ebs" in mapping:
            under = lookup.snapshot(source_region, mapping["Ebs"]["SnapshotId"])
            text = f"Copied for DestinationAmi {image['ImageId']} from SourceAmi {source['ImageId']}"
            made = create_snapshot(call.region, {**under, "VolumeId": "vol-ffffffff"}, text, call.tags_for("snapshot"))
            encrypted = bool(call.get("Encrypted") or under["Encrypted"])
            made["Encrypted"] = encrypted
            copied["Ebs"] = {**mapping["Ebs"], "SnapshotId": made["SnapshotId"], "Encrypted": encrypted}
        image["BlockDeviceMappings"].append(copied)
    return {"ImageId": image["ImageId"]}


@operation("ec2", "RegisterImage")
def register(call: Call) -> dict[str, Any]:
    mappings = []
    for mapping in call.get("BlockDeviceMappings", ()):
        ebs = dict(mapping.get("Ebs", {}))
        if snapshot_id := ebs.get("SnapshotId"):
            under = lookup.snapshot(call.region, snapshot_id)
            ebs.setdefault("VolumeSize", under["VolumeSize"])
            ebs.setdefault("VolumeType", "gp2")
            ebs.setdefault("DeleteOnTermination", True)
            ebs["Encrypted"] = under["Encrypted"]
        mappings.append({**mapping, "Ebs": ebs})
    image = _new_image(
        call,
        call.params["Name"],
        Architecture=call.get("Architecture", "i386"),
        RootDeviceName=call.get("RootDeviceName", "/dev/sda1"),
        BootMode=call.get("BootMode"),
        ImdsSupport=call.get("ImdsSupport"),
        EnaSupport=call.get("EnaSupport", False),
        VirtualizationType=call.get("VirtualizationType", "paravirtual"),
        BlockDeviceMappings=mappings,
    )
    return {"ImageId": image["ImageId"]}


@operation("ec2", "DeregisterImage")
def deregister(call: Call) -> dict[str, Any]:
    region, image = call.region, lookup.image(call.region, call.params["ImageId"])
    image_id = image["ImageId"]
    if image["OwnerId"] != region.account.id:
        raise AwsError("AuthFailure", f"Not authorized for image:{image_id}", 403)
    if image.get("_protected"):
        raise AwsError("OperationNotPermitted", f"The image '{image_id}' is protected from deregistration.")
    del region.images[image_id]
    region.retired_images.add(image_id)
    if region.setting("image_name_reserved"):
        region.reserved_image_names[image["Name"]] = image_id
        region.at(
            time.monotonic() + region.setting("image_name_reserved"),
            lambda: region.reserved_image_names.pop(image["Name"], None) and None,
        )
    results = []
    if call.get("DeleteAssociatedSnapshots"):
        for mapping in image["BlockDeviceMappings"]:
            snapshot_id = mapping.get("Ebs", {}).get("SnapshotId")
            if snapshot_id is None or snapshot_id not in region.snapshots:
                continue
            shared = image_using(region, snapshot_id) is not None
            if not shared:
                del region.snapshots[snapshot_id]
            results.append({"SnapshotId": snapshot_id, "ReturnCode": "skipped" if shared else "success"})
    return {"Return": True, "DeleteSnapshotResults": results}


@operation("ec2", "DescribeImageAttribute")
def attribute(call: Call) -> dict[str, Any]:
    image = lookup.image(call.region, call.params["ImageId"])
    shown: dict[str, Any] = {
        "description": ("Description", {"Value": image.get("Description") or ""}),
        "launchPermission": ("LaunchPermissions", image.get("_permissions", [])),
        "bootMode": ("BootMode", {"Value": image.get("BootMode")}),
        "imdsSupport": ("ImdsSupport", {"Value": image.get("ImdsSupport")}),
        "sriovNetSupport": ("SriovNetSupport", {"Value": image.get("SriovNetSupport")}),
        "productCodes": ("ProductCodes", []),
        "deregistrationProtection": (
            "DeregistrationProtection",
            {"Value": "enabled" if image.get("_protected") else "disabled"},
        ),
    }
    name = call.params["Attribute"]
    if name not in shown:
        raise AwsError("AuthFailure", "Unauthorized attempt to access restricted resource", 403)
    member, value = shown[name]
    return {"ImageId": image["ImageId"], member: value}


@operation("ec2", "ModifyImageAttribute")
def modify_attribute(call: Call) -> dict[str, Any]:
    image = lookup.image(call.region, call.params["ImageId"])
    if image["OwnerId"] != call.region.account.id:
        raise AwsError("AuthFailure", f"Not authorized for image:{image['ImageId']}", 403)
    if "Description" in call.params:
        image["Description"] = call.params["Description"].get("Value")
    elif call.get("Attribute") == "description":
        image["Description"] = call.get("Value")
    elif "ImdsSupport" in call.params:
        image["ImdsSupport"] = call.params["ImdsSupport"].get("Value")
    else:
        change = call.get("LaunchPermission", {})
        flat = [{"UserId": user} for user in call.get("UserIds", ())] + [
            {"Group": group} for group in call.get("UserGroups", ())
        ]
        added = change.get("Add", []) + (flat if call.get("OperationType") == "add" else [])
        removed = change.get("Remove", []) + (flat if call.get("OperationType") == "remove" else [])
        if not added and not removed:
            raise invalid_value("No attributes specified.")
        kept = [p for p in image["_permissions"] if p not in removed]
        image["_permissions"] = kept + [p for p in added if p not in kept]
        image["Public"] = {"Group": "all"} in image["_permissions"]
    return {}


@operation("ec2", "EnableImageDeprecation", "DisableImageDeprecation")
def deprecation(call: Call) -> dict[str, Any]:
    image = lookup.image(call.region, call.params["ImageId"])
    when = call.get("DeprecateAt")
    # AWS keeps whole minutes.
    image["DeprecationTime"] = timestamp(when.replace(second=0, microsecond=0)) if when else None
    return {"Return": True}


@operation("ec2", "EnableImageDeregistrationProtection", "DisableImageDeregistrationProtection")
def protection(call: Call) -> dict[str, Any]:
    image = lookup.image(call.region, call.params["ImageId"])
    image["_protected"] = call.name.startswith("Enable")
    return {"Return": "enabled" if image["_protected"] else "disabled"}


def usable(region: Region, image_id: str) -> Image:
    """An image to launch from."""
    image = lookup.image(region, image_id)
    if image["State"] != "available":
        raise AwsError("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available")
    return image
