"""The two wire protocols of EC2 and ELBv2, both ways, driven by botocore's service models.

Requests are forms with dotted keys; answers are XML. Handlers see neither: they take and return
plain dictionaries with AWS's member names.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime, timezone
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import botocore.parsers
import botocore.session
from botocore.model import OperationModel, Shape

from .errors import AwsError

# XML 1.0 has no way to write these, not even as a reference.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Service:
    """One service's model with the parser and the serializer made from it."""

    def __init__(self, name: str):
        self.name = name
        self.model = botocore.session.get_session().get_service_model(name)
        self.protocol: str = self.model.metadata["protocol"]
        self.namespace: str = self.model.metadata.get("xmlNamespace") or (
            f"http://{self.model.metadata['endpointPrefix']}.amazonaws.com/doc/{self.model.metadata['apiVersion']}/"
        )
        self.operations = frozenset(self.model.operation_names)

    @cached_property
    def _answers(self) -> botocore.parsers.ResponseParser:
        return botocore.parsers.create_parser(self.protocol)

    def operation(self, name: str) -> OperationModel:
        if name not in self.operations:
            raise AwsError("InvalidAction", f"The action {name} is not valid for this web service.")
        return self.model.operation_model(name)

    def parse_request(self, operation: OperationModel, form: dict[str, str]) -> dict[str, Any]:
        """The parameters of a request, by member name, checked against the model."""
        if operation.input_shape is None:
            return {}
        tree: dict[str, Any] = {}
        for key, value in form.items():
            node = tree
            *parents, leaf = key.split(".")
            for part in parents:
                child = node.get(part)
                if not isinstance(child, dict):
                    child = node[part] = {}
                node = child
            node.setdefault(leaf, value)
        return self._read(operation.input_shape, tree, "")

    def _query_name(self, name: str, shape: Shape) -> str:
        if self.protocol != "ec2":
            return shape.serialization.get("name", name)
        if "queryName" in shape.serialization:
            return shape.serialization["queryName"]
        wire = shape.serialization.get("name", name)
        return wire[:1].upper() + wire[1:]

    def _read(self, shape: Shape, node: Any, path: str) -> Any:
        match shape.type_name:
            case "structure":
                fields = node if isinstance(node, dict) else {}
                result = {}
                for name, member in shape.members.items():
                    key = self._query_name(name, member)
                    if key in fields:
                        result[name] = self._read(member, fields[key], f"{path}.{name}" if path else name)
                for name in shape.required_members:
                    if name not in result and name != "DryRun":
                        raise self._missing(f"{path}.{name}" if path else name)
                return result
            case "list":
                items = node if isinstance(node, dict) else {}
                if self.protocol != "ec2" and not shape.serialization.get("flattened"):
                    items = items.get(shape.member.serialization.get("name", "member"), {})
                return [self._read(shape.member, items[index], f"{path}.{index}") for index in sorted(items, key=int)]
            case "map":
                entries = node.get("entry", {}) if isinstance(node, dict) else {}
                return {
                    entries[index]["key"]: self._read(shape.value, entries[index]["value"], path)
                    for index in sorted(entries, key=int)
                }
            case "boolean":
                return str(node).lower() == "true"
            case "integer" | "long":
                return self._number(int, shape, node, path)
            case "float" | "double":
                return self._number(float, shape, node, path)
            case "blob":
                return base64.b64decode(node)
            case "timestamp":
                return datetime.fromisoformat(node.replace("Z", "+00:00"))
            case _:
                # `InstanceType` has its own, clearer error.
                enum = getattr(shape, "enum", None)
                if enum and node not in enum and shape.name != "InstanceType":
                    raise self._invalid(node, path, f"must be one of {', '.join(enum)}")
                return node

    def _number(self, kind: type, shape: Shape, node: Any, path: str) -> Any:
        try:
            value = kind(node)
        except (TypeError, ValueError):
            raise self._invalid(node, path, "must be a number") from None
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if (low is not None and value < low) or (high is not None and value > high):
            raise self._invalid(node, path, f"must be between {low} and {high}")
        return value

    def _missing(self, path: str) -> AwsError:
        if self.protocol == "ec2":
            name = path[:1].lower() + path[1:]
            return AwsError("MissingParameter", f"The request must contain the parameter {name}")
        return AwsError("ValidationError", f"A value for '{path}' is required.")

    def _invalid(self, value: Any, path: str, reason: str) -> AwsError:
        if self.protocol == "ec2":
            return AwsError("InvalidParameterValue", f"Value ({value}) for parameter {path} is invalid: {reason}.")
        return AwsError("ValidationError", f"The value '{value}' at '{path}' is not valid: {reason}.")

    def result(self, operation: OperationModel, result: dict[str, Any] | None, request_id: str) -> bytes:
        """The XML of a successful answer."""
        out: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>']
        name = operation.name
        body: list[str] = []
        if operation.output_shape is not None and result is not None:
            self._write(operation.output_shape, result, body)
        if self.protocol == "ec2":
            out.append(f'<{name}Response xmlns="{self.namespace}"><requestId>{request_id}</requestId>')
            out += body
        else:
            out.append(f'<{name}Response xmlns="{self.namespace}"><{name}Result>')
            out += body
            out.append(f"</{name}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
        out.append(f"</{name}Response>")
        return "".join(out).encode()

    def _write(self, shape: Shape, value: Any, out: list[str]) -> None:
        match shape.type_name:
            case "structure":
                for name, member in shape.members.items():
                    child = value.get(name)
                    if child is None:
                        continue
                    tag = member.serialization.get("name", name)
                    out.append(f"<{tag}>")
                    self._write(member, child, out)
                    out.append(f"</{tag}>")
            case "list":
                tag = shape.member.serialization.get("name") or ("item" if self.protocol == "ec2" else "member")
                for item in value:
                    out.append(f"<{tag}>")
                    self._write(shape.member, item, out)
                    out.append(f"</{tag}>")
            case "map":
                for key, item in value.items():
                    out.append(f"<entry><key>{escape(key)}</key><value>")
                    self._write(shape.value, item, out)
                    out.append("</value></entry>")
            case "boolean":
                out.append("true" if value else "false")
            case "timestamp":
                out.append(timestamp(value) if isinstance(value, datetime) else str(value))
            case "blob":
                out.append(base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode())
            case _:
                out.append(escape(UNWRITABLE.sub("", str(value))))

    def error(self, error: AwsError, request_id: str) -> bytes:
        """The XML of an error."""
        code, message = escape(error.code), escape(UNWRITABLE.sub("", error.message))
        if self.protocol == "ec2":
            return (
                '<?xml version="1.0" encoding="UTF-8"?>'
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>"
            ).encode()
        side = "Receiver" if error.status >= 500 else "Sender"
        return (
            f'<ErrorResponse xmlns="{self.namespace}"><Error><Type>{side}</Type><Code>{code}</Code>'
            f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        ).encode()

    def parse_answer(self, operation: OperationModel, status: int, headers: dict, body: bytes) -> dict[str, Any]:
        """What moto answered, as a dictionary; its errors as `AwsError`."""
        answer = self._answers.parse({"status_code": status, "headers": headers, "body": body}, operation.output_shape)
        if status >= 300:
            error = answer.get("Error", {})
            raise AwsError(error.get("Code", "InternalError"), error.get("Message", ""), status)
        answer.pop("ResponseMetadata", None)
        return answer


def timestamp(value: datetime) -> str:
    """An instant as AWS writes it."""
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"


def form_body(form: dict[str, str]) -> bytes:
    """A form as it travels in a request's body."""
    return urlencode(form).encode()


SERVICES = {name: Service(name) for name in ("ec2", "elbv2", "iam")}

# What SigV4 calls a service, and what botocore calls it.
BY_SIGNING_NAME = {"ec2": SERVICES["ec2"], "elasticloadbalancing": SERVICES["elbv2"]}
