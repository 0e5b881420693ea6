"""Ids, filters, pages, dry runs, tags and tokens, which are alike everywhere."""

from __future__ import annotations

from .support import REGION, Case, named, tags


class Reads(Case):
    def test_one_unknown_id_fails_the_whole_call(self):
        instance_id = self.account.run()["InstanceId"]
        with self.refused("InvalidInstanceID.NotFound"):
            self.ec2.describe_instances(InstanceIds=[instance_id, "i-0123456789abcdef0"])
        with self.refused("InvalidInstanceID.Malformed"):
            self.ec2.describe_instances(InstanceIds=["i-xyz"])
        with self.refused("InvalidVolume.NotFound"):
            self.ec2.describe_volumes(VolumeIds=["vol-0123456789abcdef0"])
        with self.refused("InvalidGroup.NotFound"):
            self.ec2.describe_security_groups(GroupIds=["sg-0123456789abcdef0"])
        with self.refused("InvalidSubnetID.NotFound"):
            self.ec2.describe_subnets(SubnetIds=["subnet-0123456789abcdef0"])
        with self.refused("InvalidKeyPair.NotFound"):
            self.ec2.describe_key_pairs(KeyNames=["none"])
        with self.refused("NatGatewayNotFound"):
            self.ec2.describe_nat_gateways(NatGatewayIds=["nat-0123456789abcdef0"])

    def test_unknown_filters_are_refused(self):
        for describe in (self.ec2.describe_instances, self.ec2.describe_vpcs, self.ec2.describe_images):
            with self.refused("InvalidParameterValue"):
                describe(Filters=[{"Name": "no-such-filter", "Values": ["x"]}])

    def test_filters(self):
        one = self.account.run(TagSpecifications=named("instance", Name="web-1", tier="a*b"))["InstanceId"]
        self.account.run(SubnetId=self.account.subnet("c"), TagSpecifications=named("instance", Name="web-2"))

        def found(**filters: str) -> list[str]:
            wanted = [
                {"Name": name.replace("__", ":").replace("_", "-"), "Values": [value]}
                for name, value in filters.items()
            ]
            answer = self.ec2.describe_instances(Filters=wanted)
            return [i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]]

        self.assertEqual(2, len(found(tag__Name="web-*")))
        self.assertEqual(2, len(found(tag__Name="web-?")))
        self.assertEqual([one], found(tag__tier=r"a\*b"))
        self.assertEqual([], found(tag__Name="WEB-1"))
        self.assertEqual([one], found(availability_zone=REGION + "a"))
        self.assertEqual([one], found(tag_key="tier"))
        self.assertEqual([one], found(tag__Name="web-*", instance_id=one, instance_state_name="running"))
        self.assertEqual(2, len(found(vpc_id=self.account.vpc())))

    def test_pages(self):
        for number in range(12):
            self.account.group(f"g{number}")
        seen, token = [], None
        while True:
            more = {"NextToken": token} if token else {}
            answer = self.ec2.describe_security_groups(MaxResults=5, **more)
            self.assertLessEqual(len(answer["SecurityGroups"]), 5)
            seen += [group["GroupId"] for group in answer["SecurityGroups"]]
            token = answer.get("NextToken")
            if not token:
                break
        self.assertEqual(13, len(set(seen)))
        with self.refused("InvalidParameterValue"):
            self.ec2.describe_security_groups(MaxResults=4)
        with self.refused("InvalidParameterCombination"):
            self.ec2.describe_instances(InstanceIds=["i-0123456789abcdef0"], MaxResults=5)
        self.account.set(page_size=3)
        self.assertEqual(3, len(self.ec2.describe_security_groups()["SecurityGroups"]))
        self.assertEqual(3, len(self.ec2.describe_subnets(MaxResults=100)["Subnets"]))
        self.assertEqual(4, sum(len(p["Subnets"]) for p in self.ec2.get_paginator("describe_subnets").paginate()))

    def test_lists_can_come_in_any_order(self):
        groups = [self.account.group(f"g{number}") for number in range(10)]
        instance_id = self.account.run(SecurityGroupIds=groups[:5])["InstanceId"]
        self.account.set(shuffle=True)
        first, second = (
            [group["GroupId"] for group in self.ec2.describe_security_groups()["SecurityGroups"]] for _ in range(2)
        )
        self.assertEqual(first, second)
        self.assertNotEqual(groups, [group for group in first if group in groups])
        held = [group["GroupId"] for group in self.account.instance(instance_id)["SecurityGroups"]]
        self.assertEqual(set(groups[:5]), set(held))

    def test_data_about_the_region(self):
        zones = self.ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])[
            "AvailabilityZones"
        ]
        self.assertEqual([REGION + z for z in "abcd"], [zone["ZoneName"] for zone in zones])
        self.assertIn(REGION, [r["RegionName"] for r in self.ec2.describe_regions()["Regions"]])
        free = self.ec2.describe_instance_types(
            Filters=[
                {"Name": "free-tier-eligible", "Values": ["true"]},
                {"Name": "current-generation", "Values": ["true"]},
                {"Name": "processor-info.supported-architecture", "Values": ["x86_64"]},
                {"Name": "instance-type", "Values": ["t3.*"]},
            ]
        )["InstanceTypes"]
        self.assertEqual({"t3.micro", "t3.small"}, {kind["InstanceType"] for kind in free})
        offers = self.ec2.describe_instance_type_offerings(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["t2.micro"]}]
        )["InstanceTypeOfferings"]
        self.assertEqual({REGION + "a", REGION + "c"}, {offer["Location"] for offer in offers})
        with self.refused("InvalidInstanceType"):
            self.ec2.describe_instance_types(InstanceTypes=["t9.huge"])
        with self.refused("Unsupported"):
            self.account.run(InstanceType="t2.micro", SubnetId=self.account.subnet("b"))

    def test_the_default_vpc_is_whole(self):
        vpc = self.account.vpc()
        mine = [{"Name": "vpc-id", "Values": [vpc]}]
        tables = self.ec2.describe_route_tables(Filters=mine)["RouteTables"]
        self.assertIn("0.0.0.0/0", [route["DestinationCidrBlock"] for route in tables[0]["Routes"]])
        gateways = self.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
        self.assertEqual(1, len(gateways["InternetGateways"]))
        group = self.ec2.describe_security_groups(Filters=[*mine, {"Name": "group-name", "Values": ["default"]}])[
            "SecurityGroups"
        ][0]
        self.assertEqual(group["GroupId"], group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"])
        with self.refused("CannotDelete"):
            self.ec2.delete_security_group(GroupId=group["GroupId"])


class DryRun(Case):
    def test_nothing_happens(self):
        instance_id = self.account.run()["InstanceId"]
        for call in (
            lambda: self.ec2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True),
            lambda: self.ec2.create_subnet(VpcId=self.account.vpc(), CidrBlock="172.31.200.0/24", DryRun=True),
            lambda: self.ec2.create_route_table(VpcId=self.account.vpc(), DryRun=True),
            lambda: self.ec2.modify_instance_metadata_options(
                InstanceId=instance_id, HttpTokens="required", DryRun=True
            ),
            lambda: self.ec2.terminate_instances(InstanceIds=[instance_id], DryRun=True),
            lambda: self.account.run(DryRun=True),
        ):
            with self.refused("DryRunOperation", 412):
                call()
        self.assertEqual("running", self.account.instance(instance_id)["State"]["Name"])
        self.assertEqual(1, len(self.ec2.describe_vpcs()["Vpcs"]))


class Tokens(Case):
    def test_the_same_request_is_the_same_object(self):
        subnet, vpc = self.account.subnet(), self.account.vpc()
        for make in (
            lambda: self.account.run(ClientToken="t")["InstanceId"],
            lambda: self.ec2.create_volume(AvailabilityZone=REGION + "a", Size=1, ClientToken="t")["VolumeId"],
            lambda: self.ec2.create_network_interface(SubnetId=subnet, ClientToken="t")["NetworkInterface"][
                "NetworkInterfaceId"
            ],
            lambda: self.ec2.create_route_table(VpcId=vpc, ClientToken="t")["RouteTable"]["RouteTableId"],
            lambda: self.ec2.create_network_acl(VpcId=vpc, ClientToken="t")["NetworkAcl"]["NetworkAclId"],
            lambda: self.ec2.copy_image(
                Name="copy", SourceImageId=self.account.image(), SourceRegion=REGION, ClientToken="t"
            )["ImageId"],
            lambda: self.ec2.create_launch_template(
                LaunchTemplateName="lt", LaunchTemplateData={"InstanceType": "t3.micro"}, ClientToken="t"
            )["LaunchTemplate"]["LaunchTemplateId"],
        ):
            self.assertEqual(make(), make())

    def test_mismatch_and_zonal_scope(self):
        first = self.account.run(ClientToken="t")["InstanceId"]
        with self.refused("IdempotentParameterMismatch"):
            self.account.run(ClientToken="t", InstanceType="t3.small")
        second = self.account.run(ClientToken="t", SubnetId=self.account.subnet("c"))["InstanceId"]
        self.assertNotEqual(first, second)

    def test_tokens_have_a_limit(self):
        with self.refused("InvalidParameterValue"):
            self.account.run(ClientToken="t" * 65)

    def test_a_replay_shows_the_present(self):
        first = self.account.run(ClientToken="t")["InstanceId"]
        self.ec2.terminate_instances(InstanceIds=[first])
        self.assertEqual(first, self.account.run(ClientToken="t")["InstanceId"])
        self.assertEqual("terminated", self.account.instance(first)["State"]["Name"])

    def test_a_token_outlives_its_instance(self):
        self.account.set(instance_terminated_visible=0)
        first = self.account.run(ClientToken="t")["InstanceId"]
        self.ec2.terminate_instances(InstanceIds=[first])
        self.account.vpc()
        with self.refused("InvalidInstanceID.NotFound"):
            self.account.instance(first)
        with self.refused("IdempotentInstanceTerminated"):
            self.account.run(ClientToken="t")

    def test_a_failed_call_leaves_its_token_free(self):
        with self.refused("InvalidGroup.NotFound"):
            self.account.run(ClientToken="t", SecurityGroupIds=["sg-0123456789abcdef0"])
        self.account.run(ClientToken="t")
        self.assertEqual(3, self.account.control("GET", "inventory")["total"])


class Tags(Case):
    def test_tags_after_creation(self):
        group, instance_id = self.account.group(), self.account.run()["InstanceId"]
        self.ec2.create_tags(Resources=[group, instance_id], Tags=tags(a="1", b="2"))
        self.ec2.delete_tags(Resources=[group, instance_id], Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}])
        self.assertEqual(tags(b="2"), self.account.instance(instance_id)["Tags"])
        found = self.ec2.describe_security_groups(Filters=[{"Name": "tag:b", "Values": ["2"]}])["SecurityGroups"]
        self.assertEqual([group], [g["GroupId"] for g in found])
        listed = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [group]}])["Tags"]
        self.assertEqual([("b", "2", "security-group")], [(t["Key"], t["Value"], t["ResourceType"]) for t in listed])

    def test_bad_tags(self):
        group = self.account.group()
        with self.refused("InvalidParameterValue"):
            self.ec2.create_tags(Resources=[group], Tags=[{"Key": "aws:x", "Value": "y"}])
        with self.refused("TagLimitExceeded"):
            self.ec2.create_tags(Resources=[group], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])
        with self.refused("InvalidParameterValue"):
            self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named("subnet", a="b"))
        with self.refused("InvalidInstanceID.NotFound"):
            self.ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=tags(a="1"))
