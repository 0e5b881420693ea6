#!/usr/bin/env python3
"""Puts the plan on the pull request: one comment for each spec, changed in place.

The comment is found again by a mark that readers do not see, and only among those of our own account: somebody else's
comment with the mark in it is left alone.
"""

from __future__ import annotations

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

from github_api import Failure, call, main, pages, setting  # noqa: E402

MOST = 65_536
"""How many characters a comment may have."""


def work() -> None:
    repository, number = setting("GITHUB_REPOSITORY"), setting("PULL_REQUEST")
    if not number.isdigit():
        raise Failure(f"{number!r} is no number of a pull request.")
    account = os.environ.get("COMMENT_ACCOUNT") or "github-actions[bot]"
    mark = f"<!-- reconcile plan of {setting('SPEC').replace('-->', '')} -->"
    body = f"{mark}\n{text()}"

    found = None
    for comment in pages(f"repos/{repository}/issues/{number}/comments?per_page=100"):
        if comment["user"]["login"] == account and comment["body"].startswith(mark):
            found = comment
            break
    if found is None:
        call("POST", f"repos/{repository}/issues/{number}/comments", {"body": body})
        print("Commented.")
    elif found["body"] != body:
        call("PATCH", f"repos/{repository}/issues/comments/{found['id']}", {"body": body})
        print(f"Changed comment {found['id']}.")
    else:
        print(f"Comment {found['id']} says so already.")


def text() -> str:
    """Returns what is said below the mark: the plan, how to approve it, and where the whole is."""
    stack, run = setting("STACK"), setting("RUN_URL")
    plan = pathlib.Path(setting("PLAN_MARKDOWN")).read_text(encoding="utf-8").rstrip()
    fingerprint = os.environ.get("FINGERPRINT", "")
    after = [f"Planned from {setting('HEAD_SHA')}. [The run]({run}) has the plan as a page."]
    if fingerprint:
        after = [
            "To approve just this plan, have this line in the review that approves the pull request:",
            "",
            f"    reconcile approve {stack} {fingerprint}",
            "",
            "What counts is what the run's own summary shows: only it cannot be edited.",
            *after,
        ]
    foot = "\n".join(["", "---", "", *after, ""])
    if len(plan) + len(foot) + 200 > MOST:
        plan = f"**The plan of {stack} is too long for a comment.** It is in the summary of [the run]({run})."
    return f"{plan}\n{foot}"


if __name__ == "__main__":
    main(work)
