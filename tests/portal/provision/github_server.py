"""As much of GitHub's REST API as a pull request takes, over HTTP on loopback, with answers that can be made to fail."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Pull:
    number: int
    head: str
    title: str
    state: str = "open"
    merged: bool = False


@dataclass
class GitHubServer:
    """Branches with their files; `fail` is asked before each call and answers a status to give instead."""

    branches: dict[str, dict[str, str]]
    pulls: list[Pull] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, content = server.answer(self.command, self.path, json.loads(body) if body else {})
                said = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that http.server calls

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(path)
        self.asked.append((method, parts.path))
        if self.failures:
            status = self.failures.pop(0)
            if status:
                return status, {"message": "API rate limit exceeded" if status == 403 else "no"}
        where = parts.path.removeprefix("/repos/shop/mesh")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind = where.split("/")[1]
        if kind == "git":
            return self._refs(method, where, body)
        if kind == "contents":
            return self._contents(method, where.removeprefix("/contents/"), query, body)
        return self._pulls(method, where, query, body)

    def _refs(self, method: str, where: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"object": {"sha": where.rpartition("/heads/")[2]}}
        name = body["ref"].removeprefix("refs/heads/") if method == "POST" else where.rpartition("/heads/")[2]
        if method == "POST" and name in self.branches:
            return 422, {"message": "Reference already exists"}
        self.branches[name] = dict(self.branches[body["sha"]])
        return 201, {}

    def _contents(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        files = self.branches[query.get("ref") or body["branch"]]
        text = files.get(path)
        if method == "GET":
            if text is None:
                return 404, {"message": "Not Found"}
            return 200, {"content": base64.encodebytes(text.encode()).decode(), "sha": sha(text)}
        if text is not None and body.get("sha") != sha(text):
            return 409, {"message": "does not match"}
        if method == "DELETE":
            del files[path]
        else:
            files[path] = base64.b64decode(body["content"]).decode()
        return 200, {}

    def _pulls(self, method: str, where: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        if method == "POST":
            self.pulls.append(Pull(len(self.pulls) + 1, body["head"], body["title"]))
            return 201, {"number": len(self.pulls)}
        if where.count("/") == 2:
            pull = self.pulls[int(where.rpartition("/")[2]) - 1]
            return 200, {"merged": pull.merged, "state": pull.state}
        head = query["head"].partition(":")[2]
        return 200, [{"number": pull.number} for pull in self.pulls if pull.head == head and pull.state == "open"]

    def merge(self, number: int) -> None:
        pull = self.pulls[number - 1]
        pull.state, pull.merged = "closed", True
        self.branches["main"] = dict(self.branches[pull.head])


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
