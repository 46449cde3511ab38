"""Pages from Jinja templates, escaped throughout."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lakemesh.portal.requests.model import Status

if TYPE_CHECKING:
    from lakemesh.portal.web.caller import Caller
    from lakemesh.portal.web.settings import Settings

FOLDER: Final = Path(__file__).parent / "templates"
_TONES: Final = {
    Status.REQUESTED: "waiting", Status.ASKED_BACK: "waiting", Status.APPROVED: "moving", Status.PROPOSED: "moving",
    Status.MERGED: "moving", Status.DEPLOYED: "moving", Status.VERIFIED: "good", Status.FAILED: "bad",
    Status.REVOKING: "moving", Status.REVOKED: "over", Status.REJECTED: "over", Status.WITHDRAWN: "over",
    Status.EXPIRED: "over",
}  # fmt: skip


class Templates:
    """The pages' looks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters["day"] = lambda when: when.strftime("%Y-%m-%d")
        self._environment.filters["moment"] = lambda when: when.strftime("%Y-%m-%d %H:%M UTC")
        self._environment.filters["ago"] = ago
        self._environment.globals["tone"] = lambda status: _TONES[status]

    def page(
        self, request: Request, who: Caller | None, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page; `who` is None where nobody is signed in."""
        common = {
            "who": who.person if who else None,
            "csrf": who.csrf if who else "",
            "development": self._settings.development,
            "here": request.url.path,
        }
        return HTMLResponse(self._environment.get_template(template).render(common | values), status)

    def error(self, request: Request, status: int, text: str, headers: dict[str, str] | None = None) -> HTMLResponse:
        """What went wrong, as a page or, for HTMX, as the piece that says so."""
        template = "error_piece.html" if request.headers.get("hx-request") else "error.html"
        answer = self.page(request, None, template, status, text=text, code=status)
        for name, value in (headers or {}).items():
            answer.headers[name] = value
        return answer


def ago(when: dt.datetime) -> str:
    """`3 hours ago`."""
    seconds = max(0, int((dt.datetime.now(dt.UTC) - when).total_seconds()))
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"
