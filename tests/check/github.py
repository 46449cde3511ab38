"""A GitHub on loopback: the part of its REST API that tells who reviewed what, over real HTTP."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPOSITORY = "acme/data-mesh"
TOKEN = "a-token"


@dataclass
class FakeGitHub:
    """What it knows. Lists come in pages of `page` elements, whatever page size is asked for."""

    page: int = 100
    commits: list[str] = field(default_factory=list)
    """Commits that changed any grants file, the newest first."""
    pulls_of: dict[str, list[int]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """By path and commit."""
    refusal: tuple[int, dict[str, str]] | None = None
    """Status and headers of every answer from now on."""
    next_page: str = ""
    """In place of its own address of a next page."""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def pull(self, number: int, *commits: str, base: str = "base", state: str = "closed", merged: bool = True) -> None:
        """A pull request that brought commits."""
        when = "2026-01-02T03:04:05Z" if merged else None
        self.pulls[number] = {"number": number, "state": state, "merged_at": when, "base": {"sha": base}}
        for commit in commits:
            self.pulls_of.setdefault(commit, []).append(number)
            if commit not in self.commits:
                self.commits.insert(0, commit)

    def review(self, number: int, login: str | None, state: str, commit: str) -> None:
        """A review, after those that are there."""
        user = {"login": login} if login else None
        self.reviews.setdefault(number, []).append({"user": user, "state": state, "commit_id": commit})

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """Bytes of a file, JSON of anything else; None for what is not there."""
        match path.removeprefix(f"/repos/{REPOSITORY}/").split("/", 1):
            case ["commits"]:
                return [{"sha": commit} for commit in self.commits]
            case ["commits", rest]:
                return [self.pulls[number] for number in self.pulls_of.get(rest.removesuffix("/pulls"), [])]
            case ["pulls", rest] if rest.endswith("/reviews"):
                return self.reviews.get(int(rest.removesuffix("/reviews")), [])
            case ["pulls", rest]:
                return self.pulls.get(int(rest))
            case ["contents", rest]:
                return self.files.get((urllib.parse.unquote(rest), query["ref"]))
        raise AssertionError(path)


@contextmanager
def serving(github: FakeGitHub) -> Iterator[FakeGitHub]:
    """It, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(split.query))
            github.asked.append(split.path)
            if github.refusal:
                self._send(github.refusal[0], b'{"message": "no"}', github.refusal[1])
                return
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._send(401, b'{"message": "Bad credentials"}', {})
                return
            found = github.answer(split.path, query)
            if isinstance(found, list):
                self._page(split, query, found)
            elif found is None:
                self._send(404, b'{"message": "Not Found"}', {})
            else:
                self._send(200, found if isinstance(found, bytes) else json.dumps(found).encode(), {})

        def _page(self, split: Any, query: dict[str, str], found: list[Any]) -> None:
            number = int(query.get("page", "1"))
            more = len(found) > number * github.page
            following = urllib.parse.urlencode({**query, "page": number + 1})
            link = github.next_page or f"{github.url}{split.path}?{following}"
            shown = found[(number - 1) * github.page : number * github.page]
            self._send(200, json.dumps(shown).encode(), {"Link": f'<{link}>; rel="next"'} if more else {})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
