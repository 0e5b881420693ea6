"""Accounts, counts, settings, faults, throttling, consistency and inventory."""

from __future__ import annotations

import json
import threading
import time
import urllib.error

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from .support import Account, Case


class Accounts(Case):
    def test_each_access_key_has_its_own_world(self):
        self.account.group("mine")
        other = Account()
        names = {g["GroupName"] for g in other.ec2.describe_security_groups()["SecurityGroups"]}
        self.assertEqual({"default"}, names)
        numbers = {a.client("sts").get_caller_identity()["Account"] for a in (self.account, other)}
        self.assertEqual(2, len(numbers))
        self.assertTrue(all(len(number) == 12 for number in numbers))

    def test_a_new_account_answers_at_once(self):
        started = time.monotonic()
        Account().vpc()
        self.assertLess(time.monotonic() - started, 1.0)

    def test_parallel_calls(self):
        problems = []

        def work(number: int) -> None:
            try:
                self.account.group(f"g{number}")
                self.account.run()
            except Exception as problem:
                problems.append(problem)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        self.assertEqual([], problems)
        self.assertEqual(16, self.account.control("GET", "inventory")["security_groups"].__len__())

    def test_an_unknown_region_is_refused(self):
        with self.refused("AuthFailure"):
            self.account.client("ec2", "nowhere-1").describe_vpcs()


class Saving(Case):
    def test_what_was_saved_comes_back(self):
        group = self.account.group("kept")
        kept = self.account.run(SecurityGroupIds=[group])["InstanceId"]
        self.account.control("GET", "inventory")
        self.account.control("POST", "save")
        before = self.account.control("GET", "inventory")
        for _ in range(2):
            self.ec2.terminate_instances(InstanceIds=[kept])
            self.account.run()
            self.ec2.delete_security_group(GroupId=self.account.group("new"))
            self.ec2.create_tags(Resources=[group], Tags=[{"Key": "a", "Value": "b"}])
            self.account.control("POST", "restore")
            self.assertEqual(before, self.account.control("GET", "inventory"))
        self.assertEqual(0, self.account.calls()["total"])
        self.ec2.terminate_instances(InstanceIds=[kept])
        self.ec2.describe_instances()
        self.ec2.delete_security_group(GroupId=group)

    def test_nothing_saved_is_nothing_to_restore(self):
        with self.assertRaises(urllib.error.HTTPError):
            self.account.control("POST", "restore")


class Counting(Case):
    def test_calls_are_counted_and_logged(self):
        self.account.vpc()
        self.account.vpc()
        with self.refused("InvalidGroup.NotFound"):
            self.ec2.delete_security_group(GroupId="sg-00000000000000000")
        report = self.account.calls()
        self.assertEqual({"DescribeVpcs": 2, "DeleteSecurityGroup": 1}, report["operations"])
        self.assertEqual((3, 1), (report["total"], report["mutating"]))
        self.assertEqual("InvalidGroup.NotFound", report["log"][2]["code"])
        self.account.control("POST", "reset?what=calls")
        self.assertEqual(0, self.account.calls()["total"])

    def test_reset_empties_the_account(self):
        self.account.group()
        self.account.control("POST", "reset")
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])
        self.account.group()

    def test_inventory_shows_what_is_ours_alone(self):
        self.account.vpc()
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])
        instance_id = self.account.run()["InstanceId"]
        inventory = self.account.control("GET", "inventory")
        self.assertEqual(3, inventory["total"])
        self.assertEqual([instance_id], [i["id"] for i in inventory["instances"]])
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])

    def test_what_the_emulator_lacks_is_a_clear_error_and_counted(self):
        with self.refused("EmulatorUnimplemented", 400):
            self.ec2.describe_byoip_cidrs(MaxResults=5)
        self.assertEqual("DescribeByoipCidrs", self.account.calls()["unimplemented"][0]["operation"])
        self.account.control("POST", "reset?what=calls")


class Direct(Case):
    def test_calls_behind_everyones_back(self):
        group = self.account.group()
        before = self.account.calls()["total"]
        permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        wanted = {"GroupId": group, "IpPermissions": [permission]}
        made = self.account.control("POST", "call/ec2/AuthorizeSecurityGroupIngress", wanted)
        self.assertEqual(80, made["SecurityGroupRules"][0]["FromPort"])
        self.assertEqual(1, len(self.account.control("POST", "call/ec2/DescribeVpcs", {})["Vpcs"]))
        self.assertEqual([], self.account.control("POST", "call/elbv2/DescribeLoadBalancers", {})["LoadBalancers"])
        self.assertEqual(before, self.account.calls()["total"])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.account.control("POST", "call/ec2/AuthorizeSecurityGroupIngress", wanted)
        self.assertEqual("InvalidPermission.Duplicate", json.load(caught.exception)["code"])


class Faults(Case):
    def groups(self) -> int:
        return len(self.account.control("GET", "inventory").get("security_groups", []))

    def test_cut_before_the_call(self):
        self.account.fault(kind="cut-before", operation="CreateSecurityGroup")
        with self.assertRaises(ConnectionClosedError):
            self.account.group()
        self.assertEqual(0, self.groups())
        self.account.group()

    def test_cut_after_the_call(self):
        self.account.fault(kind="cut-after", operation="CreateSecurityGroup")
        with self.assertRaises(ConnectionClosedError):
            self.account.group()
        self.assertEqual(1, self.groups())
        self.assertTrue(self.account.calls()["log"][-1]["executed"])

    def test_truncated_answer(self):
        self.account.fault(kind="truncate", operation="CreateSecurityGroup")
        with self.assertRaises(ResponseParserError):
            self.account.group()
        self.assertEqual(1, self.groups())

    def test_nth_call_and_times(self):
        self.account.fault(kind="error", operation="Describe*", code="RequestLimitExceeded", nth=2, times=2)
        self.account.vpc()
        for _ in range(2):
            with self.refused("RequestLimitExceeded", 503):
                self.account.vpc()
        self.account.vpc()

    def test_error_before_and_after(self):
        self.account.fault(kind="error", operation="@mutating", code="InternalError")
        with self.refused("InternalError", 500):
            self.account.group()
        self.assertEqual(0, self.groups())
        self.account.fault(kind="error", operation="@mutating", code="InternalError", executed=True)
        with self.refused("InternalError", 500):
            self.account.group()
        self.assertEqual(1, self.groups())

    def test_an_answer_that_is_not_the_services(self):
        self.account.fault(kind="http", operation="DescribeVpcs", status=503)
        with self.refused("503", 503):
            self.account.vpc()
        self.account.vpc()

    def test_delays(self):
        self.account.fault(kind="delay-before", operation="DescribeVpcs", seconds=0.3)
        started = time.monotonic()
        self.account.vpc()
        self.assertGreater(time.monotonic() - started, 0.3)

    def test_a_held_call_can_be_dropped_and_released(self):
        # A call that was let go lands late, and one that was dropped never.
        for kind, late, executed, after in (
            ("delay-before", False, 0, 0), ("delay-after", False, 1, 1), ("delay-before", True, 1, 2),
        ):  # fmt: skip
            with self.subTest(kind, late=late):
                name = f"{kind}-{late}"
                fault = self.account.fault(kind=kind, operation="CreateSecurityGroup", seconds=60, executed=late)
                ended = []

                def work() -> None:
                    try:
                        ended.append(self.account.group(name))
                    except (ConnectionClosedError, ReadTimeoutError) as problem:
                        ended.append(problem)

                thread = threading.Thread(target=work)
                thread.start()
                while not self.account.control("GET", "faults")["faults"][0]["struck"]:
                    time.sleep(0.02)
                time.sleep(0.1)
                self.assertEqual(executed, self.groups())
                self.account.control("DELETE", f"faults/{fault}")
                thread.join(5)
                self.assertEqual(after, self.groups())
                self.assertEqual(1, len(ended))

    def test_bad_orders_are_refused(self):
        for order in ({"kind": "magic"}, {"kind": "error", "wrong": 1}):
            with self.assertRaises(urllib.error.HTTPError):
                self.account.control("POST", "faults", order)
        with self.assertRaises(urllib.error.HTTPError):
            self.account.set(no_such_setting=1)

    def test_s3_has_faults_too(self):
        s3 = self.account.client("s3")
        bucket = f"b-{self.account.key.lower()}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
        self.account.fault(kind="error", operation="PutObject", service="s3", code="ConditionalRequestConflict")
        with self.refused("ConditionalRequestConflict", 409):
            s3.put_object(Bucket=bucket, Key="state", Body=b"1", IfNoneMatch="*")
        s3.put_object(Bucket=bucket, Key="state", Body=b"1", IfNoneMatch="*")
        with self.refused("PreconditionFailed", 412):
            s3.put_object(Bucket=bucket, Key="state", Body=b"2", IfNoneMatch="*")
        with self.refused("PreconditionFailed", 412):
            s3.put_object(Bucket=bucket, Key="state", Body=b"2", IfMatch='"other"')
        self.assertEqual(4, self.account.calls()["operations"]["PutObject"])


class Throttling(Case):
    def test_buckets_run_dry_and_refill(self):
        self.account.set(throttle=True)
        image, subnet = self.account.image(), self.account.subnet()
        started = 0
        with self.refused("RequestLimitExceeded", 503):
            while started < 20:
                self.account.run(ImageId=image, SubnetId=subnet)
                started += 1
        self.assertLessEqual(5, started)
        self.assertLess(started, 9)
        self.assertEqual(1, self.account.calls()["throttled"])
        time.sleep(0.6)
        self.account.run(ImageId=image, SubnetId=subnet)

    def test_elb_says_throttling(self):
        self.account.set(throttle=True, throttle_scale=0.05)
        with self.refused("Throttling"):
            for _ in range(10):
                self.elb.describe_load_balancers()


class Consistency(Case):
    def test_hidden_for_reads(self):
        self.account.set(hidden_reads=2)
        group = self.account.group()
        for _ in range(2):
            with self.refused("InvalidGroup.NotFound"):
                self.ec2.describe_security_groups(GroupIds=[group])
        self.ec2.describe_security_groups(GroupIds=[group])

    def test_only_reads_that_would_show_it_count(self):
        self.account.set(hidden_reads=1)
        group = self.account.group()
        for _ in range(3):
            found = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
            self.assertEqual(1, len(found["SecurityGroups"]))
        mine = [{"Name": "group-id", "Values": [group]}]
        self.assertEqual([0, 1], [len(self.ec2.describe_security_groups(Filters=mine)["SecurityGroups"]) for _ in "ab"])

    def test_hidden_for_seconds_also_from_writes(self):
        self.account.set(hidden_seconds=0.5, hidden_from_writes=True)
        arn = self.account.targets()["TargetGroupArn"]
        self.assertEqual([], self.elb.describe_target_groups()["TargetGroups"])
        with self.refused("TargetGroupNotFound"):
            self.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
        time.sleep(0.6)
        self.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
        self.assertEqual(1, len(self.elb.describe_target_groups()["TargetGroups"]))
