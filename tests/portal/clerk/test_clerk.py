from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from lakemesh.access import approvals
from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Sensitivity
from lakemesh.portal.clerk import Clerk, LiveError, Signer
from lakemesh.portal.provision.clone import LocalClone
from lakemesh.portal.provision.repository import Change, UnreachableError
from lakemesh.portal.requests.desk import Desk
from lakemesh.portal.requests.model import Ask, Kind, Person, Request, Status
from lakemesh.portal.service import Portal
from lakemesh.portal.tickets.local import LocalTickets
from lakemesh.portal.tickets.ticket import TicketError
from lakemesh.portal.workspace import Workspace
from tests.portal.requests.people import MemoryLog

SAMPLE = Path(__file__).parents[3] / "mesh"
MARA = Person("mara.lindner@acme.example", consumers=frozenset({"finance-analytics"}))
INES, GARETH = Person("ines.moreau@acme.example"), Person("gareth.pryce@acme.example")
KEY = b"k" * 32


@dataclass
class FakeLive:
    """What is deployed: the test says so."""

    deployed: set[str] = field(default_factory=set)
    working: set[str] = field(default_factory=set)
    down: bool = False

    def granted(self, request: Request) -> bool:
        if self.down:
            raise LiveError("no credentials")
        return request.grant_id in self.deployed

    def readable(self, request: Request) -> tuple[str, ...]:
        return self.expected(request) if request.grant_id in self.working else ()

    def expected(self, request: Request) -> tuple[str, ...]:
        return (f"{request.ask.product}.amount",)


class House:
    """A mesh in git, a portal over it, and its clerk."""

    def __init__(self, directory: Path) -> None:
        self.mesh = Path(shutil.copytree(SAMPLE, directory / "repository" / "mesh"))
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "first"]):
            identity = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
            subprocess.run(["git", *identity, *command], cwd=self.mesh.parent, check=True, capture_output=True)
        self.now = dt.datetime(2026, 3, 9, 8, 30, tzinfo=dt.UTC)
        self.portal = Portal(Workspace(self.mesh, lambda: self.now), Desk(MemoryLog(), lambda: self.now))
        self.tickets = LocalTickets(directory / "tickets.jsonl")
        self.live = FakeLive()
        self.clerk = Clerk(
            self.portal, self.tickets, LocalClone(self.mesh), self.live, "https://portal.example", Signer("portal", KEY)
        )

    def ask(self, **changes: object) -> str:
        values: dict[str, object] = {
            "product": "vendor_payment", "to": "finance-analytics/analyst", "sensitivity": (Sensitivity.INTERNAL,),
            "expires": dt.date(2026, 6, 30), "purpose": "Spend.",
        }  # fmt: skip
        return self.portal.submit(MARA, Ask(**values | changes), "a form of twenty letters").id  # type: ignore[arg-type]

    def approved(self) -> str:
        name = self.ask()
        self.portal.approve(INES, name)
        return name

    def verified(self) -> str:
        name = self.approved()
        self.clerk.work()
        self.live.deployed.add(self.get(name).grant_id)
        self.live.working.add(self.get(name).grant_id)
        self.clerk.work()
        assert self.get(name).status is Status.VERIFIED
        return name

    def get(self, name: str) -> Request:
        return self.portal.desk.get(name)

    def grants(self) -> set[str]:
        return {grant.id for grants in load_mesh(self.mesh, self.now.date()).grants.values() for grant in grants}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_request_goes_from_ticket_to_verified_step_by_step(house: House) -> None:
    name = house.approved()
    house.clerk.work()
    request = house.get(name)
    assert (request.status, request.ticket) == (Status.MERGED, name)
    (grant,) = [one for one in load_mesh(house.mesh, house.now.date()).grants["ap"] if one.id == request.grant_id]
    assert (grant.approvers, grant.requested_by, grant.ticket) == ((INES.email,), MARA.email, name)
    house.live.deployed.add(request.grant_id)
    house.clerk.work()
    assert house.get(name).status is Status.DEPLOYED
    assert "is its consumer deployed?" in house.get(name).troubles["verify"].reason
    house.live.working.add(request.grant_id)
    house.now += dt.timedelta(minutes=1)
    house.clerk.work()
    assert (house.get(name).status, house.get(name).troubles) == (Status.VERIFIED, {})
    lines = house.tickets.every()[name]["lines"]
    assert [word for line in lines for word in ("approved by", "merged by", "verified by") if word in line] == [
        "approved by", "merged by", "verified by",
    ]  # fmt: skip


def test_a_clerk_who_has_nothing_to_do_does_nothing(house: House) -> None:
    name = house.verified()
    house.clerk.work()
    before = len(house.portal.desk.log.events(name))
    assert house.clerk.work() == 0
    assert len(house.portal.desk.log.events(name)) == before


def test_the_decision_is_signed_over_the_entry_as_it_is_written(house: House) -> None:
    request = house.get(house.verified())
    document = json.loads((house.mesh / "approvals" / f"{request.grant_id}.json").read_text())
    (written,) = [one for one in _entries(house.mesh / "grants" / "ap.yaml") if one["id"] == request.grant_id]
    digest = approvals.content_digest("ap", written)
    signers = {"portal": approvals.public_key(KEY)}
    assert approvals.why_not_signed(document, request.grant_id, digest, [INES.email], signers) == ""
    edited = approvals.content_digest("ap", {**written, "sensitivity": ["restricted"]})
    assert "edited after" in approvals.why_not_signed(document, request.grant_id, edited, [INES.email], signers)
    assert base64.b64decode(signers["portal"]) != KEY


def _entries(path: Path) -> list[dict[str, object]]:
    return yaml.safe_load(path.read_text())["grants"]  # type: ignore[no-any-return]


def test_revoked_access_is_taken_out_and_is_over_when_it_is_gone(house: House) -> None:
    name = house.verified()
    grant = house.get(name).grant_id
    house.portal.revoke(MARA, name, "Project over.")
    house.clerk.work()
    assert grant not in house.grants()
    assert not (house.mesh / "approvals" / f"{grant}.json").exists()
    assert house.get(name).status is Status.REVOKING
    house.live.deployed.clear()
    house.clerk.work()
    assert house.get(name).status is Status.REVOKED
    house.clerk.work()
    assert house.tickets.every()[name]["closed"] is True


def test_access_that_was_never_written_is_revoked_at_once(house: House) -> None:
    name = house.approved()
    house.portal.revoke(INES, name, "A mistake.")
    house.clerk.work()
    assert house.get(name).status is Status.REVOKED


def test_an_extension_takes_the_place_of_the_grant(house: House) -> None:
    first = house.verified()
    longer = replace(house.get(first).ask, expires=dt.date(2026, 12, 31))
    request = house.portal.submit(MARA, longer, "another form altogether", first)
    house.portal.approve(GARETH, request.id)
    house.clerk.work()
    (grant,) = [one for one in load_mesh(house.mesh, house.now.date()).grants["ap"] if one.id == request.grant_id]
    assert (grant.expires, grant.approvers) == (dt.date(2026, 12, 31), (GARETH.email,))
    assert request.grant_id == house.get(first).grant_id


def test_a_grant_that_a_person_edited_is_not_overwritten(house: House) -> None:
    name = house.verified()
    path = house.mesh / "grants" / "ap.yaml"
    path.write_text(path.read_text().replace("expires: 2026-06-30", "expires: 2026-07-31"))
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "--quiet", "--all", "-m", "by hand"],
        cwd=house.mesh, check=True,
    )  # fmt: skip
    house.portal.revoke(MARA, name, "Over.")
    house.clerk.work()
    assert house.get(name).status is Status.REVOKING
    assert "expires is 2026-07-31 and was 2026-06-30" in house.get(name).troubles["provision"].reason
    assert house.get(name).grant_id in house.grants()


def test_access_expires_by_the_clock(house: House) -> None:
    name = house.verified()
    house.now = dt.datetime(2026, 6, 30, tzinfo=dt.UTC)
    house.clerk.work()
    assert house.get(name).status is Status.EXPIRED


def test_approvers_are_reminded(house: House) -> None:
    name = house.ask()
    house.now += dt.timedelta(days=3)
    house.clerk.work()
    assert [event.kind for event in house.portal.desk.log.events(name)].count(Kind.REMINDED) == 1


def test_a_ticket_system_that_is_down_holds_nothing_up(house: House) -> None:
    class Down(LocalTickets):
        def open(self, *_: object) -> str:
            raise TicketError("HTTP 503")

    house.clerk.tickets = Down(house.tickets.path)
    name = house.approved()
    house.clerk.work()
    assert house.get(name).status is Status.MERGED
    assert house.get(name).troubles["ticket"].reason == "HTTP 503"
    assert house.clerk.work() == 0
    house.clerk.tickets = house.tickets
    house.now += dt.timedelta(minutes=2)
    house.clerk.work()
    assert (house.get(name).ticket, house.get(name).troubles) == (name, {})


def test_a_repository_that_is_down_keeps_the_request_and_says_so(house: House) -> None:
    class Down:
        def propose(self, _: Change) -> str:
            raise UnreachableError("GitHub does not answer: ConnectError")

        def merged(self, _: str) -> bool:
            raise AssertionError

    repository = house.clerk.repository
    house.clerk.repository = Down()
    name = house.approved()
    house.clerk.work()
    request = house.get(name)
    assert (request.status, request.troubles["provision"].attempts) == (Status.APPROVED, 1)
    assert house.clerk.work() == 0
    house.clerk.repository = repository
    house.now += dt.timedelta(minutes=1)
    house.clerk.work()
    assert house.get(name).status is Status.MERGED


def test_accounts_that_cannot_be_read_are_no_failure(house: House) -> None:
    name = house.approved()
    house.live.down = True
    house.clerk.work()
    assert house.get(name).status is Status.MERGED
    assert "no credentials" in house.get(name).troubles["provision"].reason


def test_a_file_with_uncommitted_edits_fails_with_what_to_do_and_can_be_tried_again(house: House) -> None:
    name = house.approved()
    path = house.mesh / "grants" / "ap.yaml"
    text = path.read_text()
    path.write_text(text + "# at it\n")
    house.clerk.work()
    assert house.get(name).status is Status.FAILED
    assert "nobody has committed" in house.get(name).reason
    path.write_text(text)
    house.portal.retry(INES, name)
    house.clerk.work()
    assert house.get(name).status is Status.MERGED


def test_two_clerks_at_once_do_each_thing_once(house: House) -> None:
    name = house.approved()
    other = Clerk(
        house.portal, house.tickets, LocalClone(house.mesh), house.live, "https://portal.example", house.clerk.signer
    )
    house.clerk.look(name)
    other.look(name)
    kinds = [event.kind for event in house.portal.desk.log.events(name)]
    assert kinds.count(Kind.PROPOSED) == kinds.count(Kind.TICKET_OPENED) == 1
    assert _count(house.mesh / "grants" / "ap.yaml", house.get(name).grant_id) == 1


def _count(path: Path, text: str) -> int:
    return path.read_text().count(text)
