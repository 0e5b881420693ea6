"""S3 calls: named for the count, and their errors in S3's form. moto answers them."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from .faults import Fault


def operation_name(request: Request) -> str:
    """The operation a request stands for, as far as a state store needs them told apart."""
    key = request.path.strip("/").partition("/")[2]
    if not key:
        if request.method == "GET":
            return "ListObjectsV2" if request.args.get("list-type") == "2" else "GetBucket"
        return {"PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket"}.get(request.method, "PostBucket")
    if "uploadId" in request.args or "uploads" in request.args:
        return {"PUT": "UploadPart", "DELETE": "AbortMultipartUpload"}.get(request.method, "CompleteMultipartUpload")
    return {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}.get(
        request.method, request.method
    )


def error(fault: Fault) -> Response:
    """An error that a fault asks for, such as the 409 that moto never answers."""
    status = fault.status or {"ConditionalRequestConflict": 409, "PreconditionFailed": 412, "SlowDown": 503}.get(
        fault.code, 500
    )
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
    return Response(body, status, content_type="application/xml")
