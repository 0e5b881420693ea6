"""Errors as AWS answers them: a code, a message, an HTTP status."""

from __future__ import annotations

# Codes whose HTTP status is not the usual 400.
STATUS_BY_CODE = {
    "AuthFailure": 401,
    "DryRunOperation": 412,
    "InsufficientInstanceCapacity": 500,
    "InternalError": 500,
    "InternalFailure": 500,
    "RequestLimitExceeded": 503,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
    "UnauthorizedOperation": 403,
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "InvalidClientTokenId": 403,
    "SignatureDoesNotMatch": 403,
    "ExpiredToken": 403,
}


class AwsError(Exception):
    """An error response; whoever raises it leaves the world as it was."""

    def __init__(self, code: str, message: str, status: int | None = None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status or STATUS_BY_CODE.get(code, 400)


def invalid_value(message: str) -> AwsError:
    """The answer to a parameter that no caller may send."""
    return AwsError("InvalidParameterValue", message)


def bad_combination(message: str) -> AwsError:
    """The answer to parameters that exclude each other."""
    return AwsError("InvalidParameterCombination", message)


def dependency_violation(message: str) -> AwsError:
    """The answer to deleting what something else still uses."""
    return AwsError("DependencyViolation", message)
