"""The attributes of load balancers, target groups and listeners, with AWS's defaults and limits."""

from __future__ import annotations

from typing import Any

from ..errors import AwsError
from ..operations import Call, operation
from . import lookup

BOOL = ("true", "false")

# Key: default, and what it may be: a set of words, a range, or None for free text.
_LOGS = ("access_logs", "connection_logs", "health_check_logs")
_ALL = {
    "deletion_protection.enabled": ("false", BOOL),
    "load_balancing.cross_zone.enabled": ("false", BOOL),
}
_LOG = {"enabled": ("false", BOOL), "bucket": ("", None), "prefix": ("", None)}
_FRONT = {
    **{f"access_logs.s3.{name}": rule for name, rule in _LOG.items()},
    "ipv6.deny_all_igw_traffic": ("false", BOOL),
    "zonal_shift.config.enabled": ("false", BOOL),
}

Rules = dict[str, tuple[str, Any]]

LOAD_BALANCER: dict[str, Rules] = {
    "application": {
        **_ALL,
        **_FRONT,
        **{f"{log}.s3.{name}": rule for log in _LOGS for name, rule in _LOG.items()},
        "load_balancing.cross_zone.enabled": ("true", ("true",)),
        "idle_timeout.timeout_seconds": ("60", range(1, 4001)),
        "client_keep_alive.seconds": ("3600", range(60, 604801)),
        "routing.http.desync_mitigation_mode": ("defensive", ("monitor", "defensive", "strictest")),
        "routing.http.drop_invalid_header_fields.enabled": ("false", BOOL),
        "routing.http.preserve_host_header.enabled": ("false", BOOL),
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": ("false", BOOL),
        "routing.http.xff_client_port.enabled": ("false", BOOL),
        "routing.http.xff_header_processing.mode": ("append", ("append", "preserve", "remove")),
        "routing.http2.enabled": ("true", BOOL),
        "waf.fail_open.enabled": ("false", BOOL),
    },
    "network": {
        **_ALL,
        **_FRONT,
        "dns_record.client_routing_policy": (
            "any_availability_zone",
            ("any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity"),
        ),
        "secondary_ips.auto_assigned.per_subnet": ("0", range(0, 8)),
    },
    "gateway": _ALL,
}

_HEALTH = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": ("1", None),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": ("off", None),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": ("1", None),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": ("off", None),
}
_CROSS_ZONE = {
    "load_balancing.cross_zone.enabled": ("use_load_balancer_configuration", (*BOOL, "use_load_balancer_configuration"))
}
_DELAY = {"deregistration_delay.timeout_seconds": ("300", range(0, 3601))}

TARGET_GROUP: dict[str, Rules] = {
    "application": {
        **_DELAY,
        **_CROSS_ZONE,
        **_HEALTH,
        "load_balancing.algorithm.type": (
            "round_robin",
            ("round_robin", "least_outstanding_requests", "weighted_random"),
        ),
        "load_balancing.algorithm.anomaly_mitigation": ("off", ("on", "off")),
        "slow_start.duration_seconds": ("0", (*(str(n) for n in range(30, 901)), "0")),
        "stickiness.enabled": ("false", BOOL),
        "stickiness.type": ("lb_cookie", ("lb_cookie", "app_cookie")),
        "stickiness.lb_cookie.duration_seconds": ("86400", range(1, 604801)),
        "stickiness.app_cookie.cookie_name": ("", None),
        "stickiness.app_cookie.duration_seconds": ("86400", range(1, 604801)),
    },
    "network": {
        **_DELAY,
        **_CROSS_ZONE,
        **_HEALTH,
        "deregistration_delay.connection_termination.enabled": ("false", BOOL),
        "preserve_client_ip.enabled": ("true", BOOL),
        "proxy_protocol_v2.enabled": ("false", BOOL),
        "stickiness.enabled": ("false", BOOL),
        "stickiness.type": ("source_ip", ("source_ip",)),
        "target_health_state.unhealthy.connection_termination.enabled": ("true", BOOL),
        "target_health_state.unhealthy.draining_interval_seconds": ("0", range(0, 360001)),
    },
    "gateway": {
        **_DELAY,
        "stickiness.enabled": ("false", BOOL),
        "stickiness.type": ("source_ip_dest_ip_proto", ("source_ip_dest_ip", "source_ip_dest_ip_proto")),
        "target_failover.on_deregistration": ("no_rebalance", ("rebalance", "no_rebalance")),
        "target_failover.on_unhealthy": ("no_rebalance", ("rebalance", "no_rebalance")),
    },
    "lambda": {"lambda.multi_value_headers.enabled": ("false", BOOL)},
}

_REQUEST_HEADERS = (
    "mtls_clientcert_serial_number", "mtls_clientcert_issuer", "mtls_clientcert_subject", "mtls_clientcert_validity",
    "mtls_clientcert_leaf", "mtls_clientcert", "tls_version", "tls_cipher_suite",
)  # fmt: skip
_RESPONSE_HEADERS = (
    "strict_transport_security", "access_control_allow_origin", "access_control_allow_methods", "access_control_allow_headers",
    "access_control_allow_credentials", "access_control_expose_headers", "access_control_max_age", "content_security_policy",
    "x_content_type_options", "x_frame_options",
)  # fmt: skip

_TLS_HEADERS = {f"routing.http.request.x_amzn_{name}.header_name": ("", None) for name in _REQUEST_HEADERS}
_HTTP: Rules = {
    "routing.http.response.server.enabled": ("true", BOOL),
    **{f"routing.http.response.{name}.header_value": ("", None) for name in _RESPONSE_HEADERS},
}

LISTENER: dict[str, Rules] = {
    "HTTP": _HTTP,
    "HTTPS": {**_HTTP, **_TLS_HEADERS},
    "TCP": {"tcp.idle_timeout.seconds": ("350", range(60, 6001))},
    "GENEVE": {"tcp.idle_timeout.seconds": ("350", range(60, 6001))},
}


def defaults(rules: Rules) -> dict[str, str]:
    return {name: default for name, (default, _) in rules.items()}


def shown(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in values.items()]


def changed(
    values: dict[str, str], wanted: list[dict[str, str]], rules: Rules, known: dict[str, Rules], what: str
) -> dict[str, str]:
    """The attributes after a change, or the error that keeps them as they were."""
    result = dict(values)
    for change in wanted:
        key, value = change.get("Key", ""), change.get("Value", "")
        if key not in rules:
            if any(key in others for others in known.values()):
                raise AwsError(
                    "InvalidConfigurationRequest", f"{what} attribute key '{key}' is not supported on this type"
                )
            raise AwsError("ValidationError", f"{what} attribute key '{key}' is not recognized")
        allowed = rules[key][1]
        if isinstance(allowed, range):
            fits = value.isdigit() and int(value) in allowed
        else:
            fits = allowed is None or value in allowed
        if not fits:
            raise AwsError("ValidationError", f"'{value}' is not a valid value for {what.lower()} attribute '{key}'")
        result[key] = value
    for log in _LOGS:
        if result.get(f"{log}.s3.enabled") == "true" and not result.get(f"{log}.s3.bucket"):
            raise AwsError(
                "InvalidConfigurationRequest", f"'{log}.s3.bucket' is required when '{log}.s3.enabled' is true"
            )
    if result.get("stickiness.enabled") == "true" and result.get("stickiness.type") == "app_cookie":
        if not result.get("stickiness.app_cookie.cookie_name"):
            raise AwsError(
                "InvalidConfigurationRequest", "A cookie name must be specified for stickiness type app_cookie"
            )
    return result


def group_kind(group: dict[str, Any]) -> str:
    """Which family of attributes a target group has."""
    if group["TargetType"] == "lambda":
        return "lambda"
    return {"HTTP": "application", "HTTPS": "application", "GENEVE": "gateway"}.get(group["Protocol"], "network")


@operation("elbv2", "DescribeLoadBalancerAttributes")
def load_balancer(call: Call) -> dict[str, Any]:
    return {"Attributes": shown(lookup.load_balancer(call.region, call.params["LoadBalancerArn"])["_attributes"])}


@operation("elbv2", "ModifyLoadBalancerAttributes")
def modify_load_balancer(call: Call) -> dict[str, Any]:
    balancer = lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    rules = LOAD_BALANCER[balancer["Type"]]
    balancer["_attributes"] = changed(
        balancer["_attributes"], call.params["Attributes"], rules, LOAD_BALANCER, "Load balancer"
    )
    return {"Attributes": shown(balancer["_attributes"])}


@operation("elbv2", "DescribeTargetGroupAttributes")
def target_group(call: Call) -> dict[str, Any]:
    return {"Attributes": shown(lookup.target_group(call.region, call.params["TargetGroupArn"])["_attributes"])}


@operation("elbv2", "ModifyTargetGroupAttributes")
def modify_target_group(call: Call) -> dict[str, Any]:
    group = lookup.target_group(call.region, call.params["TargetGroupArn"])
    rules = TARGET_GROUP[group_kind(group)]
    group["_attributes"] = changed(group["_attributes"], call.params["Attributes"], rules, TARGET_GROUP, "Target group")
    return {"Attributes": shown(group["_attributes"])}


@operation("elbv2", "DescribeListenerAttributes")
def listener(call: Call) -> dict[str, Any]:
    return {"Attributes": shown(lookup.listener(call.region, call.params["ListenerArn"])["_attributes"])}


@operation("elbv2", "ModifyListenerAttributes")
def modify_listener(call: Call) -> dict[str, Any]:
    found = lookup.listener(call.region, call.params["ListenerArn"])
    rules = LISTENER.get(found.get("Protocol") or "GENEVE", {})
    found["_attributes"] = changed(found["_attributes"], call.params["Attributes"], rules, LISTENER, "Listener")
    return {"Attributes": shown(found["_attributes"])}
