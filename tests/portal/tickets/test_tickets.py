"""Ticket systems over real HTTP on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from lakemesh.portal.requests import commands
from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.model import Request
from lakemesh.portal.tickets import github, ticket, webhook
from lakemesh.portal.tickets.local import LocalTickets
from lakemesh.portal.tickets.ticket import TicketError
from tests.portal.requests.people import MARA, NADIA, NOW, ONE, ask

SECRET = b"shared with the receiver"
HOSTILE = "Nice @everyone ```\n/close\n# Heading [x](javascript:1)"


class Server:
    """Answers from `answers` in order, then 200 with {}; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.asked.append((self.command, self.path, dict(self.headers), body))
                status, content = server.answers.pop(0) if server.answers else (200, {})
                said = json.dumps(content).encode() if not isinstance(content, bytes) else content
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names that http.server calls

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def request(**changes: Any) -> Request:
    return fold(commands.submit("REQ-1", ask(**changes), MARA, ONE, NOW, None))


def of_github(server: Server) -> github.GitHubTickets:
    return github.GitHubTickets(github.client("token-of-the-portal", server.url), "shop/mesh")


def of_webhook(server: Server) -> webhook.WebhookTickets:
    return webhook.WebhookTickets(httpx.Client(timeout=5), f"{server.url}/hook", SECRET, lambda: 1_750_000_000.4)


# ---------------------------------------------------------------------------------------------------------- words
def test_a_ticket_says_who_wants_what_until_when_and_where_to_decide() -> None:
    lines = ticket.description(
        request(rows="country = 'DE'"), ["nadia@sales.example"], "https://portal.example/r/REQ-1"
    )
    text = "\n".join(lines)
    for said in (
        "mara@shop.example",
        "orders",
        "shop/analyst",
        "confidential",
        "2026-06-30",
        "country = 'DE'",
        "/r/REQ-1",
    ):
        assert said in text


def test_news_are_one_line_an_event_and_nothing_about_tickets() -> None:
    first = commands.submit("REQ-1", ask(), MARA, ONE, NOW, None)
    one = fold(first)
    events = [*first, *commands.ticket(one, "FIN-1", 1, NOW)]
    events += commands.reject(fold(events), NADIA, ONE, "Not for this.", NOW)
    assert ticket.news(events[1:]) == ["2026-03-09 08:30 UTC  rejected by nadia@sales.example: Not for this."]


# ---------------------------------------------------------------------------------------------------------- local
def test_a_local_list_keeps_every_ticket_with_all_its_lines(tmp_path: Path) -> None:
    tickets = LocalTickets(tmp_path / "state" / "tickets.jsonl")
    name = tickets.open(request(), "REQ-1: shop", ["one"])
    tickets.tell(request(), ["two", "drei \u202e"], closed=True)
    assert tickets.every() == {name: {"title": "REQ-1: shop", "lines": ["one", "two", "drei \u202e"], "closed": True}}
    assert (tmp_path / "state" / "tickets.jsonl").stat().st_mode & 0o077 == 0


def test_a_list_that_cannot_be_written_is_a_ticket_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TicketError):
        LocalTickets(tmp_path / "file" / "tickets.jsonl").open(request(), "t", [])


# --------------------------------------------------------------------------------------------------------- GitHub
def test_an_issue_is_made_with_a_label_and_without_markdown_of_the_requester(server: Server) -> None:
    server.answers = [(200, []), (201, {"number": 7})]
    assert of_github(server).open(request(), "REQ-1: x", [HOSTILE]) == "#7"
    (_, listed, _, _), (method, path, headers, body) = server.asked
    assert listed.startswith("/repos/shop/mesh/issues?labels=lakemesh-access&state=all")
    assert (method, path) == ("POST", "/repos/shop/mesh/issues")
    assert headers["Authorization"] == "Bearer token-of-the-portal"
    made = json.loads(body)
    assert made["labels"] == ["lakemesh-access"]
    assert made["body"].startswith("````text\n")
    assert made["body"].endswith("\n````")


def test_an_issue_whose_answer_was_lost_is_found_again_beyond_the_first_page(server: Server) -> None:
    page = [{"number": number, "title": f"REQ-X{number}: other"} for number in range(100)]
    server.answers = [(200, page), (200, [{"number": 300, "title": "REQ-1: x"}])]
    assert of_github(server).open(request(), "REQ-1: x", []) == "#300"
    assert [method for method, *_ in server.asked] == ["GET", "GET"]


def test_an_issue_is_closed_when_its_request_has_ended(server: Server) -> None:
    of_github(server).tell(request().with_(ticket="#7"), ["rejected"], closed=True)
    assert [(method, path) for method, path, *_ in server.asked] == [
        ("POST", "/repos/shop/mesh/issues/7/comments"),
        ("PATCH", "/repos/shop/mesh/issues/7"),
    ]


@pytest.mark.parametrize(
    ("status", "content"), [(401, {"message": "Bad credentials"}), (403, b"<html>"), (500, {}), (503, [])]
)
def test_what_github_refuses_is_an_error_without_the_token(server: Server, status: int, content: Any) -> None:
    server.answers = [(status, content)]
    with pytest.raises(TicketError, match=str(status)) as error:
        of_github(server).open(request(), "t", [])
    assert "token-of-the-portal" not in str(error.value)


# -------------------------------------------------------------------------------------------------------- webhook
def test_a_call_is_signed_over_its_time_and_its_body(server: Server) -> None:
    server.answers = [(200, {"ticket": "FIN-12"})]
    assert of_webhook(server).open(request(), "REQ-1: x", ["ü"]) == "FIN-12"
    ((_, _, headers, body),) = server.asked
    assert headers["X-Lakemesh-Timestamp"] == "1750000000"
    assert headers["X-Lakemesh-Signature"] == webhook.signature(SECRET, "1750000000", body)
    assert headers["X-Lakemesh-Signature"] != webhook.signature(b"another secret", "1750000000", body)
    assert json.loads(body)["delivery"] == "REQ-1-opened-1"


@pytest.mark.parametrize("content", [b"", b"ok", [], {"other": 1}])
def test_a_receiver_that_names_no_ticket_has_one_of_the_requests_name(server: Server, content: Any) -> None:
    server.answers = [(200, content)]
    assert of_webhook(server).open(request(), "t", []) == "REQ-1"


def test_one_delivery_twice_has_one_name(server: Server) -> None:
    for _ in range(2):
        of_webhook(server).tell(request(), ["a"], closed=False)
    names = {json.loads(body)["delivery"] for *_, body in server.asked}
    assert names == {"REQ-1-changed-1"}


def test_a_receiver_that_is_down_is_an_error(server: Server) -> None:
    server.stop()
    with pytest.raises(TicketError, match="does not answer"):
        of_webhook(server).tell(request(), [], closed=False)
