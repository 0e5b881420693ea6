"""ModifyInstanceAttribute and its reader: one attribute a call, some only while stopped."""

from __future__ import annotations

import base64
from typing import Any

from ..errors import AwsError, bad_combination, invalid_value
from ..operations import Call, operation
from . import lookup, volumes
from .instance_types import instance_type, offered_in
from .instances import Instance
from .interfaces import groups_for, of_instance
from .launch import user_data

STOPPED_ONLY = ("InstanceType", "UserData", "EbsOptimized", "Kernel", "Ramdisk", "SriovNetSupport", "EnaSupport")
ATTRIBUTES = (
    "SourceDestCheck", "DisableApiStop", "DisableApiTermination", "InstanceType", "Kernel", "Ramdisk", "UserData",
    "InstanceInitiatedShutdownBehavior", "Groups", "EbsOptimized", "SriovNetSupport", "EnaSupport", "BlockDeviceMappings",
    "EnclaveOptions",
)  # fmt: skip

# The flat form of the call: an attribute's name and a value.
FLAT = {
    "instanceType": ("InstanceType", str),
    "kernel": ("Kernel", str),
    "ramdisk": ("Ramdisk", str),
    "userData": ("UserData", str),
    "disableApiTermination": ("DisableApiTermination", bool),
    "disableApiStop": ("DisableApiStop", bool),
    "instanceInitiatedShutdownBehavior": ("InstanceInitiatedShutdownBehavior", str),
    "ebsOptimized": ("EbsOptimized", bool),
    "sourceDestCheck": ("SourceDestCheck", bool),
    "sriovNetSupport": ("SriovNetSupport", str),
    "enaSupport": ("EnaSupport", bool),
}


@operation("ec2", "ModifyInstanceAttribute")
def modify(call: Call) -> dict[str, Any]:
    instance = lookup.instance(call.region, call.params["InstanceId"])
    if "Attribute" in call.params and "Value" in call.params:
        name, kind = FLAT.get(call.params["Attribute"], (None, str))
        if name is None:
            raise invalid_value(f"Value ({call.params['Attribute']}) for parameter attribute is invalid.")
        text = call.params["Value"]
        call.params[name] = {"Value": text.lower() == "true" if kind is bool else text}
    given = [name for name in ATTRIBUTES if name in call.params]
    if len(given) != 1:
        raise bad_combination("Fields for multiple attribute types specified" if given else "No attributes specified.")
    name = given[0]
    value = call.params[name].get("Value") if isinstance(call.params[name], dict) else call.params[name]
    if instance["State"]["Name"] == "terminated":
        raise AwsError("IncorrectInstanceState", f"The instance '{instance['InstanceId']}' is terminated.")
    if name in STOPPED_ONLY and instance["State"]["Name"] != "stopped":
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{instance['InstanceId']}' is not in the 'stopped' state. {name} can only be changed while it is stopped.",
        )
    _set(call, instance, name, value)
    return {}


def _set(call: Call, instance: Instance, name: str, value: Any) -> None:
    region = call.region
    interfaces = of_instance(region, instance["InstanceId"])
    match name:
        case "SourceDestCheck" | "Groups":
            if len(interfaces) != 1:
                raise AwsError(
                    "InvalidInstanceID",
                    f"There are multiple interfaces attached to instance '{instance['InstanceId']}'. Please specify an interface ID "
                    "for the operation instead.",
                )
            if name == "Groups":
                interfaces[0]["Groups"] = groups_for(region, interfaces[0]["VpcId"], value)
            else:
                interfaces[0]["SourceDestCheck"] = value
        case "DisableApiStop":
            instance["_disable_api_stop"] = value
        case "DisableApiTermination":
            instance["_disable_api_termination"] = value
        case "InstanceInitiatedShutdownBehavior":
            if value not in ("stop", "terminate"):
                raise invalid_value(f"Value ({value}) for parameter instanceInitiatedShutdownBehavior is invalid.")
            instance["_shutdown"] = value
        case "UserData":
            data = value if isinstance(value, bytes) else user_data(value)
            instance["_user_data"] = base64.b64encode(data).decode() or None
        case "InstanceType":
            _change_type(call, instance, value)
        case "BlockDeviceMappings":
            attached = {a["Device"]: a for _, a in volumes.of_instance(region, instance["InstanceId"])}
            for mapping in value:
                if mapping.get("DeviceName") not in attached:
                    raise AwsError(
                        "InvalidInstanceAttributeValue", f"No device is currently mapped at {mapping.get('DeviceName')}"
                    )
                if "DeleteOnTermination" in mapping.get("Ebs", {}):
                    attached[mapping["DeviceName"]]["DeleteOnTermination"] = mapping["Ebs"]["DeleteOnTermination"]
        case "EbsOptimized" | "EnaSupport" | "SriovNetSupport":
            instance[name] = value
        case "Kernel" | "Ramdisk":
            instance[f"{name}Id"] = value
        case "EnclaveOptions":
            instance["EnclaveOptions"] = {"Enabled": call.params["EnclaveOptions"].get("Enabled", False)}


def _change_type(call: Call, instance: Instance, name: str) -> None:
    kind = instance_type(name)
    if instance["Architecture"] not in kind["ProcessorInfo"]["SupportedArchitectures"]:
        raise invalid_value(f"The architecture of the instance type '{name}' does not match that of the instance.")
    if not offered_in(call.region.name, name, instance["Placement"]["AvailabilityZone"]):
        raise AwsError(
            "Unsupported", f"The instance type {name} is not offered in {instance['Placement']['AvailabilityZone']}."
        )
    instance["InstanceType"] = name
    instance["CpuOptions"] = {
        "CoreCount": kind["VCpuInfo"].get("DefaultCores", 1),
        "ThreadsPerCore": kind["VCpuInfo"].get("DefaultThreadsPerCore", 1),
    }
    if not kind["BurstablePerformanceSupported"]:
        instance["_credits"] = None
    elif instance["_credits"] is None:
        instance["_credits"] = "standard" if name.startswith("t2.") else "unlimited"


@operation("ec2", "DescribeInstanceAttribute")
def describe(call: Call) -> dict[str, Any]:
    instance = lookup.instance(call.region, call.params["InstanceId"])
    interfaces = of_instance(call.region, instance["InstanceId"])
    kept = instance["_user_data"]
    shown: dict[str, tuple[str, Any]] = {
        "instanceType": ("InstanceType", {"Value": instance["InstanceType"]}),
        "kernel": ("KernelId", {"Value": instance.get("KernelId")}),
        "ramdisk": ("RamdiskId", {"Value": instance.get("RamdiskId")}),
        "userData": ("UserData", {"Value": kept} if kept else {}),
        "disableApiTermination": ("DisableApiTermination", {"Value": instance["_disable_api_termination"]}),
        "disableApiStop": ("DisableApiStop", {"Value": instance["_disable_api_stop"]}),
        "instanceInitiatedShutdownBehavior": ("InstanceInitiatedShutdownBehavior", {"Value": instance["_shutdown"]}),
        "rootDeviceName": ("RootDeviceName", {"Value": instance["RootDeviceName"]}),
        "productCodes": ("ProductCodes", []),
        "sourceDestCheck": ("SourceDestCheck", {"Value": interfaces[0]["SourceDestCheck"] if interfaces else True}),
        "groupSet": ("Groups", interfaces[0]["Groups"] if interfaces else []),
        "ebsOptimized": ("EbsOptimized", {"Value": instance["EbsOptimized"]}),
        "sriovNetSupport": ("SriovNetSupport", {"Value": instance.get("SriovNetSupport")}),
        "enaSupport": ("EnaSupport", {"Value": instance["EnaSupport"]}),
        "enclaveOptions": ("EnclaveOptions", instance["EnclaveOptions"]),
        "blockDeviceMapping": (
            "BlockDeviceMappings",
            [
                {
                    "DeviceName": a["Device"],
                    "Ebs": {"VolumeId": v["VolumeId"], "Status": a["State"], "DeleteOnTermination": a["DeleteOnTermination"],
                            "AttachTime": a["AttachTime"]},
                }
                for v, a in volumes.of_instance(call.region, instance["InstanceId"])
            ],
        ),
    }  # fmt: skip
    member, value = shown[call.params["Attribute"]]
    return {"InstanceId": instance["InstanceId"], member: value}
