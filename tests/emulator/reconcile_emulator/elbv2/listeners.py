"""Listeners and the actions that they and their rules take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..operations import Call, operation
from . import attributes, lookup

if TYPE_CHECKING:
    from ..world import Region

PROTOCOLS = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"),
    "gateway": (None,),
}
SECURE = ("HTTPS", "TLS")
DEFAULT_SSL_POLICY = "ELBSecurityPolicy-2016-08"
MAX_WEIGHT = 999


def complete_actions(
    region: Region, kind: str, protocol: str | None, actions: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Actions as AWS gives them back: a forward has both its short and its long form."""
    if not actions:
        raise AwsError("ValidationError", "At least one action must be specified")
    completed = []
    for number, action in enumerate(actions, 1):
        made = {**action}
        if len(actions) > 1 or "Order" in action:
            made["Order"] = action.get("Order", number)
        match action["Type"]:
            case "forward":
                made.update(_forward(region, kind, action))
            case "redirect":
                made["RedirectConfig"] = _redirect(action.get("RedirectConfig"))
            case "fixed-response":
                made["FixedResponseConfig"] = _fixed(action.get("FixedResponseConfig"))
            case "authenticate-cognito":
                made["AuthenticateCognitoConfig"] = _login(protocol, action.get("AuthenticateCognitoConfig"))
            case "authenticate-oidc":
                made["AuthenticateOidcConfig"] = _oidc(protocol, action.get("AuthenticateOidcConfig"))
        completed.append(made)
    ordered = sorted(completed, key=lambda action: action.get("Order", 1))
    if ordered[-1]["Type"] not in ("forward", "redirect", "fixed-response"):
        raise AwsError("ValidationError", "The last action must be of type forward, redirect or fixed-response")
    if kind != "application" and any(action["Type"] != "forward" for action in ordered):
        raise AwsError("InvalidLoadBalancerAction", "Only forward actions are supported for this type of load balancer")
    return ordered


def _forward(region: Region, kind: str, action: dict[str, Any]) -> dict[str, Any]:
    config, arn = action.get("ForwardConfig"), action.get("TargetGroupArn")
    if not config and not arn:
        raise AwsError("ValidationError", "A target group ARN must be specified")
    groups = [dict(entry) for entry in (config or {}).get("TargetGroups") or [{"TargetGroupArn": arn}]]
    if arn and config and [entry["TargetGroupArn"] for entry in groups] != [arn]:
        raise AwsError(
            "InvalidLoadBalancerAction", "You cannot specify both a target group ARN and a different target group list"
        )
    if not 1 <= len(groups) <= 5:
        raise AwsError("TooManyTargets", "A forward action can have one to five target groups")
    for entry in groups:
        group = lookup.target_group(region, entry.get("TargetGroupArn", ""))
        family = attributes.group_kind(group)
        if family != kind and not (family == "lambda" and kind == "application"):
            raise AwsError(
                "IncompatibleProtocols",
                f"The target group '{group['TargetGroupArn']}' has protocol {group['Protocol']}, which a load balancer of type {kind} does not support",
            )
        entry.setdefault("Weight", 1)
        if not 0 <= entry["Weight"] <= MAX_WEIGHT:
            raise AwsError("ValidationError", f"Weight '{entry['Weight']}' must be between 0 and {MAX_WEIGHT}")
    made: dict[str, Any] = {"ForwardConfig": {"TargetGroups": groups}}
    if kind == "application":
        stickiness = {"Enabled": False, **(config or {}).get("TargetGroupStickinessConfig", {})}
        if stickiness["Enabled"] and not 1 <= stickiness.get("DurationSeconds", 0) <= 604800:
            raise AwsError("ValidationError", "The stickiness duration must be between 1 and 604800 seconds")
        made["ForwardConfig"]["TargetGroupStickinessConfig"] = stickiness
    if len(groups) == 1:
        made["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return made


def _redirect(config: dict[str, Any] | None) -> dict[str, Any]:
    if not config:
        raise AwsError("InvalidLoadBalancerAction", "A redirect action needs its configuration")
    parts = {
        "Protocol": "#{protocol}",
        "Port": "#{port}",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        **config,
    }
    if parts["Protocol"] not in ("HTTP", "HTTPS", "#{protocol}"):
        raise AwsError("ValidationError", f"'{parts['Protocol']}' is not a valid redirect protocol")
    if all(
        parts[name] == value
        for name, value in (("Protocol", "#{protocol}"), ("Port", "#{port}"), ("Host", "#{host}"), ("Path", "/#{path}"))
    ):
        raise AwsError(
            "InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop."
        )
    return parts


def _fixed(config: dict[str, Any] | None) -> dict[str, Any]:
    code = (config or {}).get("StatusCode", "")
    if not (len(code) == 3 and code.isdigit() and code[0] in "245"):
        raise AwsError("ValidationError", f"The status code '{code}' must be 2XX, 4XX or 5XX")
    return {"ContentType": "text/plain", **(config or {})}


def _login(protocol: str | None, config: dict[str, Any] | None) -> dict[str, Any]:
    """What a client has to log in to, with AWS's defaults."""
    if protocol != "HTTPS":
        raise AwsError("InvalidLoadBalancerAction", "Authenticate actions are only supported on HTTPS listeners")
    if not config:
        raise AwsError("InvalidLoadBalancerAction", "An authenticate action needs its configuration")
    return {
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "Scope": "openid",
        "SessionTimeout": 604800,
        "OnUnauthenticatedRequest": "authenticate",
        **config,
    }


def _oidc(protocol: str | None, config: dict[str, Any] | None) -> dict[str, Any]:
    made = _login(protocol, config)
    keeps, secret = made.pop("UseExistingClientSecret", False), made.pop("ClientSecret", None)
    if not keeps and not secret:
        raise AwsError("ValidationError", "A client secret must be specified")
    # Nobody is told the secret.
    return made


def view(listener: dict[str, Any]) -> dict[str, Any]:
    certificates = listener["_certificates"][:1]
    return {**listener, "Certificates": certificates or None}


def _secure(
    protocol: str | None, policy: str | None, certificates: list[dict[str, Any]]
) -> tuple[str | None, list[dict[str, Any]]]:
    """The TLS side of a listener, which exists only where the protocol has one."""
    if protocol not in SECURE:
        if certificates or policy:
            raise AwsError(
                "ValidationError", f"A certificate or SSL policy cannot be specified for {protocol} listeners"
            )
        return None, []
    if not certificates:
        raise AwsError("ValidationError", f"A certificate must be specified for {protocol} listeners")
    if len(certificates) > 1:
        raise AwsError("ValidationError", "Only one certificate, the default one, can be specified here")
    for certificate in certificates:
        if not certificate.get("CertificateArn", "").startswith("arn:aws:"):
            raise AwsError("CertificateNotFound", f"Certificate '{certificate.get('CertificateArn')}' not found")
    return policy or DEFAULT_SSL_POLICY, [{"CertificateArn": c["CertificateArn"]} for c in certificates]


@operation("elbv2", "CreateListener")
def create(call: Call) -> dict[str, Any]:
    region, balancer = call.region, lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    kind, protocol, port = balancer["Type"], call.get("Protocol"), call.get("Port")
    if kind != "gateway" and (protocol is None or port is None):
        raise AwsError("ValidationError", "A port and a protocol must be specified")
    if protocol not in PROTOCOLS[kind]:
        raise AwsError(
            "UnsupportedProtocol", f"Protocol '{protocol}' is not supported by load balancers of type '{kind}'"
        )
    policy, certificates = _secure(protocol, call.get("SslPolicy"), call.get("Certificates", []))
    actions, tags = complete_actions(region, kind, protocol, call.params["DefaultActions"]), lookup.tags(call)
    members = {
        "Protocol": protocol,
        "Port": port,
        "SslPolicy": policy,
        "DefaultActions": actions,
        "AlpnPolicy": call.get("AlpnPolicy"),
        "MutualAuthentication": call.get("MutualAuthentication") or ({"Mode": "off"} if protocol == "HTTPS" else None),
        "_certificates": certificates,
    }
    for existing in region.listeners.values():
        if existing["LoadBalancerArn"] == balancer["LoadBalancerArn"] and existing["Port"] == port:
            if all(existing.get(name) == value for name, value in members.items()):
                return {"Listeners": [view(existing)]}
            raise AwsError(
                "DuplicateListener",
                f"A listener already exists on port {port} for this load balancer '{balancer['LoadBalancerArn']}'",
            )
    arn = lookup.arn(region, f"listener/{balancer['_path']}/{lookup.suffix()}")
    listener = {
        "ListenerArn": arn,
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        **members,
        "_path": balancer["_path"],
        "_tags": tags,
        "_attributes": attributes.defaults(attributes.LISTENER.get(protocol or "GENEVE", {})),
    }
    region.listeners[arn] = listener
    region.created(arn)
    default_arn = arn.replace(":listener/", ":listener-rule/") + f"/{lookup.suffix()}"
    region.rules[default_arn] = {
        "RuleArn": default_arn,
        "Priority": "default",
        "Conditions": [],
        "Actions": actions,
        "IsDefault": True,
        "_listener": arn,
        "_tags": [],
    }
    return {"Listeners": [view(listener)]}


@operation("elbv2", "DescribeListeners")
def describe(call: Call) -> dict[str, Any]:
    region, wanted, balancer = call.region, call.get("ListenerArns"), call.get("LoadBalancerArn")
    found = list(region.listeners.values())
    if balancer and not wanted:
        lookup.load_balancer(region, balancer)
        found = [listener for listener in found if listener["LoadBalancerArn"] == balancer]
    elif not wanted:
        raise AwsError("ValidationError", "Either a load balancer ARN or listener ARNs must be specified")
    found = lookup.select(region, found, "ListenerArn", "ListenerArn", wanted, "ListenerNotFound", "Listener")
    return lookup.paged(call, "Listeners", [view(listener) for listener in found])


@operation("elbv2", "ModifyListener")
def modify(call: Call) -> dict[str, Any]:
    region, listener = call.region, lookup.listener(call.region, call.params["ListenerArn"])
    balancer = region.load_balancers[listener["LoadBalancerArn"]]
    protocol, port = call.get("Protocol", listener["Protocol"]), call.get("Port", listener["Port"])
    if protocol not in PROTOCOLS[balancer["Type"]]:
        raise AwsError(
            "UnsupportedProtocol",
            f"Protocol '{protocol}' is not supported by load balancers of type '{balancer['Type']}'",
        )
    for other in region.listeners.values():
        if other is not listener and other["LoadBalancerArn"] == listener["LoadBalancerArn"] and other["Port"] == port:
            raise AwsError("DuplicateListener", f"A listener already exists on port {port} for this load balancer")
    secure = protocol in SECURE
    policy, certificates = _secure(
        protocol,
        call.get("SslPolicy", listener["SslPolicy"] if secure else None),
        call.get("Certificates", listener["_certificates"][:1] if secure else []),
    )
    actions = listener["DefaultActions"]
    if "DefaultActions" in call.params:
        actions = complete_actions(region, balancer["Type"], protocol, call.params["DefaultActions"])
    if protocol != listener["Protocol"]:
        rules = attributes.LISTENER.get(protocol, {})
        listener["_attributes"] = {
            **attributes.defaults(rules),
            **{k: v for k, v in listener["_attributes"].items() if k in rules},
        }
    listener.update(
        Protocol=protocol, Port=port, SslPolicy=policy, DefaultActions=actions,
        _certificates=certificates + listener["_certificates"][1:] if secure else [],
        AlpnPolicy=call.get("AlpnPolicy", listener["AlpnPolicy"]) if protocol == "TLS" else None,
        MutualAuthentication=call.get("MutualAuthentication", listener["MutualAuthentication"] or {"Mode": "off"})
        if protocol == "HTTPS" else None,
    )  # fmt: skip
    for rule in region.rules.values():
        if rule["_listener"] == listener["ListenerArn"] and rule["IsDefault"]:
            rule["Actions"] = actions
    return {"Listeners": [view(listener)]}


@operation("elbv2", "DeleteListener")
def delete(call: Call) -> dict[str, Any]:
    region, listener = call.region, lookup.listener(call.region, call.params["ListenerArn"])
    for arn in [key for key, rule in region.rules.items() if rule["_listener"] == listener["ListenerArn"]]:
        del region.rules[arn]
    del region.listeners[listener["ListenerArn"]]
    return {}


@operation("elbv2", "DescribeListenerCertificates")
def certificates(call: Call) -> dict[str, Any]:
    listener = lookup.listener(call.region, call.params["ListenerArn"])
    found = [{**certificate, "IsDefault": number == 0} for number, certificate in enumerate(listener["_certificates"])]
    return lookup.paged(call, "Certificates", found)


@operation("elbv2", "AddListenerCertificates")
def add_certificates(call: Call) -> dict[str, Any]:
    listener = lookup.listener(call.region, call.params["ListenerArn"])
    wanted = [{"CertificateArn": certificate["CertificateArn"]} for certificate in call.params["Certificates"]]
    listener["_certificates"] = listener["_certificates"] + [c for c in wanted if c not in listener["_certificates"]]
    return {"Certificates": [{**certificate, "IsDefault": False} for certificate in wanted]}


@operation("elbv2", "RemoveListenerCertificates")
def remove_certificates(call: Call) -> dict[str, Any]:
    listener = lookup.listener(call.region, call.params["ListenerArn"])
    gone = [certificate["CertificateArn"] for certificate in call.params["Certificates"]]
    if listener["_certificates"] and listener["_certificates"][0]["CertificateArn"] in gone:
        raise AwsError("OperationNotPermitted", "Default certificate cannot be removed")
    listener["_certificates"] = [c for c in listener["_certificates"] if c["CertificateArn"] not in gone]
    return {}
