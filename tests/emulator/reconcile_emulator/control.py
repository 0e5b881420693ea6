"""`/_emulator/…`: how a test steers its account and reads what happened in it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ParamValidationError
from werkzeug.wrappers import Request, Response

from . import direct
from .errors import AwsError
from .faults import KINDS
from .inventory import inventory
from .world import World


def answer(world: World, request: Request) -> Response:
    """Answers a control request; `?access_key=` says which account is meant."""
    try:
        return _json(_dispatch(world, request))
    except LookupError as problem:
        return _json({"error": str(problem.args[0])}, 404)
    except AwsError as error:
        return _json({"error": error.message, "code": error.code}, error.status)
    except (ValueError, TypeError, ParamValidationError) as problem:
        return _json({"error": str(problem)}, 400)


def _dispatch(world: World, request: Request) -> Any:
    what, _, rest = request.path.removeprefix("/_emulator/").partition("/")
    account = world.account(request.args.get("access_key", "test"))
    match request.method, what:
        case "GET", "health":
            return {"status": "ok"}
        case "GET", "calls":
            return account.calls.report(with_log=request.args.get("log", "1") != "0")
        case "POST", "reset":
            if request.args.get("what", "all") == "calls":
                account.calls.clear()
            else:
                with account.lock:
                    account.reset()
            return {"reset": request.args.get("what", "all")}
        case "POST", "save":
            with account.lock:
                account.save()
            return {"saved": True}
        case "POST", "restore":
            with account.lock:
                account.restore()
            return {"restored": True}
        case "GET", "settings":
            return dict(account.settings)
        case "POST", "settings":
            account.settings.change(_body(request))
            return dict(account.settings)
        case "GET", "faults":
            account.faults.wait(float(request.args.get("struck_within", 0)))
            return {"faults": account.faults.report(), "kinds": KINDS}
        case "POST", "faults":
            orders = _body(request)
            faults = [account.faults.order(order) for order in (orders if isinstance(orders, list) else [orders])]
            return {"faults": [fault.report() for fault in faults]}
        case "DELETE", "faults":
            return {"withdrawn": account.faults.clear(int(rest) if rest else None)}
        case "POST", "call":
            service, _, operation = rest.partition("/")
            region = request.args.get("region", "ap-northeast-2")
            return direct.call(account, region, service, operation, _body(request))
        case "GET", "inventory":
            with account.lock:
                return inventory(account)
    raise LookupError(f"no {request.method} {request.path}; README.md lists what there is")


def _body(request: Request) -> Any:
    try:
        return json.loads(request.get_data() or b"{}")
    except json.JSONDecodeError as problem:
        raise ValueError(f"the body is not JSON: {problem}") from None


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, indent=1, default=str) + "\n", status, content_type="application/json")
