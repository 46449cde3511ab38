"""Tickets as issues of a GitHub repository (GitHub REST API, "Issues" and "Issue comments")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx

from lakemesh.portal.requests.model import Request
from lakemesh.portal.tickets.ticket import TicketError

LABEL: Final = "lakemesh-access"
PAGE: Final = 100
API: Final = "https://api.github.com"
VERSION: Final = "2022-11-28"


def client(token: str, base: str = API) -> httpx.Client:
    """A client of the REST API; `base` is another for GitHub Enterprise Server."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": VERSION,
    }
    return httpx.Client(base_url=base, headers=headers, timeout=20.0)


class GitHubTickets:
    """Issues that carry the request's id in their title, and a label."""

    def __init__(self, http: httpx.Client, repository: str) -> None:
        """`repository`: as owner/name."""
        self._http = http
        self._repository = repository

    def open(self, request: Request, title: str, lines: Sequence[str]) -> str:
        """Raises TicketError. An answer that was lost makes no second issue: the first is found by its title."""
        for issue in self._every():
            if str(issue["title"]).startswith(f"{request.id}:"):
                return f"#{issue['number']}"
        body = {"title": title, "body": text(lines), "labels": [LABEL]}
        made = self._call("POST", f"/repos/{self._repository}/issues", body)
        return f"#{made['number']}"

    def tell(self, request: Request, lines: Sequence[str], closed: bool) -> None:
        """Raises TicketError."""
        path = f"/repos/{self._repository}/issues/{request.ticket.removeprefix('#')}"
        if lines:
            self._call("POST", f"{path}/comments", {"body": text(lines)})
        if closed:
            self._call("PATCH", path, {"state": "closed"})

    def _every(self) -> list[dict[str, Any]]:
        path = f"/repos/{self._repository}/issues?labels={LABEL}&state=all&per_page={PAGE}"
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            issues = self._call("GET", f"{path}&page={page}")
            found += issues
            if len(issues) < PAGE:
                return found
            page += 1

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise TicketError(f"GitHub does not answer: {type(error).__name__}") from error
        if answer.is_error:
            # Its message only: the whole answer may quote what was sent.
            raise TicketError(
                f"GitHub answered {answer.status_code} to {method} {path.partition('?')[0]}: {_message(answer)}"
            )
        return answer.json() if answer.content else None


def text(lines: Sequence[str]) -> str:
    """As a block of code: nothing that a requester wrote is Markdown, a mention or a command to a bot."""
    longest = max((len(run) for line in lines for run in _ticks(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def _ticks(line: str) -> list[str]:
    return ["`" * len(run) for run in "".join(one if one == "`" else " " for one in line).split()]


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("message", ""))[:200]
    except (ValueError, AttributeError):
        return "no message"
