"""A stand-in for GitHub's API on loopback: comments of issues, and reviews over GraphQL, as far as the actions ask.

`python3 server.py STATE` serves what the JSON file STATE says, prints its port, and writes STATE anew after each change:

    {"token": "…", "comments": [{"id", "body", "user": {"login"}}], "commits": {SHA: [pull request]},
     "reviews": {NUMBER: [review]}, "page": 2, "failures": 1, "calls": ["GET …"]}

`failures` is how many calls fail with 502 before one succeeds; `page` is how many items are on a page.
"""

from __future__ import annotations

import http.server
import json
import pathlib
import re
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Handler(http.server.BaseHTTPRequestHandler):
    state_path: pathlib.Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.serve(None)

    def do_POST(self) -> None:
        self.serve(self.body())

    def do_PATCH(self) -> None:
        self.serve(self.body())

    def body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def serve(self, body: Any) -> None:
        state = json.loads(self.state_path.read_text())
        state.setdefault("calls", []).append(f"{self.command} {self.path}")
        if state.get("failures", 0) > 0:
            state["failures"] -= 1
            status, answer, headers = 502, {"message": "Bad Gateway"}, {}
        elif self.headers.get("Authorization") != f"Bearer {state['token']}":
            status, answer, headers = 401, {"message": "Bad credentials"}, {}
        else:
            status, answer, headers = self.answer(state, body)
        self.state_path.write_text(json.dumps(state))
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, state: dict[str, Any], body: Any) -> tuple[int, Any, dict[str, str]]:
        url = urlsplit(self.path)
        comments = state.setdefault("comments", [])
        if self.command == "POST" and url.path == "/graphql":
            return 200, {"data": {"repository": graphql(state, body)}}, {}
        if re.fullmatch(r"/repos/o/r/issues/7/comments", url.path):
            if self.command == "GET":
                return self.page(state, comments, int(parse_qs(url.query).get("page", ["1"])[0]))
            if len(body["body"]) > 65_536:
                return 422, {"message": "Body is too long"}, {}
            comments.append({"id": len(comments) + 1, "user": {"login": "github-actions[bot]"}, **body})
            return 201, comments[-1], {}
        found = re.fullmatch(r"/repos/o/r/issues/comments/(\d+)", url.path)
        if found and self.command == "PATCH":
            for comment in comments:
                if comment["id"] == int(found[1]):
                    comment.update(body)
                    return 200, comment, {}
        return 404, {"message": "Not Found"}, {}

    def page(self, state: dict[str, Any], items: list[Any], page: int) -> tuple[int, Any, dict[str, str]]:
        size = state.get("page", 100)
        link = {}
        if page * size < len(items):
            next_page = f"http://{self.headers['Host']}/repos/o/r/issues/7/comments?page={page + 1}"
            link = {"Link": f'<{next_page}>; rel="next", <http://elsewhere/>; rel="last"'}
        return 200, items[(page - 1) * size : page * size], link

    def log_message(self, *_: Any) -> None:
        pass


def graphql(state: dict[str, Any], body: Any) -> Any:
    variables = body["variables"]
    assert (variables["owner"], variables["name"]) == ("o", "r")
    if "number" in variables:
        reviews = state.get("reviews", {}).get(str(variables["number"]), [])
        start, size = int(variables["after"] or 0), state.get("page", 100)
        more = start + size < len(reviews)
        info = {"hasNextPage": more, "endCursor": str(start + size)}
        return {"pullRequest": {"reviews": {"pageInfo": info, "nodes": reviews[start : start + size]}}}
    pulls = state.get("commits", {}).get(variables["commit"])
    return {"object": None if pulls is None else {"associatedPullRequests": {"nodes": pulls}}}


if __name__ == "__main__":
    Handler.state_path = pathlib.Path(sys.argv[1])
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
