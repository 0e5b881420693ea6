"""moto underneath: what the layer does not answer itself goes there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# moto's own catalogue of images takes a second for each account; ours is in `catalogue.json`.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from moto.ec2.models import ec2_backends  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.test import EnvironBuilder, run_wsgi_app  # noqa: E402

from .errors import AwsError  # noqa: E402
from .protocol import form_body  # noqa: E402

if TYPE_CHECKING:
    from .operations import Call

MOTO = DomainDispatcherApplication(create_backend_app)


def backend(account_id: str, region: str) -> Any:
    """moto's EC2 model of a region: the home of VPCs, subnets, groups and route tables."""
    if region not in ec2_backends[account_id].regions:
        raise AwsError("AuthFailure", f"The region '{region}' does not exist or is not enabled for this account.")
    return ec2_backends[account_id][region]


def forget(account_id: str) -> None:
    """Drops everything moto holds for an account, in every service it was used with."""
    from moto.core.base_backend import BackendDict

    for service in set(BackendDict._instances):
        if account_id in list(service.keys()):
            service[account_id].reset()
            service.pop(account_id)


def forward(call: Call) -> dict[str, Any]:
    """What moto answers to a call.

    Filters and pages are taken out, because the layer does both itself for every list.
    """
    from . import reads

    listing = reads.LISTINGS.get(call.name) if call.service.name == "ec2" else None
    form = dict(call.form)
    for key in call.form:
        if key.split(".")[0] in ("DryRun", "MaxResults", "NextToken", "PageSize", "Marker"):
            del form[key]
        elif listing and key.split(".")[0] in ("Filter", "Filters"):
            del form[key]
    result = _send(call, form)
    return listing(call, result) if listing else result


def _send(call: Call, form: dict[str, str]) -> dict[str, Any]:
    headers = {
        "Authorization": call.headers["Authorization"],
        "Host": call.headers.get("Host", "127.0.0.1"),
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-moto-account-id": call.region.account.id,
    }
    environ = EnvironBuilder(method="POST", path="/", data=form_body(form), headers=headers).get_environ()
    # moto raises what it cannot do, and its server would make a page of HTML of it, which an SDK
    # takes for a passing fault and tries again. A clear error is better.
    try:
        chunks, status_line, answer_headers = run_wsgi_app(MOTO, environ, buffered=True)
        status = int(status_line.split()[0])
        return call.service.parse_answer(call.operation, status, dict(answer_headers), b"".join(chunks))
    except AwsError:
        raise
    except Exception as problem:
        raise AwsError("EmulatorUnimplemented", f"moto cannot do {call.name} as asked: {problem!r}", 400) from problem
