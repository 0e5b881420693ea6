"""Instances: launch, states, attributes and options."""

from __future__ import annotations

import base64
import time

from .support import REGION, Case, named


class Launch(Case):
    def test_root_device_comes_from_the_image(self):
        instance = self.account.run()
        self.assertEqual("pending", instance["State"]["Name"])
        shown = self.account.instance(instance["InstanceId"])
        self.assertEqual("running", shown["State"]["Name"])
        mapping = shown["BlockDeviceMappings"][0]
        self.assertEqual(("/dev/xvda", True), (mapping["DeviceName"], mapping["Ebs"]["DeleteOnTermination"]))
        volume = self.ec2.describe_volumes(VolumeIds=[mapping["Ebs"]["VolumeId"]])["Volumes"][0]
        self.assertEqual(
            (8, "gp3", 3000, 125), (volume["Size"], volume["VolumeType"], volume["Iops"], volume["Throughput"])
        )
        self.assertTrue(volume["SnapshotId"].startswith("snap-"))

    def test_more_volumes_tags_and_an_interface(self):
        group = self.account.group()
        instance_id = self.account.run(
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": self.account.subnet(), "Groups": [group], "AssociatePublicIpAddress": True}],
            BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9}},
                {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "Throughput": 250, "Encrypted": True,
                                                   "DeleteOnTermination": False}},
            ],
            TagSpecifications=named("instance", a="i") + named("volume", a="v") + named("network-interface", a="n"),
        )["InstanceId"]  # fmt: skip
        shown = self.account.instance(instance_id)
        self.assertEqual([group], [g["GroupId"] for g in shown["SecurityGroups"]])
        self.assertTrue(shown["PublicIpAddress"])
        interface = shown["NetworkInterfaces"][0]
        self.assertTrue(interface["Attachment"]["DeleteOnTermination"])
        tagged = [{"Name": "tag:a", "Values": ["n"]}]
        self.assertEqual(1, len(self.ec2.describe_network_interfaces(Filters=tagged)["NetworkInterfaces"]))
        volumes = self.ec2.describe_volumes(Filters=[{"Name": "tag:a", "Values": ["v"]}])["Volumes"]
        self.assertEqual([(9, False), (20, True)], [(v["Size"], v["Encrypted"]) for v in volumes])
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        left = self.account.control("GET", "inventory")
        self.assertEqual((1, 0, 0), (len(left["volumes"]), len(left["network_interfaces"]), len(left["instances"])))

    def test_everything_a_launch_can_say(self):
        instance_id = self.account.run(
            InstanceType="t3.small", Monitoring={"Enabled": True}, EbsOptimized=True, DisableApiStop=True,
            DisableApiTermination=True, InstanceInitiatedShutdownBehavior="terminate", UserData="#!/bin/sh\n",
            CreditSpecification={"CpuCredits": "standard"}, MetadataOptions={"HttpTokens": "required"},
            MaintenanceOptions={"AutoRecovery": "disabled"}, HibernationOptions={"Configured": False},
            PrivateDnsNameOptions={"HostnameType": "resource-name"}, CpuOptions={"CoreCount": 1, "ThreadsPerCore": 1},
            PrivateIpAddress="172.31.0.77",
        )["InstanceId"]  # fmt: skip
        shown = self.account.instance(instance_id)
        self.assertEqual("enabled", shown["Monitoring"]["State"])
        self.assertEqual("172.31.0.77", shown["PrivateIpAddress"])
        self.assertTrue(shown["EbsOptimized"])
        self.assertEqual(
            ("required", 2),
            (shown["MetadataOptions"]["HttpTokens"], shown["MetadataOptions"]["HttpPutResponseHopLimit"]),
        )
        self.assertEqual("disabled", shown["MaintenanceOptions"]["AutoRecovery"])
        self.assertEqual("resource-name", shown["PrivateDnsNameOptions"]["HostnameType"])
        self.assertEqual({"CoreCount": 1, "ThreadsPerCore": 1}, shown["CpuOptions"])
        credits = self.ec2.describe_instance_credit_specifications(InstanceIds=[instance_id])
        self.assertEqual("standard", credits["InstanceCreditSpecifications"][0]["CpuCredits"])
        for attribute, member, value in (
            ("disableApiTermination", "DisableApiTermination", True),
            ("disableApiStop", "DisableApiStop", True),
            ("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior", "terminate"),
            ("userData", "UserData", base64.b64encode(b"#!/bin/sh\n").decode()),
        ):
            answer = self.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute=attribute)
            self.assertEqual(value, answer[member]["Value"])
        with self.refused("OperationNotPermitted"):
            self.ec2.terminate_instances(InstanceIds=[instance_id])
        with self.refused("OperationNotPermitted"):
            self.ec2.stop_instances(InstanceIds=[instance_id])

    def test_what_a_launch_refuses_leaves_nothing(self):
        for code, more in (
            ("InvalidAMIID.NotFound", {"ImageId": "ami-0123456789abcdef0"}),
            ("InvalidAMIID.Malformed", {"ImageId": "ami-x"}),
            ("InvalidParameterValue", {"InstanceType": "t9.huge"}),
            ("InvalidParameterValue", {"InstanceType": "t4g.micro"}),
            ("InvalidKeyPair.NotFound", {"KeyName": "none"}),
            ("InvalidSubnetID.NotFound", {"SubnetId": "subnet-0123456789abcdef0"}),
            ("InvalidGroup.NotFound", {"SecurityGroupIds": ["sg-0123456789abcdef0"]}),
            (
                "InvalidBlockDeviceMapping",
                {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 1}}]},
            ),
            (
                "InvalidParameterCombination",
                {"NetworkInterfaces": [{"DeviceIndex": 0}], "SubnetId": self.account.subnet()},
            ),
        ):
            with self.subTest(code), self.refused(code):
                self.account.run(**more)
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])

    def test_a_launch_is_whole_or_not_at_all(self):
        self.account.run(PrivateIpAddress="172.31.0.77")
        for code, more in (
            ("InvalidIPAddress.InUse", {"PrivateIpAddress": "172.31.0.77"}),
            ("InvalidParameterValue", {"Ipv6AddressCount": 1}),
            ("InvalidPlacementGroup.Unknown", {"Placement": {"GroupName": "none"}}),
        ):
            with self.subTest(code), self.refused(code):
                self.account.run(**more)
        self.assertEqual(3, self.account.control("GET", "inventory")["total"])

    def test_ipv6(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        shown = self.ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]
        block = shown["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
        subnet = self.ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.1.0/24", Ipv6CidrBlock=block)["Subnet"]
        instance = self.account.instance(
            self.account.run(SubnetId=subnet["SubnetId"], Ipv6AddressCount=2)["InstanceId"]
        )
        interface = instance["NetworkInterfaces"][0]
        self.assertEqual(2, len(interface["Ipv6Addresses"]))
        self.assertEqual(instance["Ipv6Address"], interface["Ipv6Addresses"][0]["Ipv6Address"])
        eni_id = interface["NetworkInterfaceId"]
        more = self.ec2.assign_ipv6_addresses(NetworkInterfaceId=eni_id, Ipv6AddressCount=1)["AssignedIpv6Addresses"]
        self.ec2.unassign_ipv6_addresses(NetworkInterfaceId=eni_id, Ipv6Addresses=more)

    def test_from_a_launch_template(self):
        data = {"InstanceType": "t3.small", "ImageId": self.account.image()}
        template = self.ec2.create_launch_template(LaunchTemplateName="lt", LaunchTemplateData=data)["LaunchTemplate"]
        wanted = {"LaunchTemplate": {"LaunchTemplateName": "lt"}, "MinCount": 1, "MaxCount": 1, "ClientToken": "t"}
        made = [self.ec2.run_instances(**wanted)["Instances"][0] for _ in range(2)]
        self.assertEqual(made[0]["InstanceId"], made[1]["InstanceId"])
        self.assertEqual("t3.small", made[0]["InstanceType"])
        self.assertIn({"Key": "aws:ec2launchtemplate:id", "Value": template["LaunchTemplateId"]}, made[0]["Tags"])

    def test_spot(self):
        options = {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.1"}}
        instance = self.account.instance(self.account.run(InstanceMarketOptions=options)["InstanceId"])
        self.assertEqual("spot", instance["InstanceLifecycle"])
        found = self.ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[instance["SpotInstanceRequestId"]])
        self.assertEqual("0.1", found["SpotInstanceRequests"][0]["SpotPrice"])

    def test_a_launch_that_ends_in_termination(self):
        self.account.fault(
            kind="outcome", operation="RunInstances", code="Server.InsufficientInstanceCapacity", message="no room"
        )
        instance_id = self.account.run()["InstanceId"]
        shown = self.account.instance(instance_id)
        self.assertEqual("terminated", shown["State"]["Name"])
        self.assertEqual("Server.InsufficientInstanceCapacity", shown["StateReason"]["Code"])
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])


class States(Case):
    def test_states_take_their_time(self):
        self.account.set(instance_pending=0.3, instance_stopping=0.3, instance_shutting_down=0.3)
        instance_id = self.account.run()["InstanceId"]

        def passes(during: str, after: str) -> None:
            self.assertEqual(during, self.account.instance(instance_id)["State"]["Name"])
            time.sleep(0.35)
            self.assertEqual(after, self.account.instance(instance_id)["State"]["Name"])

        passes("pending", "running")
        before = self.account.instance(instance_id)
        self.account.stop(instance_id)
        passes("stopping", "stopped")
        self.assertNotIn("PublicIpAddress", self.account.instance(instance_id))
        self.assertEqual("Client.UserInitiatedShutdown", self.account.instance(instance_id)["StateReason"]["Code"])
        self.ec2.start_instances(InstanceIds=[instance_id])
        passes("pending", "running")
        after = self.account.instance(instance_id)
        self.assertNotEqual(before["PublicIpAddress"], after["PublicIpAddress"])
        self.assertEqual(before["PrivateIpAddress"], after["PrivateIpAddress"])
        self.assertGreater(after["LaunchTime"], before["LaunchTime"])
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        passes("shutting-down", "terminated")
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        with self.refused("IncorrectInstanceState"):
            self.ec2.start_instances(InstanceIds=[instance_id])

    def test_status(self):
        instance_id = self.account.run()["InstanceId"]
        self.account.vpc()
        status = self.ec2.describe_instance_status(InstanceIds=[instance_id])["InstanceStatuses"][0]
        self.assertEqual("ok", status["InstanceStatus"]["Status"])
        self.account.stop(instance_id)
        self.account.vpc()
        self.assertEqual([], self.ec2.describe_instance_status()["InstanceStatuses"])
        self.assertEqual(1, len(self.ec2.describe_instance_status(IncludeAllInstances=True)["InstanceStatuses"]))


class Attributes(Case):
    def setUp(self) -> None:
        super().setUp()
        self.id = self.account.run()["InstanceId"]
        self.account.vpc()

    def modify(self, **change) -> None:
        self.ec2.modify_instance_attribute(InstanceId=self.id, **change)

    def attribute(self, name: str):
        answer = self.ec2.describe_instance_attribute(InstanceId=self.id, Attribute=name)
        return answer[name[0].upper() + name[1:]].get("Value")

    def test_while_running(self):
        groups = [self.account.group("a"), self.account.group("b")]
        self.modify(Groups=groups)
        self.assertEqual(groups, [g["GroupId"] for g in self.account.instance(self.id)["SecurityGroups"]])
        self.modify(InstanceInitiatedShutdownBehavior={"Value": "terminate"})
        self.assertEqual("terminate", self.attribute("instanceInitiatedShutdownBehavior"))
        self.assertEqual(2, len(self.account.instance(self.id)["SecurityGroups"]))
        self.modify(SourceDestCheck={"Value": False})
        self.assertFalse(self.account.instance(self.id)["SourceDestCheck"])
        self.modify(DisableApiTermination={"Value": True})
        self.assertTrue(self.attribute("disableApiTermination"))
        self.modify(DisableApiTermination={"Value": False})
        self.modify(BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}])
        self.assertFalse(self.account.instance(self.id)["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"])

    def test_only_while_stopped(self):
        changes = (
            {"InstanceType": {"Value": "t3.small"}},
            {"UserData": {"Value": b"new"}},
            {"EbsOptimized": {"Value": True}},
        )
        for change in changes:
            with self.refused("IncorrectInstanceState"):
                self.modify(**change)
        self.account.stop(self.id)
        for change in changes:
            self.modify(**change)
        self.assertEqual("t3.small", self.account.instance(self.id)["InstanceType"])
        self.assertEqual(base64.b64encode(b"new").decode(), self.attribute("userData"))
        with self.refused("InvalidParameterCombination"):
            self.modify(EbsOptimized={"Value": True}, DisableApiStop={"Value": True})

    def test_options_with_calls_of_their_own(self):
        self.ec2.modify_instance_metadata_options(InstanceId=self.id, HttpEndpoint="disabled")
        self.ec2.modify_instance_metadata_options(InstanceId=self.id, HttpPutResponseHopLimit=5)
        options = self.account.instance(self.id)["MetadataOptions"]
        self.assertEqual(
            ("disabled", 5, "applied"), (options["HttpEndpoint"], options["HttpPutResponseHopLimit"], options["State"])
        )
        self.assertEqual(
            "pending",
            self.ec2.monitor_instances(InstanceIds=[self.id])["InstanceMonitorings"][0]["Monitoring"]["State"],
        )
        self.assertEqual("enabled", self.account.instance(self.id)["Monitoring"]["State"])
        self.ec2.unmonitor_instances(InstanceIds=[self.id])
        self.assertEqual("disabled", self.account.instance(self.id)["Monitoring"]["State"])
        self.ec2.modify_instance_credit_specification(
            InstanceCreditSpecifications=[{"InstanceId": self.id, "CpuCredits": "standard"}]
        )
        credits = self.ec2.describe_instance_credit_specifications(InstanceIds=[self.id])[
            "InstanceCreditSpecifications"
        ]
        self.assertEqual("standard", credits[0]["CpuCredits"])
        self.ec2.modify_instance_maintenance_options(InstanceId=self.id, AutoRecovery="disabled")
        self.ec2.modify_private_dns_name_options(InstanceId=self.id, EnableResourceNameDnsARecord=True)
        with self.refused("IncorrectInstanceState"):
            self.ec2.modify_instance_placement(InstanceId=self.id, Tenancy="host")
        self.account.stop(self.id)
        self.ec2.modify_instance_placement(InstanceId=self.id, Tenancy="host")
        self.ec2.modify_instance_cpu_options(InstanceId=self.id, CoreCount=1, ThreadsPerCore=1)
        shown = self.account.instance(self.id)
        self.assertEqual("host", shown["Placement"]["Tenancy"])
        self.assertEqual(1, shown["CpuOptions"]["ThreadsPerCore"])
        self.assertTrue(shown["PrivateDnsNameOptions"]["EnableResourceNameDnsARecord"])

    def test_protection_spares_the_zone(self):
        self.modify(DisableApiTermination={"Value": True})
        same, other = (
            self.account.run()["InstanceId"],
            self.account.run(SubnetId=self.account.subnet("c"))["InstanceId"],
        )
        with self.refused("OperationNotPermitted"):
            self.ec2.terminate_instances(InstanceIds=[self.id, same, other])
        states = {i: self.account.instance(i)["State"]["Name"] for i in (self.id, same, other)}
        self.assertEqual({self.id: "running", same: "running", other: "terminated"}, states)


class Interfaces(Case):
    def test_attach_and_detach(self):
        instance_id = self.account.run()["InstanceId"]
        eni = self.ec2.create_network_interface(SubnetId=self.account.subnet(), Description="second")[
            "NetworkInterface"
        ]
        eni_id = eni["NetworkInterfaceId"]
        attachment = self.ec2.attach_network_interface(NetworkInterfaceId=eni_id, InstanceId=instance_id, DeviceIndex=1)
        self.assertEqual(2, len(self.account.instance(instance_id)["NetworkInterfaces"]))
        with self.refused("InvalidNetworkInterface.InUse"):
            self.ec2.delete_network_interface(NetworkInterfaceId=eni_id)
        self.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=eni_id,
            Attachment={"AttachmentId": attachment["AttachmentId"], "DeleteOnTermination": True},
        )
        self.ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"])
        self.ec2.describe_network_interfaces(Filters=[{"Name": "status", "Values": ["available"]}])
        self.ec2.delete_network_interface(NetworkInterfaceId=eni_id)


class Zones(Case):
    def test_the_subnet_decides_the_zone(self):
        shown = self.account.instance(self.account.run(SubnetId=self.account.subnet("c"))["InstanceId"])
        self.assertEqual(REGION + "c", shown["Placement"]["AvailabilityZone"])
