"""S3 calls: named for the count, with errors in S3's form. moto answers them, conditions included.

What moto lacks: the service's clock in every answer, and the refusal of a bucket that is in another Region.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from wsgiref.handlers import format_date_time

from moto.s3.models import s3_backends
from werkzeug.wrappers import Request, Response

from .errors import AwsError
from .faults import Fault

if TYPE_CHECKING:
    from .world import Account


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


def elsewhere(account: Account, region: str, request: Request) -> Response | None:
    """The answer for a bucket that is in another Region than the request was signed for."""
    bucket = s3_backends[account.id]["aws"].buckets.get(request.path.strip("/").partition("/")[0])
    if bucket is None or bucket.region_name == region:
        return None
    body = (
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting "
        "to access must be addressed using the specified endpoint.</Message></Error>"
    )
    headers = {"x-amz-bucket-region": bucket.region_name}
    return Response(body, 301, headers=headers, content_type="application/xml")


def dated(response: Response) -> Response:
    """The answer with the service's clock, by which a client tells how old an object is."""
    response.headers["Date"] = format_date_time(time.time())
    return response


def direct(account: Account, region: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """A call behind a client's back: text goes in and out as `Body`."""
    backend = s3_backends[account.id]["aws"]
    bucket, key = params["Bucket"], params.get("Key", "")
    match operation:
        case "CreateBucket":
            backend.create_bucket(bucket, region)
        case "PutObject":
            backend.put_object(bucket, key, params["Body"].encode())
        case "GetObject":
            found = backend.get_object(bucket, key)
            if found is None:
                raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
            return {"Body": found.value.decode()}
        case "DeleteObject":
            backend.delete_object(bucket, key)
        case "ListObjectsV2":
            keys = sorted(key.name for key in backend.buckets[bucket].keys.values())
            return {"Contents": [{"Key": name} for name in keys if name.startswith(params.get("Prefix", ""))]}
        case _:
            raise LookupError(f"no operation '{operation}' of S3 here")
    return {}
