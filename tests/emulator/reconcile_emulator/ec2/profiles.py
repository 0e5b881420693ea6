"""Instance profiles on instances. The profiles themselves are in moto's IAM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends

from ..errors import AwsError, invalid_value
from ..ids import new_id
from ..operations import Call, operation
from ..reads import Listing
from ..world import utcnow
from . import lookup

if TYPE_CHECKING:
    from ..world import Region

ASSOCIATIONS = Listing(
    "DescribeIamInstanceProfileAssociations", "IamInstanceProfileAssociations", "AssociationId",
    filters={"instance-id": "InstanceId", "state": "State"}, page=(5, 1000),
)  # fmt: skip


def resolve(region: Region, wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    """The profile a call names by name or ARN."""
    if not wanted:
        return None
    for profile in iam_backends[region.account.id]["aws"].instance_profiles.values():
        if wanted.get("Name") == profile.name or wanted.get("Arn") == profile.arn:
            return {"Arn": profile.arn, "Id": profile.id}
    raise invalid_value(
        f"Value ({wanted.get('Name') or wanted.get('Arn')}) for parameter iamInstanceProfile.name is invalid. "
        "Invalid IAM Instance Profile name"
    )


def associate(region: Region, instance: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    instance["IamInstanceProfile"] = profile
    association = {
        "AssociationId": new_id("iip-assoc"),
        "InstanceId": instance["InstanceId"],
        "IamInstanceProfile": profile,
        "State": "associated",
        "Timestamp": utcnow(),
    }
    region.profile_associations[association["AssociationId"]] = association
    return association


def _association(call: Call) -> dict[str, Any]:
    association = call.region.profile_associations.get(call.params["AssociationId"])
    if association is None:
        raise AwsError(
            "InvalidAssociationID.NotFound", f"An invalid association-id of '{call.params['AssociationId']}' was given"
        )
    return association


@operation("ec2", "AssociateIamInstanceProfile")
def associate_call(call: Call) -> dict[str, Any]:
    instance = lookup.instance(call.region, call.params["InstanceId"])
    if any(a["InstanceId"] == instance["InstanceId"] for a in call.region.profile_associations.values()):
        raise AwsError("IncorrectState", f"There is an existing association for instance {instance['InstanceId']}")
    profile = resolve(call.region, call.params["IamInstanceProfile"])
    association = associate(call.region, instance, profile or {})
    return {"IamInstanceProfileAssociation": {**association, "State": "associating"}}


@operation("ec2", "ReplaceIamInstanceProfileAssociation")
def replace(call: Call) -> dict[str, Any]:
    association = _association(call)
    profile = resolve(call.region, call.params["IamInstanceProfile"])
    del call.region.profile_associations[association["AssociationId"]]
    instance = lookup.instance(call.region, association["InstanceId"])
    made = associate(call.region, instance, profile or {})
    return {"IamInstanceProfileAssociation": {**made, "State": "associating"}}


@operation("ec2", "DisassociateIamInstanceProfile")
def disassociate(call: Call) -> dict[str, Any]:
    association = _association(call)
    del call.region.profile_associations[association["AssociationId"]]
    lookup.instance(call.region, association["InstanceId"]).pop("IamInstanceProfile", None)
    return {"IamInstanceProfileAssociation": {**association, "State": "disassociating"}}


@operation("ec2", "DescribeIamInstanceProfileAssociations")
def describe(call: Call) -> dict[str, Any]:
    found = list(call.region.profile_associations.values())
    if wanted := call.get("AssociationIds"):
        found = [a for a in found if a["AssociationId"] in wanted]
    return ASSOCIATIONS(call, {"IamInstanceProfileAssociations": found})
