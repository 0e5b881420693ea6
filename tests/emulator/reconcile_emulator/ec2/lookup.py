"""Finding what a parameter names, or the error AWS gives when it names nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ids
from ..errors import AwsError
from .defaults import public_images, public_snapshots

if TYPE_CHECKING:
    from ..world import Region


def _find(
    region: Region, store: dict[str, Any], object_id: str, prefix: str, malformed: str, missing: str, text: str
) -> Any:
    if not ids.well_formed(prefix, object_id):
        raise AwsError(malformed, f'Invalid id: "{object_id}" (expecting "{prefix}-...")')
    found = store.get(object_id)
    if found is None or region.hidden_from_writes(object_id):
        raise AwsError(missing, text.format(object_id))
    return found


def instance(region: Region, instance_id: str) -> dict[str, Any]:
    return _find(
        region, region.instances, instance_id, "i",
        "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist",
    )  # fmt: skip


def volume(region: Region, volume_id: str) -> dict[str, Any]:
    return _find(
        region, region.volumes, volume_id, "vol",
        "InvalidVolumeID.Malformed", "InvalidVolume.NotFound", "The volume '{}' does not exist.",
    )  # fmt: skip


def snapshot(region: Region, snapshot_id: str) -> dict[str, Any]:
    store = {**public_snapshots(region.name), **region.snapshots}
    return _find(
        region, store, snapshot_id, "snap",
        "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound", "The snapshot '{}' does not exist.",
    )  # fmt: skip


def image(region: Region, image_id: str) -> dict[str, Any]:
    if image_id in region.retired_images:
        raise AwsError("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is no longer available")
    store = {**public_images(region.name), **region.images}
    return _find(
        region, store, image_id, "ami",
        "InvalidAMIID.Malformed", "InvalidAMIID.NotFound", "The image id '[{}]' does not exist",
    )  # fmt: skip


def interface(region: Region, interface_id: str) -> dict[str, Any]:
    return _find(
        region, region.interfaces, interface_id, "eni",
        "InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID '{}' does not exist",
    )  # fmt: skip


def vpc(region: Region, vpc_id: str) -> Any:
    return _find(
        region, region.moto.vpcs, vpc_id, "vpc",
        "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist",
    )  # fmt: skip


def subnet(region: Region, subnet_id: str) -> Any:
    store = {key: value for subnets in region.moto.subnets.values() for key, value in subnets.items()}
    return _find(
        region, store, subnet_id, "subnet",
        "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist",
    )  # fmt: skip


def group(region: Region, group_id: str, vpc_id: str | None = None) -> Any:
    store = {key: value for groups in region.moto.groups.values() for key, value in groups.items()}
    found = _find(
        region, store, group_id, "sg",
        "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "The security group '{}' does not exist",
    )  # fmt: skip
    if vpc_id is not None and found.vpc_id != vpc_id:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist in VPC '{vpc_id}'")
    return found


def default_group(region: Region, vpc_id: str) -> Any:
    return next(group for group in region.moto.groups[vpc_id].values() if group.name == "default")


def zones(region: Region) -> list[str]:
    return [zone.name for zone in region.moto.describe_availability_zones()]


def tags_of(region: Region, object_id: str) -> list[dict[str, str]]:
    """The tags of an object that lives in moto."""
    return [{"Key": key, "Value": value} for key, value in region.moto.tags.get(object_id, {}).items()]
