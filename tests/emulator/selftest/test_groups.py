"""Security groups and their rules, and what holds groups, subnets and VPCs in place."""

from __future__ import annotations

from .support import Case, named


def tcp(port: int, cidr: str = "0.0.0.0/0", **more: str) -> dict:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr, **more}]}


class Rules(Case):
    def permissions(self, group: str) -> list:
        return self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]

    def rules(self, group: str, egress: bool = False) -> list:
        found = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
            "SecurityGroupRules"
        ]
        return [rule for rule in found if rule["IsEgress"] == egress]

    def test_canonical_forms(self):
        group = self.account.group()
        wanted = [
            tcp(80, "10.1.2.3/8"),
            {"IpProtocol": "6", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "2001:0DB8::0001/32"}]},
            {"IpProtocol": "all", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": group}]},
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        ]
        answer = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=wanted)
        self.assertEqual(4, len(answer["SecurityGroupRules"]))
        by_protocol = {(p["IpProtocol"], p.get("FromPort")): p for p in self.permissions(group)}
        self.assertEqual("10.0.0.0/8", by_protocol["tcp", 80]["IpRanges"][0]["CidrIp"])
        self.assertEqual("2001:db8::/32", by_protocol["tcp", 443]["Ipv6Ranges"][0]["CidrIpv6"])
        self.assertEqual(group, by_protocol["-1", None]["UserIdGroupPairs"][0]["GroupId"])
        self.assertEqual(-1, by_protocol["icmp", 8]["ToPort"])

    def test_duplicates_and_bad_rules(self):
        group = self.account.group()
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, "10.0.0.0/8")])
        with self.refused("InvalidPermission.Duplicate"):
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(22), tcp(80, "10.9.9.9/8")])
        self.assertEqual(1, len(self.rules(group)))
        for bad in (tcp(70000), tcp(80, "10.0.0.0/33"), tcp(80, "nonsense"), {**tcp(80), "ToPort": 70},
                    {**tcp(80), "IpProtocol": "magic"}):  # fmt: skip
            with self.refused("InvalidParameterValue"):
                self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[bad])
        with self.refused("InvalidGroup.NotFound"):
            self.ec2.authorize_security_group_ingress(
                GroupId=group,
                IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]}],
            )

    def test_change_by_rule_id(self):
        group = self.account.group()
        made = self.ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[tcp(80, Description="old")],
            TagSpecifications=named("security-group-rule", a="b"),
        )["SecurityGroupRules"][0]
        rule_id = made["SecurityGroupRuleId"]
        self.assertEqual([{"Key": "a", "Value": "b"}], made["Tags"])
        self.ec2.modify_security_group_rules(
            GroupId=group,
            SecurityGroupRules=[
                {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": {
                    "IpProtocol": "tcp", "FromPort": 81, "ToPort": 82, "CidrIpv4": "10.5.5.5/16", "Description": "new"}}
            ],
        )  # fmt: skip
        rule = self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"][0]
        self.assertEqual(
            (81, 82, "10.5.0.0/16", "new"), (rule["FromPort"], rule["ToPort"], rule["CidrIpv4"], rule["Description"])
        )
        self.ec2.update_security_group_rule_descriptions_ingress(
            GroupId=group, SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": rule_id, "Description": "newest"}]
        )
        self.assertEqual("newest", self.rules(group)[0]["Description"])
        self.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule_id])
        with self.refused("InvalidSecurityGroupRuleId.NotFound"):
            self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])

    def test_egress_begins_open(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        rule = self.rules(group, egress=True)[0]
        self.assertEqual(
            ("-1", -1, -1, "0.0.0.0/0"), (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["CidrIpv4"])
        )
        every = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=every)
        with self.refused("InvalidPermission.NotFound"):
            self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=every)

    def test_rule_limit(self):
        group = self.account.group()
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(port) for port in range(1, 61)])
        with self.refused("RulesPerSecurityGroupLimitExceeded"):
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(99)])


class Dependencies(Case):
    def test_groups_in_use(self):
        used, referenced, referring = (self.account.group(name) for name in ("used", "referenced", "referring"))
        instance_id = self.account.run(SecurityGroupIds=[used])["InstanceId"]
        pair = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": referenced}]}]
        self.ec2.authorize_security_group_ingress(GroupId=referring, IpPermissions=pair)
        for group in (used, referenced):
            with self.refused("DependencyViolation"):
                self.ec2.delete_security_group(GroupId=group)
        with self.refused("InvalidGroup.Duplicate"):
            self.account.group("used")
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        for group in (used, referring, referenced):
            self.ec2.delete_security_group(GroupId=group)
        with self.refused("InvalidGroup.NotFound"):
            self.ec2.delete_security_group(GroupId=used)

    def test_networks_in_use(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.0.1.5/16")["Vpc"]
        self.assertEqual("10.0.0.0/16", vpc["CidrBlock"])
        subnet = self.ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        with self.refused("InvalidSubnet.Conflict"):
            self.ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.1.128/25")
        eni = self.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        with self.refused("DependencyViolation"):
            self.ec2.delete_subnet(SubnetId=subnet)
        with self.refused("DependencyViolation"):
            self.ec2.delete_vpc(VpcId=vpc["VpcId"])
        self.ec2.delete_network_interface(NetworkInterfaceId=eni)
        self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=vpc["VpcId"])
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])

    def test_addresses_and_gateways(self):
        address = self.ec2.allocate_address(Domain="vpc")
        instance_id = self.account.run()["InstanceId"]
        self.account.vpc()
        first = self.ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance_id)[
            "AssociationId"
        ]
        again = self.ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance_id)[
            "AssociationId"
        ]
        self.assertEqual(first, again)
        self.assertEqual(address["PublicIp"], self.account.instance(instance_id)["PublicIpAddress"])
        with self.refused("InvalidIPAddress.InUse"):
            self.ec2.release_address(AllocationId=address["AllocationId"])
        self.ec2.disassociate_address(AssociationId=first)
        gateway = self.ec2.create_nat_gateway(SubnetId=self.account.subnet(), AllocationId=address["AllocationId"])[
            "NatGateway"
        ]
        self.assertEqual("pending", gateway["State"])
        with self.refused("InvalidIPAddress.InUse"):
            self.ec2.release_address(AllocationId=address["AllocationId"])
        self.ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
        self.account.vpc()
        self.ec2.release_address(AllocationId=address["AllocationId"])
