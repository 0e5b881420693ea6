"""GitHub's API, as far as these actions use it. Standard library only."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

ATTEMPTS = 4


class Failure(Exception):
    """What went wrong, in a sentence for people."""


def setting(name: str) -> str:
    """Returns an environment variable that must be set."""
    value = os.environ.get(name, "")
    if not value:
        raise Failure(f"{name} is not set.")
    return value


def call(method: str, path: str, body: Any = None) -> tuple[Any, str]:
    """Makes one call, again when the service fails; returns the answer and the address of the next page.

    A POST that may have been carried out is not made again: a second comment is worse than none.
    """
    url = path if path.startswith("http") else f"{setting('GITHUB_API_URL')}/{path}"
    if not url.startswith(setting("GITHUB_API_URL") + "/"):
        raise Failure(f"The API led elsewhere: {url}.")
    data = None if body is None else json.dumps(body).encode()
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {setting('GITHUB_TOKEN')}",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "reconcile",
    }
    may_repeat = method != "POST" or path == "graphql"
    for attempt in range(1, ATTEMPTS + 1):
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer), next_page(answer.headers.get("Link", ""))
        except urllib.error.HTTPError as error:
            if error.code in (500, 502, 503, 504, 429) and may_repeat and attempt < ATTEMPTS:
                time.sleep(float(os.environ.get("RETRY_SECONDS", "2")) * attempt)
                continue
            raise Failure(f"{method} {path}: {error.code} {reason(error)}") from error
        except OSError as error:
            if may_repeat and attempt < ATTEMPTS:
                time.sleep(float(os.environ.get("RETRY_SECONDS", "2")) * attempt)
                continue
            raise Failure(f"{method} {path}: {error}") from error
    raise AssertionError("the last attempt returns or raises")


def reason(error: urllib.error.HTTPError) -> str:
    """Returns what the service said of an error."""
    try:
        return str(json.load(error).get("message", ""))
    except (ValueError, AttributeError):
        return str(error.reason)


def next_page(link: str) -> str:
    """Returns the address of the next page from a Link header; empty on the last."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if relation.strip() == 'rel="next"':
            return address.strip().strip("<>")
    return ""


def pages(path: str) -> Iterator[Any]:
    """Returns the items of all pages."""
    while path:
        items, path = call("GET", path)
        yield from items


def graphql(query: str, variables: dict[str, Any]) -> Any:
    """Makes a GraphQL query, and returns its data."""
    answer, _ = call("POST", "graphql", {"query": query, "variables": variables})
    if answer.get("errors"):
        raise Failure("; ".join(str(error.get("message")) for error in answer["errors"]))
    return answer["data"]


def give(name: str, value: str) -> None:
    """Sets an output of the step. The value is one line."""
    if "\n" in value:
        raise Failure(f"The output {name} has more than one line.")
    with open(setting("GITHUB_OUTPUT"), "a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def main(work: Any) -> None:
    """Runs a script; what fails is told as an annotation, and ends it with 1."""
    try:
        work()
    except Failure as failure:
        print(f"::error::{failure}")
        raise SystemExit(1) from failure
