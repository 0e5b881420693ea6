"""An account for each test, and words for what tests say most."""

from __future__ import annotations

import contextlib
import json
import secrets
import unittest
import urllib.request
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = ""
REGION = "ap-northeast-2"
PLAIN = Config(
    retries={"total_max_attempts": 1}, read_timeout=20, parameter_validation=False, s3={"addressing_style": "path"}
)


class Account:
    """A world of its own: clients, and the emulator's controls for it."""

    def __init__(self) -> None:
        self.key = "AK" + secrets.token_hex(8).upper()
        self.ec2 = self.client("ec2")
        self.elb = self.client("elbv2")

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service, endpoint_url=ENDPOINT, region_name=region, config=PLAIN,
            aws_access_key_id=self.key, aws_secret_access_key="secret",
        )  # fmt: skip

    def control(self, method: str, what: str, body: Any = None) -> Any:
        joint = "&" if "?" in what else "?"
        request = urllib.request.Request(
            f"{ENDPOINT}/_emulator/{what}{joint}access_key={self.key}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def set(self, **settings: Any) -> None:
        self.control("POST", "settings", settings)

    def fault(self, **order: Any) -> int:
        return self.control("POST", "faults", order)["faults"][0]["id"]

    def calls(self) -> dict[str, Any]:
        return self.control("GET", "calls")

    # What most tests need first.

    def vpc(self) -> str:
        return self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]

    def subnet(self, zone: str = "a") -> str:
        wanted = [
            {"Name": "availability-zone", "Values": [REGION + zone]},
            {"Name": "default-for-az", "Values": ["true"]},
        ]
        return self.ec2.describe_subnets(Filters=wanted)["Subnets"][0]["SubnetId"]

    def image(self) -> str:
        images = self.ec2.describe_images(
            Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023*-x86_64"]}]
        )["Images"]
        return max(images, key=lambda image: image["CreationDate"])["ImageId"]

    def group(self, name: str = "web") -> str:
        return self.ec2.create_security_group(GroupName=name, Description=name)["GroupId"]

    def run(self, **more: Any) -> dict[str, Any]:
        wanted = {"ImageId": self.image(), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more}
        if "SubnetId" not in wanted and "NetworkInterfaces" not in wanted:
            wanted["SubnetId"] = self.subnet()
        return self.ec2.run_instances(**wanted)["Instances"][0]

    def instance(self, instance_id: str) -> dict[str, Any]:
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def stop(self, instance_id: str) -> None:
        self.ec2.stop_instances(InstanceIds=[instance_id])

    def balancer(self, name: str = "web", **more: Any) -> dict[str, Any]:
        wanted = {"Name": name, "Subnets": [self.subnet("a"), self.subnet("c")], **more}
        return self.elb.create_load_balancer(**wanted)["LoadBalancers"][0]

    def targets(self, name: str = "web", **more: Any) -> dict[str, Any]:
        wanted = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc(), **more}
        return self.elb.create_target_group(**wanted)["TargetGroups"][0]

    def listener(self, balancer: dict[str, Any], group: dict[str, Any], port: int = 80) -> dict[str, Any]:
        return self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )["Listeners"][0]  # fmt: skip


class Case(unittest.TestCase):
    """A test with an account, which no other test sees."""

    def setUp(self) -> None:
        self.account = Account()
        self.ec2, self.elb = self.account.ec2, self.account.elb

    def tearDown(self) -> None:
        self.assertEqual([], self.account.calls()["unimplemented"])

    @contextlib.contextmanager
    def refused(self, code: str, status: int | None = None) -> Any:
        with self.assertRaises(ClientError) as caught:
            yield
        self.assertEqual(code, caught.exception.response["Error"]["Code"])
        if status is not None:
            self.assertEqual(status, caught.exception.response["ResponseMetadata"]["HTTPStatusCode"])


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def named(kind: str, **pairs: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": tags(**pairs)}]
