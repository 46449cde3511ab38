"""A portal over the sample mesh, served over real HTTP on loopback, and browsers without scripts that sign in to it."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx
import pytest
import uvicorn

from lakemesh.demo.process import free_port
from lakemesh.portal.requests.desk import Desk
from lakemesh.portal.service import Portal
from lakemesh.portal.web.guards import Rates
from lakemesh.portal.web.serve import local
from lakemesh.portal.workspace import Workspace
from tests.portal.requests.people import MemoryLog

SAMPLE = Path(__file__).parents[3] / "mesh"
MARA, OSKAR, RUTH = "mara.lindner@acme.example", "oskar.haller@acme.example", "ruth.okafor@acme.example"
INES, GARETH, NADIA, STEWARD = (
    "ines.moreau@acme.example", "gareth.pryce@acme.example", "nadia.berger@acme.example", "data-governance@acme.example",
)  # fmt: skip
_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass
class Served:
    """A portal that answers at `url`."""

    url: str
    portal: Portal
    app: object
    now: list[dt.datetime] = field(default_factory=lambda: [dt.datetime(2026, 3, 9, 8, 30, tzinfo=dt.UTC)])


class Browser:
    """Follows links and sends forms as a browser without scripts does."""

    def __init__(self, served: Served) -> None:
        self.http = httpx.Client(base_url=served.url, follow_redirects=True, timeout=30.0)

    def sign_in(self, email: str) -> Browser:
        page = self.http.get("/sign-in")
        fields = dict(hidden(page.text)) | {"email": email}
        assert self.http.post("/development-identity/authorize", data=fields).url.path == "/"
        return self

    def get(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, page: str, action: str, status: int = 200, **fields: object) -> httpx.Response:
        """Send the form of a page: its hidden fields, and those given."""
        form = re.search(rf'<form [^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
        assert form is not None, f"no form {action}"
        answer = self.http.post(action, data=dict(hidden(form.group())) | fields)
        assert answer.status_code == status, answer.text
        return answer

    def csrf(self) -> str:
        """The token that scripts send."""
        match = re.search(r'"X-CSRF-Token": "([^"]+)"', self.get("/"))
        assert match is not None
        return match.group(1)


def hidden(page: str) -> list[tuple[str, str]]:
    return [(name, unescape(value)) for name, value in _FIELD.findall(page)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    mesh = Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("portal") / "mesh"))
    port = free_port()
    made = Served(f"http://127.0.0.1:{port}", Portal.__new__(Portal), None)
    clock = lambda: made.now[0]  # noqa: E731
    made.portal = Portal(Workspace(mesh, clock), Desk(MemoryLog(), clock))
    app = local(made.portal, mesh, port)
    app.state.services.changes = Rates(100_000)
    app.state.services.reads = Rates(100_000)
    made.app = app
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield made
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def browser(served: Served) -> Callable[[str], Browser]:
    """A browser in which somebody has signed in."""
    return lambda email: Browser(served).sign_in(email)


@pytest.fixture
def empty_log(served: Served) -> None:
    """No requests of other tests."""
    served.portal.desk.log.kept.clear()  # type: ignore[attr-defined]
    served.portal.book._requests.clear()
