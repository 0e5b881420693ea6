"""EBS snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..faults import Fault
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow
from . import lookup
from .defaults import public_snapshots
from .volumes import of_instance

if TYPE_CHECKING:
    from ..world import Region

Snapshot = dict[str, Any]

SNAPSHOTS = Listing(
    "DescribeSnapshots", "Snapshots", "SnapshotId",
    by=(By("SnapshotIds", "SnapshotId", "InvalidSnapshot.NotFound", "The snapshot '{}' does not exist.",
           prefix="snap", malformed="InvalidSnapshotID.Malformed"),),
    filters={
        "snapshot-id": "SnapshotId", "description": "Description", "encrypted": "Encrypted", "owner-alias": "OwnerAlias",
        "owner-id": "OwnerId", "progress": "Progress", "start-time": "StartTime", "status": "State",
        "storage-tier": "StorageTier", "volume-id": "VolumeId", "volume-size": "VolumeSize",
    },
    page=(5, 1000), ids_exclude_paging=True,
)  # fmt: skip


def create_snapshot(
    region: Region, source: dict[str, Any], description: str, tags: list[dict[str, str]], outcome: Fault | None = None
) -> Snapshot:
    """Begins a snapshot of a volume, or a copy of another snapshot."""
    snapshot = {
        "SnapshotId": new_id("snap"),
        "VolumeId": source["VolumeId"],
        "VolumeSize": source.get("Size") or source["VolumeSize"],
        "OwnerId": region.account.id,
        "Description": description,
        "StartTime": utcnow(),
        "State": "pending",
        "Progress": "0%",
        "Encrypted": source["Encrypted"],
        "KmsKeyId": source.get("KmsKeyId"),
        "StorageTier": "standard",
        "Tags": tags,
    }
    region.snapshots[snapshot["SnapshotId"]] = snapshot
    region.created(snapshot["SnapshotId"])

    def settle() -> None:
        if outcome is None:
            snapshot.update(State="completed", Progress="100%", CompletionTime=utcnow())
        else:
            snapshot.update(State="error", StateMessage=outcome.message)

    region.later("snapshot_pending", settle)
    return snapshot


@operation("ec2", "DescribeSnapshots")
def describe(call: Call) -> dict[str, Any]:
    region = call.region
    own = list(region.snapshots.values())
    # Only a list of one's own spares the reader the public ones.
    found = own + list(public_snapshots(region.name).values())
    if owners := call.get("OwnerIds"):
        wanted = {region.account.id if owner == "self" else owner for owner in owners}
        found = [s for s in found if s["OwnerId"] in wanted or s.get("OwnerAlias") in wanted]
    return SNAPSHOTS(call, {"Snapshots": found})


@operation("ec2", "CreateSnapshot")
def create(call: Call) -> dict[str, Any]:
    volume = lookup.volume(call.region, call.params["VolumeId"])
    return create_snapshot(call.region, volume, call.get("Description", ""), call.tags_for("snapshot"), call.outcome)


@operation("ec2", "CreateSnapshots")
def create_many(call: Call) -> dict[str, Any]:
    wanted = call.params["InstanceSpecification"]
    instance = lookup.instance(call.region, wanted["InstanceId"])
    skipped = set(wanted.get("ExcludeDataVolumeIds", ()))
    made = []
    for volume, attachment in of_instance(call.region, instance["InstanceId"]):
        root = attachment["Device"] == instance["RootDeviceName"]
        if volume["VolumeId"] not in skipped and not (root and wanted.get("ExcludeBootVolume")):
            made.append(
                create_snapshot(
                    call.region, volume, call.get("Description", ""), call.tags_for("snapshot"), call.outcome
                )
            )
    return {"Snapshots": made}


@operation("ec2", "CopySnapshot")
def copy(call: Call) -> dict[str, Any]:
    source_region = call.region.account.region(call.params["SourceRegion"])
    source = lookup.snapshot(source_region, call.params["SourceSnapshotId"])
    made = create_snapshot(
        call.region, {**source, "VolumeId": "vol-ffffffff"}, call.get("Description", ""), call.tags_for("snapshot")
    )
    if call.get("Encrypted"):
        made["Encrypted"] = True
    return {"SnapshotId": made["SnapshotId"], "Tags": made["Tags"]}


@operation("ec2", "DeleteSnapshot")
def delete(call: Call) -> dict[str, Any]:
    snapshot_id = call.params["SnapshotId"]
    snapshot = lookup.snapshot(call.region, snapshot_id)
    if snapshot["OwnerId"] != call.region.account.id:
        raise AwsError("OperationNotPermitted", f"The snapshot '{snapshot_id}' is not yours.")
    user = image_using(call.region, snapshot_id)
    if user is not None:
        raise AwsError("InvalidSnapshot.InUse", f"The snapshot {snapshot_id} is currently in use by {user}")
    del call.region.snapshots[snapshot_id]
    return {}


def image_using(region: Region, snapshot_id: str) -> str | None:
    """The image that stands on a snapshot."""
    for image in region.images.values():
        for mapping in image["BlockDeviceMappings"]:
            if mapping.get("Ebs", {}).get("SnapshotId") == snapshot_id:
                return image["ImageId"]
    return None
