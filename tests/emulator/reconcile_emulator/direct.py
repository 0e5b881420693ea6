"""API calls in JSON, for tests that change things behind a client's back without an SDK.

They are executed like any other call, but no fault strikes them and no log counts them.
"""

from __future__ import annotations

from typing import Any

import botocore.serialize

from . import s3
from .operations import Call, execute
from .protocol import SERVICES
from .world import Account


def call(account: Account, region_name: str, service_name: str, operation_name: str, params: dict[str, Any]) -> Any:
    """Makes one call with AWS's own parameter names and returns its result the same way."""
    if service_name == "s3":
        with account.lock:
            return s3.direct(account, region_name, operation_name, params)
    if service_name not in SERVICES:
        raise LookupError(f"no service '{service_name}'; there are {', '.join(SERVICES)}")
    service = SERVICES[service_name]
    operation = service.operation(operation_name)
    serializer = botocore.serialize.create_serializer(service.protocol, include_validation=True)
    form = serializer.serialize_to_request(params, operation)["body"]
    form = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in form.items()}
    # moto finds the service, the region and nothing else in the signature.
    scope = f"direct/20000101/{region_name}/{'elasticloadbalancing' if service_name == 'elbv2' else service_name}"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request, SignedHeaders=host, Signature=none"}
    with account.lock:
        region = account.region(region_name)
        region.advance()
        made = Call(service, operation, service.parse_request(operation, form), form, headers, region)
        return _public(execute(made))


def _public(value: Any) -> Any:
    """A result without what is ours and what is not there."""
    if isinstance(value, dict):
        return {k: _public(v) for k, v in value.items() if v is not None and not str(k).startswith("_")}
    if isinstance(value, (list, tuple)):
        return [_public(item) for item in value]
    return value
