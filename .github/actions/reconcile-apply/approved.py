#!/usr/bin/env python3
"""Finds the fingerprint that was approved for the commit that is to be applied.

It is taken from nowhere but reviews: comments, artifacts, descriptions, and commits can all be made by who proposes the
change. A review counts when

- it approves, and was not dismissed,
- it is of the very commit that was merged,
- it is a person's, who may push to the repository and did not open the pull request,
- nobody edited it since.

It names the plan in a line of its own: `reconcile approve STACK FINGERPRINT`.
"""

from __future__ import annotations

import pathlib
import re
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

from github_api import Failure, give, graphql, main, setting  # noqa: E402

PULL_REQUESTS = """
query($owner: String!, $name: String!, $commit: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    object(oid: $commit) {
      ... on Commit {
        associatedPullRequests(first: 20) {
          nodes { number merged baseRefName headRefOid mergeCommit { oid } author { login } }
        }
      }
    }
  }
}
"""

REVIEWS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviews(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          state body submittedAt lastEditedAt authorCanPushToRepository
          author { __typename login }
          commit { oid }
        }
      }
    }
  }
}
"""


def work() -> None:
    owner, _, name = setting("GITHUB_REPOSITORY").partition("/")
    place = {"owner": owner, "name": name}
    pull = merged(place, setting("COMMIT"), setting("BRANCH"))
    stack = setting("STACK")
    found, why_not = approved(reviews(place, pull["number"]), pull, stack)
    if not found:
        reasons = "".join(f" {reason}" for reason in why_not)
        raise Failure(
            f"No review of #{pull['number']} approves a plan of {stack}.{reasons} Plan again, and approve with the line"
            f" `reconcile approve {stack} FINGERPRINT` in the review."
        )
    if len(set(found.values())) > 1:
        each = ", ".join(f"{login}: {fingerprint}" for login, fingerprint in sorted(found.items()))
        raise Failure(f"The reviews of #{pull['number']} approve different plans of {stack}: {each}.")
    fingerprint = next(iter(found.values()))
    print(f"{', '.join(sorted(found))} approved {fingerprint} in #{pull['number']}.")
    give("fingerprint", fingerprint)
    give("pull-request", str(pull["number"]))


def merged(place: dict[str, Any], commit: str, branch: str) -> dict[str, Any]:
    """Returns the pull request whose merge made a commit."""
    found = graphql(PULL_REQUESTS, {**place, "commit": commit})["repository"]["object"]
    pulls = found["associatedPullRequests"]["nodes"] if found else []
    made = [
        pull
        for pull in pulls
        if pull["merged"] and pull["baseRefName"] == branch and (pull["mergeCommit"] or {}).get("oid") == commit
    ]
    if len(made) != 1:
        raise Failure(f"{commit} is not the merge of one pull request into {branch}: nobody approved it.")
    return made[0]


def reviews(place: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Returns all reviews, the oldest first."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        data = graphql(REVIEWS, {**place, "number": number, "after": after})
        page = data["repository"]["pullRequest"]["reviews"]
        found.extend(page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            return sorted(found, key=lambda review: review["submittedAt"] or "")
        after = page["pageInfo"]["endCursor"]


def approved(
    all_reviews: list[dict[str, Any]], pull: dict[str, Any], stack: str
) -> tuple[dict[str, str], list[str]]:
    """Returns what each reviewer approved last, and why other approvals do not count."""
    line = re.compile(rf"^\s*`?reconcile approve {re.escape(stack)} (?:sha256:)?([0-9a-f]{{64}})`?\s*$", re.MULTILINE)
    found: dict[str, str] = {}
    why_not: list[str] = []
    for review in all_reviews:
        author = review["author"] or {"__typename": "Nobody", "login": "somebody who is gone"}
        login = author["login"]
        if review["state"] in ("CHANGES_REQUESTED", "DISMISSED"):
            # Who wants changes has taken the approval back.
            found.pop(login, None)
            continue
        named = line.findall(review["body"] or "")
        if review["state"] != "APPROVED" or not named:
            continue
        reason = refused(review, author, pull)
        if reason is None and len(set(named)) > 1:
            reason = "names several plans"
        if reason is None:
            found[login] = named[0]
        else:
            found.pop(login, None)
            why_not.append(f"That of {login} {reason}.")
    return found, why_not


def refused(review: dict[str, Any], author: dict[str, Any], pull: dict[str, Any]) -> str | None:
    """Returns why an approval does not count."""
    proposer = (pull["author"] or {}).get("login")
    if author["__typename"] != "User":
        return "is not a person's"
    if author["login"] == proposer:
        return "is the proposer's own"
    if review["authorCanPushToRepository"] is not True:
        return "is of somebody who may not push"
    if (review["commit"] or {}).get("oid") != pull["headRefOid"]:
        return "is of an earlier commit"
    if review["lastEditedAt"] is not None:
        return "was edited after it was made"
    return None


if __name__ == "__main__":
    main(work)
