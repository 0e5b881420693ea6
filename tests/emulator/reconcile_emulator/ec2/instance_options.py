"""The options of an instance that have calls of their own."""

from __future__ import annotations

from typing import Any

from ..errors import AwsError, bad_combination, invalid_value
from ..operations import Call, operation
from ..reads import By, Listing
from . import lookup
from .instance_types import instance_type
from .instances import Instance


def _instance(call: Call) -> Instance:
    instance = lookup.instance(call.region, call.params["InstanceId"])
    if instance["State"]["Name"] in ("terminated", "shutting-down"):
        raise AwsError(
            "IncorrectInstanceState", f"The instance '{instance['InstanceId']}' is {instance['State']['Name']}."
        )
    return instance


def _stopped(call: Call, what: str) -> Instance:
    instance = _instance(call)
    if instance["State"]["Name"] != "stopped":
        raise AwsError(
            "IncorrectInstanceState", f"The instance '{instance['InstanceId']}' must be stopped to change its {what}."
        )
    return instance


def _given(call: Call, *names: str) -> dict[str, Any]:
    return {name: call.params[name] for name in names if name in call.params}


@operation("ec2", "ModifyInstanceMetadataOptions")
def metadata(call: Call) -> dict[str, Any]:
    instance = _instance(call)
    given = _given(
        call, "HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "HttpProtocolIpv6", "InstanceMetadataTags"
    )
    if not 1 <= given.get("HttpPutResponseHopLimit", 1) <= 64:
        raise invalid_value("The hop limit must be between 1 and 64.")
    instance["MetadataOptions"] = {**instance["MetadataOptions"], **given}
    return {
        "InstanceId": instance["InstanceId"],
        "InstanceMetadataOptions": {**instance["MetadataOptions"], "State": "pending"},
    }


@operation("ec2", "MonitorInstances", "UnmonitorInstances")
def monitoring(call: Call) -> dict[str, Any]:
    on = call.name == "MonitorInstances"
    instances = [lookup.instance(call.region, instance_id) for instance_id in call.params["InstanceIds"]]
    for instance in instances:
        instance["Monitoring"] = {"State": "pending" if on else "disabling"}

    def settle() -> None:
        for instance in instances:
            if instance["Monitoring"]["State"] in ("pending", "disabling"):
                instance["Monitoring"] = {"State": "enabled" if on else "disabled"}

    call.region.later("instance_monitoring", settle)
    return {
        "InstanceMonitorings": [{"InstanceId": i["InstanceId"], "Monitoring": dict(i["Monitoring"])} for i in instances]
    }


CREDITS = Listing(
    "DescribeInstanceCreditSpecifications", "InstanceCreditSpecifications", "InstanceId",
    by=(By("InstanceIds", "InstanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist",
           prefix="i", malformed="InvalidInstanceID.Malformed"),),
    filters={"instance-id": "InstanceId"}, page=(5, 1000), ids_exclude_paging=True,
)  # fmt: skip


@operation("ec2", "DescribeInstanceCreditSpecifications")
def credits(call: Call) -> dict[str, Any]:
    named, filtered = call.get("InstanceIds"), call.get("Filters")
    found = []
    for instance in call.region.instances.values():
        if instance["_credits"] is None or instance["State"]["Name"] == "terminated":
            if named and instance["InstanceId"] in named and instance["_credits"] is None:
                raise AwsError(
                    "InvalidInstanceID",
                    f"The instance type of '{instance['InstanceId']}' does not support CPU credits.",
                )
            continue
        # Without ids AWS lists only the instances set to unlimited.
        if named or filtered or instance["_credits"] == "unlimited":
            found.append({"InstanceId": instance["InstanceId"], "CpuCredits": instance["_credits"]})
    return CREDITS(call, {"InstanceCreditSpecifications": found})


@operation("ec2", "ModifyInstanceCreditSpecification")
def modify_credits(call: Call) -> dict[str, Any]:
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for wanted in call.params["InstanceCreditSpecifications"]:
        instance = call.region.instances.get(wanted.get("InstanceId"))
        if instance is None:
            error = {"Code": "InvalidInstanceID.NotFound", "Message": "The instance ID does not exist"}
        elif instance["_credits"] is None:
            error = {
                "Code": "InstanceCreditSpecification.NotSupported",
                "Message": "The instance type has no CPU credits",
            }
        elif instance["State"]["Name"] not in ("running", "stopped", "pending", "stopping"):
            error = {"Code": "IncorrectInstanceState", "Message": "The instance is not running or stopped"}
        else:
            instance["_credits"] = wanted.get("CpuCredits", instance["_credits"])
            done.append({"InstanceId": wanted["InstanceId"]})
            continue
        failed.append({"InstanceId": wanted.get("InstanceId"), "Error": error})
    return {"SuccessfulInstanceCreditSpecifications": done, "UnsuccessfulInstanceCreditSpecifications": failed}


@operation("ec2", "ModifyInstanceMaintenanceOptions")
def maintenance(call: Call) -> dict[str, Any]:
    instance = _instance(call)
    instance["MaintenanceOptions"] = {
        **instance["MaintenanceOptions"],
        **_given(call, "AutoRecovery", "RebootMigration"),
    }
    return {"InstanceId": instance["InstanceId"], **instance["MaintenanceOptions"]}


@operation("ec2", "ModifyPrivateDnsNameOptions")
def private_dns(call: Call) -> dict[str, Any]:
    instance = _instance(call)
    given = _given(call, "EnableResourceNameDnsARecord", "EnableResourceNameDnsAAAARecord")
    if "PrivateDnsHostnameType" in call.params:
        given["HostnameType"] = call.params["PrivateDnsHostnameType"]
        if (
            instance["State"]["Name"] != "stopped"
            and given["HostnameType"] != instance["PrivateDnsNameOptions"]["HostnameType"]
        ):
            raise AwsError(
                "IncorrectInstanceState", "The hostname type can only be changed while the instance is stopped."
            )
    instance["PrivateDnsNameOptions"] = {**instance["PrivateDnsNameOptions"], **given}
    return {"Return": True}


@operation("ec2", "ModifyInstancePlacement")
def placement(call: Call) -> dict[str, Any]:
    instance = _stopped(call, "placement")
    given = _given(call, "GroupName", "GroupId", "PartitionNumber", "Tenancy", "Affinity", "HostId")
    name = given.get("GroupName")
    if name and not any(group["GroupName"] == name for group in call.region.placement_groups.values()):
        raise AwsError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    instance["Placement"] = {**instance["Placement"], **given}
    return {"Return": True}


@operation("ec2", "ModifyInstanceCpuOptions")
def cpu(call: Call) -> dict[str, Any]:
    instance = _stopped(call, "CPU options")
    facts = instance_type(instance["InstanceType"])["VCpuInfo"]
    given = _given(call, "CoreCount", "ThreadsPerCore", "NestedVirtualization")
    cores, threads = given.get("CoreCount"), given.get("ThreadsPerCore")
    if cores is not None and cores not in facts.get("ValidCores", [cores]):
        raise bad_combination(f"{cores} is not a valid number of cores for {instance['InstanceType']}.")
    if threads is not None and threads not in facts.get("ValidThreadsPerCore", [threads]):
        raise bad_combination(f"{threads} is not a valid number of threads for {instance['InstanceType']}.")
    instance["CpuOptions"] = {**instance["CpuOptions"], **given}
    return {"InstanceId": instance["InstanceId"], **instance["CpuOptions"]}


@operation("ec2", "ModifyInstanceNetworkPerformanceOptions")
def network_performance(call: Call) -> dict[str, Any]:
    instance = _stopped(call, "bandwidth weighting")
    instance["NetworkPerformanceOptions"] = {"BandwidthWeighting": call.params["BandwidthWeighting"]}
    return {"InstanceId": instance["InstanceId"], **instance["NetworkPerformanceOptions"]}


@operation("ec2", "ModifyInstanceCapacityReservationAttributes")
def capacity_reservation(call: Call) -> dict[str, Any]:
    instance = _stopped(call, "capacity reservation")
    instance["CapacityReservationSpecification"] = call.params["CapacityReservationSpecification"]
    return {"Return": True}
