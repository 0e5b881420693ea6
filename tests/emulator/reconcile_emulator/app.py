"""The HTTP side: who calls what, which faults strike, and how an answer or the lack of one gets out."""

from __future__ import annotations

import io
import logging
import re
import time
import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from . import control, direct, ec2, elbv2, s3  # noqa: F401  (registers the handlers)
from .errors import AwsError
from .faults import Fault
from .moto_bridge import MOTO
from .operations import Call, execute, shuffled
from .protocol import BY_SIGNING_NAME, Service
from .server import Cut, Hangup
from .world import Account, World

LOG = logging.getLogger("reconcile_emulator")

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


class Emulator:
    """The WSGI application."""

    def __init__(self) -> None:
        self.world = World()
        # moto sets itself up at its first call, which takes most of a second; no test should be
        # the one that waits for it.
        direct.call(Account("000000000000"), "us-east-1", "ec2", "DescribeVpcs", {})

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith("/_emulator/"):
            return control.answer(self.world, request)(environ, start_response)
        credential = CREDENTIAL.search(request.headers.get("Authorization", ""))
        if credential is None:
            return Response("The request is not signed.", 403)(environ, start_response)
        access_key, region_name, signing_name = credential.groups()
        account = self.world.account(access_key)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account.id
        service = BY_SIGNING_NAME.get(signing_name)
        if service is None:
            return self._other(account, region_name, signing_name, request, environ, start_response)
        return self._query(account, region_name, service, request)(environ, start_response)

    def _query(self, account: Account, region_name: str, service: Service, request: Request) -> Any:
        """A call of EC2 or ELBv2."""
        form = request.form.to_dict() or request.args.to_dict()
        name = form.get("Action", "")
        started, request_id = time.monotonic(), str(uuid.uuid4())
        entry = account.calls.begin(service.name, name, region_name)
        faults = account.faults.striking(service.name, name)
        status = 200
        try:
            strike_before(faults, entry)
            try:
                if latency := account.settings["latency_seconds"]:
                    time.sleep(latency)
                for fault in faults:
                    if fault.kind == "error" and not fault.executed:
                        raise AwsError(fault.code, fault.message, fault.status)
                operation = service.operation(name)
                with account.lock:
                    region = account.region(region_name)
                    region.advance()
                    params = service.parse_request(operation, form)
                    if account.settings["throttle"]:
                        self._throttle(account, service, region_name, name, params, entry)
                    outcome = next((fault for fault in faults if fault.kind == "outcome"), None)
                    call = Call(service, operation, params, form, dict(request.headers), region, outcome)
                    result = execute(call)
                    entry["executed"] = True
                    if account.settings["shuffle"]:
                        result = shuffled(result, account.id)
                    body = service.result(operation, result, request_id)
                for fault in faults:
                    if fault.kind == "error":
                        raise AwsError(fault.code, fault.message, fault.status)
            except AwsError as error:
                status, body = error.status, service.error(error, request_id)
                entry["code"] = error.code
                if error.code == "EmulatorUnimplemented":
                    entry["message"] = error.message
                    LOG.error("%s", error.message)
            except Exception as problem:  # a bug of the layer: say so, and let tests see it
                LOG.exception("%s failed", name)
                error = AwsError("EmulatorUnimplemented", f"The emulator failed at {name}: {problem!r}", 400)
                status, body = error.status, service.error(error, request_id)
                entry["code"], entry["message"] = error.code, error.message
            entry["status"] = status
            response = Response(body, status, content_type="text/xml;charset=UTF-8")
            response.headers["x-amzn-RequestId"] = request_id
            return strike_after(faults, response)
        finally:
            entry["seconds"] = round(time.monotonic() - started, 4)

    @staticmethod
    def _throttle(account: Account, service: Service, region: str, name: str, params: dict, entry: dict) -> None:
        try:
            account.buckets.take(service.name, name, region, params, account.settings["throttle_scale"])
        except AwsError:
            entry["throttled"] = True
            raise

    def _other(
        self, account: Account, region_name: str, service: str, request: Request, environ: dict, start_response: Any
    ) -> Iterable[bytes]:
        """A call of any other service: moto's answer, with the same faults and the same count."""
        if service == "s3":
            name = s3.operation_name(request)
        else:
            # Reading the form uses up the body, which moto wants to read too.
            body = request.get_data(cache=True, parse_form_data=False)
            environ["wsgi.input"] = io.BytesIO(body)
            name = dict(parse_qsl(body.decode(errors="replace"))).get("Action", request.method)
        entry = account.calls.begin(service, name, region_name)
        started = time.monotonic()
        faults = account.faults.striking(service, name)
        try:
            strike_before(faults, entry)
            if latency := account.settings["latency_seconds"]:
                time.sleep(latency)
            failure = next((f for f in faults if f.kind == "error"), None)
            if failure is None or failure.executed:
                with account.lock:
                    response = s3.elsewhere(account, region_name, request) if service == "s3" else None
                    response = response or Response.from_app(MOTO, environ, buffered=True)
                entry["executed"] = True
            if failure is not None:
                response = s3.error(failure)
                entry["code"] = failure.code
            if service == "s3":
                response = s3.dated(response)
            entry["status"] = response.status_code
            return strike_after(faults, response)(environ, start_response)
        finally:
            entry["seconds"] = round(time.monotonic() - started, 4)


def strike_before(faults: list[Fault], entry: dict[str, Any]) -> None:
    """Lets the faults happen that come before a call is executed."""
    for fault in faults:
        entry["fault"] = fault.kind
        if fault.kind == "delay-before" and fault.withdrawn.wait(fault.seconds) and not fault.executed:
            raise Cut
        elif fault.kind == "cut-before":
            raise Cut
        elif fault.kind == "http" and not fault.executed:
            entry["status"] = fault.status or 500
            raise_response(fault)


def strike_after(faults: list[Fault], response: Response) -> Any:
    """Lets the faults happen that come after a call was executed."""
    for fault in faults:
        if fault.kind == "delay-after":
            fault.withdrawn.wait(fault.seconds)
        elif fault.kind == "cut-after":
            raise Cut
        elif fault.kind == "truncate":
            return truncated(response)
        elif fault.kind == "http":
            raise_response(fault)
    return response


class Answer(Exception):
    """An answer that a fault gives in place of the service's."""

    def __init__(self, response: Response):
        super().__init__()
        self.response = response


def raise_response(fault: Fault) -> None:
    status = fault.status or 500
    raise Answer(Response(f"<html><body>{status}</body></html>", status, content_type="text/html"))


def truncated(response: Response) -> Any:
    """Sends half of an answer that announced its whole length, and then nothing more."""
    body = response.get_data()

    def halves() -> Iterable[bytes]:
        yield body[: len(body) // 2]
        raise Hangup

    short = Response(halves(), response.status_code, headers=response.headers)
    short.headers["Content-Length"] = str(len(body))
    return short


class Guarded:
    """The application with the answers that faults raise turned into answers."""

    def __init__(self, app: Emulator):
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return self.app(environ, start_response)
        except Answer as answer:
            return answer.response(environ, start_response)
