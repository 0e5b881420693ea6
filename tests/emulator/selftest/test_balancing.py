"""Load balancers, target groups, targets, listeners and rules."""

from __future__ import annotations

import time
from typing import Any

from .support import Case, tags


class Balancers(Case):
    def test_names_are_unique_unless_all_is_the_same(self):
        first = self.account.balancer()
        self.assertEqual("provisioning", first["State"]["Code"])
        self.assertEqual("internet-facing", first["Scheme"])
        self.assertEqual(first["LoadBalancerArn"], self.account.balancer()["LoadBalancerArn"])
        with self.refused("DuplicateLoadBalancerName"):
            self.account.balancer(Scheme="internal")
        shown = self.elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]
        self.assertEqual("active", shown["State"]["Code"])
        self.assertEqual(1, len(shown["SecurityGroups"]))

    def test_what_is_refused(self):
        a, c = self.account.subnet("a"), self.account.subnet("c")
        for code, more in (
            ("ValidationError", {"Subnets": [a]}),
            ("ValidationError", {"Name": "-bad-"}),
            ("ValidationError", {"Name": "x" * 33}),
            ("SubnetNotFound", {"Subnets": [a, "subnet-0123456789abcdef0"]}),
            ("InvalidSecurityGroup", {"SecurityGroups": ["sg-0123456789abcdef0"]}),
            ("InvalidConfigurationRequest", {"Subnets": [a, a]}),
            ("ValidationError", {"Scheme": "sideways"}),
            ("DuplicateTagKeys", {"Tags": tags(a="1") + tags(a="2")}),
        ):
            with self.subTest(more), self.refused(code):
                self.account.balancer(**{"Subnets": [a, c], **more})

    def test_attributes_and_protection(self):
        arn = self.account.balancer()["LoadBalancerArn"]

        def attributes() -> dict:
            found = self.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
            return {one["Key"]: one["Value"] for one in found}

        def modify(key: str, value: str) -> None:
            self.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value}])

        self.assertGreaterEqual(len(attributes()), 20)
        self.assertEqual("60", attributes()["idle_timeout.timeout_seconds"])
        self.assertEqual("true", attributes()["load_balancing.cross_zone.enabled"])
        for code, key, value in (
            ("ValidationError", "no.such.key", "1"),
            ("ValidationError", "idle_timeout.timeout_seconds", "4001"),
            ("InvalidConfigurationRequest", "dns_record.client_routing_policy", "any_availability_zone"),
            ("InvalidConfigurationRequest", "access_logs.s3.enabled", "true"),
        ):
            with self.refused(code):
                modify(key, value)
        modify("deletion_protection.enabled", "true")
        with self.refused("OperationNotPermitted"):
            self.elb.delete_load_balancer(LoadBalancerArn=arn)
        modify("deletion_protection.enabled", "false")
        self.elb.delete_load_balancer(LoadBalancerArn=arn)
        self.elb.delete_load_balancer(LoadBalancerArn=arn)
        with self.refused("LoadBalancerNotFound"):
            self.elb.describe_load_balancers(LoadBalancerArns=[arn])

    def test_network_balancers(self):
        balancer = self.account.balancer(Type="network", Subnets=[self.account.subnet("a")])
        arn = balancer["LoadBalancerArn"]
        self.assertIn(":loadbalancer/net/web/", arn)
        found = self.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        self.assertIn({"Key": "load_balancing.cross_zone.enabled", "Value": "false"}, found)
        self.elb.set_subnets(LoadBalancerArn=arn, Subnets=[self.account.subnet("a"), self.account.subnet("b")])
        with self.refused("InvalidConfigurationRequest"):
            self.elb.set_subnets(LoadBalancerArn=arn, Subnets=[self.account.subnet("b")])
        with self.refused("InvalidConfigurationRequest"):
            self.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[self.account.group()])

    def test_interfaces_linger_and_hold_the_group(self):
        self.account.set(load_balancer_interfaces_linger=0.4)
        group = self.account.group()
        arn = self.account.balancer(SecurityGroups=[group])["LoadBalancerArn"]
        wanted = [
            {"Name": "description", "Values": ["ELB app/web/*"]},
            {"Name": "requester-id", "Values": ["amazon-elb"]},
        ]
        self.assertEqual(2, len(self.ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]))
        self.elb.delete_load_balancer(LoadBalancerArn=arn)
        with self.refused("DependencyViolation"):
            self.ec2.delete_security_group(GroupId=group)
        time.sleep(0.45)
        self.ec2.delete_security_group(GroupId=group)

    def test_changes_in_place(self):
        arn, group = self.account.balancer()["LoadBalancerArn"], self.account.group()
        subnets = [self.account.subnet(zone) for zone in "bcd"]
        self.elb.set_subnets(LoadBalancerArn=arn, Subnets=subnets)
        self.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group])
        self.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
        shown = self.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        self.assertEqual(set(subnets), {zone["SubnetId"] for zone in shown["AvailabilityZones"]})
        self.assertEqual(([group], "dualstack"), (shown["SecurityGroups"], shown["IpAddressType"]))

    def test_states(self):
        self.account.set(load_balancer_provisioning=0.3)
        self.account.balancer()
        self.assertEqual("provisioning", self.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"])
        time.sleep(0.35)
        self.assertEqual("active", self.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"])
        self.account.set(load_balancer_provisioning=0)
        self.account.fault(kind="outcome", operation="CreateLoadBalancer", message="no room")
        self.account.balancer("bad")
        self.assertEqual(
            {"Code": "failed", "Reason": "no room"},
            self.elb.describe_load_balancers(Names=["bad"])["LoadBalancers"][0]["State"],
        )

    def test_reserved_capacity(self):
        arn = self.account.balancer()["LoadBalancerArn"]
        wanted = {"CapacityUnits": 100}
        self.elb.modify_capacity_reservation(LoadBalancerArn=arn, MinimumLoadBalancerCapacity=wanted)
        self.assertEqual(
            wanted, self.elb.describe_capacity_reservation(LoadBalancerArn=arn)["MinimumLoadBalancerCapacity"]
        )

    def test_pages_and_tags(self):
        arns = [self.account.balancer(f"b{n}", Tags=tags(n=str(n)))["LoadBalancerArn"] for n in range(3)]
        first = self.elb.describe_load_balancers(PageSize=2)
        self.assertEqual(2, len(first["LoadBalancers"]))
        self.assertEqual(
            1, len(self.elb.describe_load_balancers(PageSize=2, Marker=first["NextMarker"])["LoadBalancers"])
        )
        self.elb.add_tags(ResourceArns=arns, Tags=tags(x="y"))
        self.elb.remove_tags(ResourceArns=arns[:1], TagKeys=["n"])
        found = self.elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
        self.assertEqual([tags(x="y"), tags(n="1", x="y"), tags(n="2", x="y")], [d["Tags"] for d in found])
        with self.refused("ValidationError"):
            self.elb.describe_tags(ResourceArns=arns * 7)


class Targets(Case):
    def test_defaults(self):
        group = self.account.targets()
        self.assertEqual(
            ("HTTP", "traffic-port", "/", 30, 5, 2, {"HttpCode": "200"}, "HTTP1", "instance"),
            tuple(group[name] for name in (
                "HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath", "HealthCheckIntervalSeconds",
                "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher", "ProtocolVersion", "TargetType",
            )),
        )  # fmt: skip
        self.assertEqual(group["TargetGroupArn"], self.account.targets()["TargetGroupArn"])
        with self.refused("DuplicateTargetGroupName"):
            self.account.targets(Port=81)
        changed = self.elb.modify_target_group(
            TargetGroupArn=group["TargetGroupArn"],
            HealthCheckPath="/up",
            Matcher={"HttpCode": "200-299"},
            HealthCheckIntervalSeconds=10,
        )["TargetGroups"][0]
        self.assertEqual(
            ("/up", "200-299", 10),
            (changed["HealthCheckPath"], changed["Matcher"]["HttpCode"], changed["HealthCheckIntervalSeconds"]),
        )
        found = self.elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
        self.assertIn({"Key": "deregistration_delay.timeout_seconds", "Value": "300"}, found)
        with self.refused("ValidationError"):
            self.account.targets("bad", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=10)

    def test_registration(self):
        self.account.set(target_initial=0.3, target_draining=0.3)
        group, instance_id = self.account.targets(), self.account.run()["InstanceId"]
        arn = group["TargetGroupArn"]

        def health() -> list[tuple]:
            found = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            return [(h["Target"]["Port"], h["TargetHealth"]["State"]) for h in found]

        for target in ("i-0123456789abcdef0",):
            with self.refused("InvalidTarget"):
                self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": target}])
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance_id}, {"Id": instance_id, "Port": 8080}])
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance_id}])
        self.assertEqual([(80, "unused"), (8080, "unused")], health())
        self.account.listener(self.account.balancer(), group)
        self.assertEqual([(80, "initial"), (8080, "initial")], health())
        time.sleep(0.35)
        self.assertEqual([(80, "healthy"), (8080, "healthy")], health())
        self.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance_id, "Port": 80}])
        self.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "i-0123456789abcdef0"}])
        self.assertEqual([(80, "draining"), (8080, "healthy")], health())
        time.sleep(0.35)
        self.assertEqual([(8080, "healthy")], health())
        wanted = self.elb.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": instance_id, "Port": 80}])
        self.assertEqual("Target.NotRegistered", wanted["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"])
        self.account.stop(instance_id)
        self.assertEqual([(8080, "unused")], health())
        self.ec2.terminate_instances(InstanceIds=[instance_id])
        self.account.vpc()
        self.assertEqual([], health())


class Listeners(Case):
    def setUp(self) -> None:
        super().setUp()
        self.balancer, self.group, self.other = (
            self.account.balancer(),
            self.account.targets(),
            self.account.targets("other"),
        )

    def test_one_a_port(self):
        first = self.account.listener(self.balancer, self.group)
        self.assertEqual(first["ListenerArn"], self.account.listener(self.balancer, self.group)["ListenerArn"])
        with self.refused("DuplicateListener"):
            self.account.listener(self.balancer, self.other)
        with self.refused("ResourceInUse"):
            self.elb.delete_target_group(TargetGroupArn=self.group["TargetGroupArn"])
        self.elb.delete_listener(ListenerArn=first["ListenerArn"])
        with self.refused("ListenerNotFound"):
            self.elb.delete_listener(ListenerArn=first["ListenerArn"])
        self.elb.delete_target_group(TargetGroupArn=self.group["TargetGroupArn"])
        self.elb.delete_target_group(TargetGroupArn=self.group["TargetGroupArn"])

    def test_actions_come_back_whole(self):
        listener = self.account.listener(self.balancer, self.group)
        action = listener["DefaultActions"][0]
        self.assertEqual(self.group["TargetGroupArn"], action["TargetGroupArn"])
        self.assertEqual(
            [{"TargetGroupArn": self.group["TargetGroupArn"], "Weight": 1}], action["ForwardConfig"]["TargetGroups"]
        )

        def modify(action: dict) -> dict:
            changed = self.elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[action])
            return changed["Listeners"][0]["DefaultActions"][0]

        weighted = {
            "TargetGroups": [
                {"TargetGroupArn": self.group["TargetGroupArn"], "Weight": 3},
                {"TargetGroupArn": self.other["TargetGroupArn"], "Weight": 1},
            ],
            "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
        }
        made = modify({"Type": "forward", "ForwardConfig": weighted})
        self.assertEqual(weighted, made["ForwardConfig"])
        self.assertNotIn("TargetGroupArn", made)
        made = modify(
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
        )
        self.assertEqual("#{host}", made["RedirectConfig"]["Host"])
        made = modify({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "no"}})
        self.assertEqual("text/plain", made["FixedResponseConfig"]["ContentType"])
        for code, action in (
            ("TargetGroupNotFound", {"Type": "forward", "TargetGroupArn": self.group["TargetGroupArn"] + "0"}),
            ("InvalidLoadBalancerAction", {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}),
            ("ValidationError", {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "302"}}),
        ):
            with self.refused(code):
                modify(action)

    def test_logins(self):
        listener = self.account.listener(self.balancer, self.group)["ListenerArn"]
        place = "https://login.example.org"
        config = {
            "Issuer": place, "AuthorizationEndpoint": place, "TokenEndpoint": place, "UserInfoEndpoint": place,
            "ClientId": "web",
        }  # fmt: skip
        then = {"Type": "forward", "TargetGroupArn": self.group["TargetGroupArn"], "Order": 2}

        def modify(more: dict, **how: Any) -> dict:
            login = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {**config, **more}, "Order": 1}
            changed = self.elb.modify_listener(ListenerArn=listener, DefaultActions=[login, then], **how)
            return changed["Listeners"][0]["DefaultActions"][0]["AuthenticateOidcConfig"]

        secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "arn:aws:acm:x:1:certificate/1"}]}
        with self.refused("InvalidLoadBalancerAction"):
            modify({"ClientSecret": "quiet"})
        with self.refused("ValidationError"):
            modify({}, **secure)
        made = modify({"ClientSecret": "quiet"}, **secure)
        self.assertNotIn("ClientSecret", made)
        self.assertEqual(("authenticate", "openid"), (made["OnUnauthenticatedRequest"], made["Scope"]))
        self.assertEqual(60, modify({"UseExistingClientSecret": True, "SessionTimeout": 60})["SessionTimeout"])

    def test_attributes(self):
        arn = self.account.listener(self.balancer, self.group)["ListenerArn"]
        key = "routing.http.response.server.enabled"
        self.elb.modify_listener_attributes(ListenerArn=arn, Attributes=[{"Key": key, "Value": "false"}])
        self.assertIn(
            {"Key": key, "Value": "false"}, self.elb.describe_listener_attributes(ListenerArn=arn)["Attributes"]
        )

    def test_rules(self):
        listener = self.account.listener(self.balancer, self.group)["ListenerArn"]

        def make(priority: int, *conditions: dict) -> dict:
            return self.elb.create_rule(
                ListenerArn=listener, Priority=priority, Conditions=list(conditions),
                Actions=[{"Type": "forward", "TargetGroupArn": self.other["TargetGroupArn"]}],
            )["Rules"][0]  # fmt: skip

        first = make(
            10,
            {"Field": "path-pattern", "Values": ["/a/*"]},
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X", "Values": ["1"]}},
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        )
        self.assertEqual(["/a/*"], first["Conditions"][0]["PathPatternConfig"]["Values"])
        second = make(
            20,
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example"]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        )
        with self.refused("PriorityInUse"):
            make(10, {"Field": "path-pattern", "Values": ["/b"]})
        self.elb.set_rule_priorities(
            RulePriorities=[
                {"RuleArn": first["RuleArn"], "Priority": 20},
                {"RuleArn": second["RuleArn"], "Priority": 10},
            ]
        )
        found = self.elb.describe_rules(ListenerArn=listener)["Rules"]
        self.assertEqual(["10", "20", "default"], [rule["Priority"] for rule in found])
        self.assertEqual(second["RuleArn"], found[0]["RuleArn"])
        with self.refused("OperationNotPermitted"):
            self.elb.delete_rule(RuleArn=found[2]["RuleArn"])
        changed = self.elb.modify_rule(
            RuleArn=first["RuleArn"], Conditions=[{"Field": "path-pattern", "Values": ["/z"]}]
        )
        self.assertEqual(1, len(changed["Rules"][0]["Conditions"]))
        self.elb.delete_rule(RuleArn=first["RuleArn"])
        with self.refused("RuleNotFound"):
            self.elb.describe_rules(RuleArns=[first["RuleArn"]])
        for conditions in (
            [{"Field": "path-pattern", "Values": []}],
            [{"Field": "path-pattern", "Values": [str(n) for n in range(6)]}],
        ):
            with self.refused("ValidationError"):
                make(30, *conditions)
