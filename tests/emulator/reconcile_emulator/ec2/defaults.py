"""What every account finds in every region: a default VPC with its gateway, and AWS's images."""

from __future__ import annotations

import functools
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ids import derived_id

if TYPE_CHECKING:
    from ..world import Region

CATALOGUE = json.loads((Path(__file__).parent.parent / "catalogue.json").read_text())


def prepare(region: Region) -> None:
    """Completes moto's default VPC as AWS makes it, and notes what AWS made."""
    moto = region.moto
    vpc = moto.default_vpc
    gateway = moto.create_internet_gateway()
    moto.attach_internet_gateway(gateway.id, vpc.id)
    table = next(t for t in moto.route_tables.values() if t.vpc_id == vpc.id)
    moto.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
    region.made_by_aws |= {vpc.id, gateway.id, table.id}
    region.made_by_aws |= {subnet for subnets in moto.subnets.values() for subnet in subnets}


@functools.cache
def public_images(region_name: str) -> dict[str, dict[str, Any]]:
    """AWS's and Canonical's images of a region, which all accounts see."""
    images = {}
    for entry in CATALOGUE:
        image_id = derived_id("ami", region_name, entry["name"])
        created = entry["created"]
        images[image_id] = {
            "ImageId": image_id,
            "ImageLocation": f"{entry['owner_alias'] or entry['owner_id']}/{entry['name']}",
            "ImageType": "machine",
            "Name": entry["name"],
            "Description": entry["description"],
            "OwnerId": entry["owner_id"],
            "ImageOwnerAlias": entry["owner_alias"],
            "Public": True,
            "State": "available",
            "Architecture": entry["architecture"],
            "CreationDate": created,
            "PlatformDetails": "Linux/UNIX",
            "UsageOperation": "RunInstances",
            "EnaSupport": True,
            "SriovNetSupport": "simple",
            "Hypervisor": "xen",
            "RootDeviceName": entry["root"],
            "RootDeviceType": "ebs",
            "VirtualizationType": "hvm",
            "BootMode": entry.get("boot_mode"),
            "ImdsSupport": entry.get("imds_support"),
            "BlockDeviceMappings": [
                {
                    "DeviceName": entry["root"],
                    "Ebs": {
                        "DeleteOnTermination": True,
                        "SnapshotId": derived_id("snap", region_name, entry["name"]),
                        "VolumeSize": entry["size"],
                        "VolumeType": entry["volume_type"],
                        "Encrypted": False,
                        **({"Iops": 3000, "Throughput": 125} if entry["volume_type"] == "gp3" else {}),
                    },
                }
            ],
            "Tags": [],
        }
    return images


@functools.cache
def public_snapshots(region_name: str) -> dict[str, dict[str, Any]]:
    """The snapshots under the public images."""
    snapshots = {}
    for image in public_images(region_name).values():
        ebs = image["BlockDeviceMappings"][0]["Ebs"]
        snapshots[ebs["SnapshotId"]] = {
            "SnapshotId": ebs["SnapshotId"],
            "VolumeId": "vol-ffffffff",
            "VolumeSize": ebs["VolumeSize"],
            "OwnerId": image["OwnerId"],
            "OwnerAlias": image["ImageOwnerAlias"],
            "Description": f"Snapshot of {image['Name']}",
            "StartTime": datetime.fromisoformat(image["CreationDate"].replace("Z", "+00:00")),
            "State": "completed",
            "Progress": "100%",
            "Encrypted": False,
            "StorageTier": "standard",
            "Tags": [],
        }
    return snapshots
