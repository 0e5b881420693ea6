"""Security group rules: canonical forms, duplicates, and changes by rule id."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ..errors import AwsError, bad_combination, invalid_value
from ..operations import Call, operation
from ..reads import By, Listing
from . import lookup
from .security_groups import Rule, all_groups, new_rule, rules_of

PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1", "-1": "-1"}
SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupInfo")
RULES_PER_DIRECTION = 60
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")

RULES = Listing(
    "DescribeSecurityGroupRules",
    "SecurityGroupRules",
    "SecurityGroupRuleId",
    by=(
        By("SecurityGroupRuleIds", "SecurityGroupRuleId", "InvalidSecurityGroupRuleId.NotFound",
           "The security group rule ID '{}' does not exist", prefix="sgr", malformed="InvalidSecurityGroupRuleId.Malformed"),
    ),
    filters={"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
    page=(5, 1000),
)  # fmt: skip


@operation("ec2", "DescribeSecurityGroupRules")
def describe(call: Call) -> dict[str, Any]:
    rules = [rule for group in all_groups(call.region) for rule in rules_of(call.region, group)]
    return RULES(call, {"SecurityGroupRules": rules})


def _protocol(value: str) -> str:
    name = PROTOCOLS.get(value.lower(), value.lower())
    if name not in ("tcp", "udp", "icmp", "icmpv6", "-1") and not (name.isdigit() and int(name) <= 255):
        raise invalid_value(f"Invalid value '{value}' for IP protocol. Unknown protocol.")
    return name


def _ports(protocol: str, low: int | None, high: int | None) -> tuple[int, int]:
    if protocol in ("tcp", "udp"):
        if low is None or high is None:
            raise invalid_value("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
        if not (0 <= low <= 65535 and 0 <= high <= 65535) or low > high:
            raise invalid_value(f"Invalid TCP/UDP port range ({low}:{high})")
        return low, high
    if protocol in ("icmp", "icmpv6"):
        kind, code = -1 if low is None else low, -1 if high is None else high
        if not (-1 <= kind <= 255 and -1 <= code <= 255):
            raise invalid_value(f"Invalid ICMP type or code ({kind}:{code})")
        return kind, code
    # Any other protocol has no ports; AWS drops what was sent.
    return -1, -1


def cidr(value: str, version: int) -> str:
    """A CIDR block as AWS stores it: host bits cleared, IPv6 in its shortest form."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise invalid_value(f"CIDR block {value} is malformed") from None
    if network.version != version or "/" not in value:
        raise invalid_value(f"CIDR block {value} is malformed")
    return str(network)


def _described(source: dict[str, Any], description: str | None) -> dict[str, Any]:
    if description is None:
        return source
    if not DESCRIPTION.fullmatch(description):
        raise invalid_value(
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: "
            "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        )
    return {**source, "Description": description} if description else source


def _group_source(call: Call, pair: dict[str, Any]) -> dict[str, Any]:
    if group_id := pair.get("GroupId"):
        lookup.group(call.region, group_id)
    else:
        name = pair.get("GroupName")
        vpc_id = call.region.moto.default_vpc.id
        found = next((g for g in call.region.moto.groups[vpc_id].values() if g.name == name), None)
        if found is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
        group_id = found.id
    return {"ReferencedGroupInfo": {"GroupId": group_id, "UserId": pair.get("UserId") or call.region.account.id}}


def _wanted(call: Call, group: Any, *, egress: bool) -> list[Rule]:
    """The single rules a request stands for."""
    permissions = call.get("IpPermissions")
    if not permissions:
        if not call.get("IpProtocol"):
            raise AwsError("MissingParameter", "The request must contain the parameter ipPermissions or ipProtocol")
        flat = {"IpProtocol": call.get("IpProtocol"), "FromPort": call.get("FromPort"), "ToPort": call.get("ToPort")}
        if call.get("CidrIp"):
            flat["IpRanges"] = [{"CidrIp": call.get("CidrIp")}]
        if call.get("SourceSecurityGroupName"):
            flat["UserIdGroupPairs"] = [{"GroupName": call.get("SourceSecurityGroupName")}]
        permissions = [flat]
    rules = []
    for permission in permissions:
        if permission.get("IpProtocol") is None:
            raise invalid_value(
                "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."
            )
        protocol = _protocol(permission["IpProtocol"])
        ports = _ports(protocol, permission.get("FromPort"), permission.get("ToPort"))
        sources = [
            _described({"CidrIpv4": cidr(r["CidrIp"], 4)}, r.get("Description")) for r in permission.get("IpRanges", ())
        ]
        sources += [
            _described({"CidrIpv6": cidr(r["CidrIpv6"], 6)}, r.get("Description"))
            for r in permission.get("Ipv6Ranges", ())
        ]
        sources += [
            _described({"PrefixListId": r["PrefixListId"]}, r.get("Description"))
            for r in permission.get("PrefixListIds", ())
        ]
        sources += [
            _described(_group_source(call, pair), pair.get("Description"))
            for pair in permission.get("UserIdGroupPairs", ())
        ]
        if not sources:
            raise AwsError("MissingParameter", "The request must contain the parameter cidrIp, groupId or prefixListId")
        rules += [
            new_rule(call.region, group.id, egress=egress, protocol=protocol, source=source, ports=ports)
            for source in sources
        ]
    return rules


def key_of(rule: Rule) -> tuple[Any, ...]:
    """What makes a rule the same rule; its description is not part of it."""
    source = next((str(rule[name]) for name in SOURCES if name in rule), None)
    return rule["IsEgress"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"], source


def _peer(rule: Rule) -> str:
    info = rule.get("ReferencedGroupInfo")
    return info["GroupId"] if info else next(rule[name] for name in SOURCES if name in rule)


def _group_of(call: Call) -> Any:
    if group_id := call.get("GroupId"):
        return lookup.group(call.region, group_id)
    name = call.get("GroupName")
    for group in call.region.moto.groups[call.region.moto.default_vpc.id].values():
        if group.name == name:
            return group
    raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")


@operation("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(call: Call) -> dict[str, Any]:
    egress, group = call.name.endswith("Egress"), _group_of(call)
    existing, added = rules_of(call.region, group), _wanted(call, group, egress=egress)
    if len({key_of(rule) for rule in added}) != len(added):
        raise invalid_value("The same permission must not appear multiple times")
    present = {key_of(rule) for rule in existing}
    for rule in added:
        if key_of(rule) in present:
            protocol = "ALL" if rule["IpProtocol"] == "-1" else rule["IpProtocol"].upper()
            ports = "" if rule["FromPort"] == -1 else f"from port: {rule['FromPort']}, to port: {rule['ToPort']}, "
            raise AwsError(
                "InvalidPermission.Duplicate",
                f'the specified rule "peer: {_peer(rule)}, {protocol}, {ports}ALLOW" already exists',
            )
    if sum(1 for rule in existing if rule["IsEgress"] == egress) + len(added) > RULES_PER_DIRECTION:
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )
    for rule in added:
        rule["Tags"] = call.tags_for("security-group-rule")
        call.region.created(rule["SecurityGroupRuleId"])
    existing += added
    return {"Return": True, "SecurityGroupRules": added}


@operation("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def revoke(call: Call) -> dict[str, Any]:
    egress, group = call.name.endswith("Egress"), _group_of(call)
    existing = rules_of(call.region, group)
    unknown = []
    if rule_ids := call.get("SecurityGroupRuleIds"):
        gone = [rule for rule in existing if rule["SecurityGroupRuleId"] in rule_ids and rule["IsEgress"] == egress]
        missing = set(rule_ids) - {rule["SecurityGroupRuleId"] for rule in gone}
        if missing:
            raise AwsError(
                "InvalidSecurityGroupRuleId.NotFound",
                f"The specified rule '{sorted(missing)[0]}' does not exist in this security group.",
            )
    else:
        wanted = {key_of(rule): rule for rule in _wanted(call, group, egress=egress)}
        gone = [rule for rule in existing if key_of(rule) in wanted]
        absent = set(wanted) - {key_of(rule) for rule in gone}
        if absent and group.vpc_id != call.region.moto.default_vpc.id:
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        # In the default VPC the call succeeds and names what it did not find.
        unknown = [{"IpProtocol": wanted[key]["IpProtocol"]} for key in absent]
    group.emulated_rules = [rule for rule in existing if rule not in gone]
    revoked = [
        {
            **{
                name: rule.get(name)
                for name in ("SecurityGroupRuleId", "GroupId", "IsEgress", "IpProtocol", "FromPort", "ToPort")
            },
            **{name: rule.get(name) for name in ("CidrIpv4", "CidrIpv6", "PrefixListId", "Description")},
            "ReferencedGroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId"),
        }
        for rule in gone
    ]
    return {"Return": True, "UnknownIpPermissions": unknown, "RevokedSecurityGroupRules": revoked}


@operation("ec2", "ModifySecurityGroupRules")
def modify(call: Call) -> dict[str, Any]:
    group = lookup.group(call.region, call.params["GroupId"])
    existing = {rule["SecurityGroupRuleId"]: rule for rule in rules_of(call.region, group)}
    changed = dict(existing)
    for update in call.params["SecurityGroupRules"]:
        rule_id, wanted = update["SecurityGroupRuleId"], update.get("SecurityGroupRule", {})
        if rule_id not in existing:
            raise AwsError(
                "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist"
            )
        source = {name: wanted[name] for name in ("CidrIpv4", "CidrIpv6", "PrefixListId") if wanted.get(name)}
        if wanted.get("ReferencedGroupId"):
            source |= _group_source(call, {"GroupId": wanted["ReferencedGroupId"]})
        if len(source) != 1:
            raise bad_combination(
                "Exactly one of cidrIpv4, cidrIpv6, prefixListId or referencedGroupId must be specified"
            )
        for name, version in (("CidrIpv4", 4), ("CidrIpv6", 6)):
            if name in source:
                source[name] = cidr(source[name], version)
        rule = existing[rule_id]
        if next(iter(source)) not in rule:
            raise invalid_value(
                f"Invalid rule type for security group rule '{rule_id}'. The kind of source cannot be changed."
            )
        if wanted.get("IpProtocol") is None:
            raise invalid_value(
                "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."
            )
        protocol = _protocol(wanted["IpProtocol"])
        low, high = _ports(protocol, wanted.get("FromPort"), wanted.get("ToPort"))
        kept = {name: value for name, value in rule.items() if name not in (*SOURCES, "Description")}
        kept |= {"IpProtocol": protocol, "FromPort": low, "ToPort": high}
        changed[rule_id] = _described({**kept, **source}, wanted.get("Description"))
    keys = [key_of(rule) for rule in changed.values()]
    if len(set(keys)) != len(keys):
        raise AwsError("InvalidPermission.Duplicate", "The modified rule already exists in this security group.")
    group.emulated_rules = list(changed.values())
    return {"Return": True}


@operation("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
def describe_rules(call: Call) -> dict[str, Any]:
    egress, group = call.name.endswith("Egress"), _group_of(call)
    existing = rules_of(call.region, group)
    if named := call.get("SecurityGroupRuleDescriptions"):
        wanted = {d["SecurityGroupRuleId"]: d.get("Description") for d in named}
        pairs = [
            (rule, wanted[rule["SecurityGroupRuleId"]]) for rule in existing if rule["SecurityGroupRuleId"] in wanted
        ]
        if len(pairs) != len(wanted):
            raise AwsError("InvalidSecurityGroupRuleId.NotFound", "A security group rule ID does not exist")
    else:
        keys = {key_of(rule): rule.get("Description") for rule in _wanted(call, group, egress=egress)}
        pairs = [(rule, keys[key_of(rule)]) for rule in existing if key_of(rule) in keys]
        if len(pairs) != len(keys):
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    for rule, description in pairs:
        rule.pop("Description", None)
        rule.update(_described({}, description))
    return {"Return": True}
