from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sync_handlers import accept_shares
from sync_handlers.budget import Budget
from sync_handlers.errors import EventError, IncompleteError, NotDeployedError
from sync_handlers.events import accept_event
from sync_handlers.share_access import ConsumerShares
from tests.sync_handlers.fakes import FakeClient, FakeGlue, budget, error

OWNER, HERE = "999900001111", "999900003333"


class FakeRam(FakeClient):
    """Invitations that arrive in waves, two on a page."""

    service = "ram"

    def __init__(self) -> None:
        super().__init__()
        self.invitations: list[dict[str, Any]] = []
        self.arriving: list[list[dict[str, Any]]] = []
        self.active: list[dict[str, Any]] = []
        self.lagging: set[str] = set()
        """Invitations that go on being listed as pending after they were accepted."""

    def get_resource_share_invitations(self, **params: Any) -> dict[str, Any]:
        self._call("get_resource_share_invitations", params)
        start = int(params.get("nextToken") or 0)
        answer: dict[str, Any] = {
            "resourceShareInvitations": [dict(one) for one in self.invitations[start : start + 2]]
        }
        if start + 2 < len(self.invitations):
            answer["nextToken"] = str(start + 2)
        return answer

    def accept_resource_share_invitation(self, **params: Any) -> dict[str, Any]:
        self._call("accept_resource_share_invitation", params)
        (invitation,) = [
            one for one in self.invitations if one["resourceShareInvitationArn"] == params["resourceShareInvitationArn"]
        ]
        if invitation["resourceShareInvitationArn"] not in self.lagging:
            invitation["status"] = "ACCEPTED"
        if self.arriving:
            self.invitations += self.arriving.pop(0)
        return {"resourceShareInvitation": dict(invitation)}

    def get_resource_shares(self, **params: Any) -> dict[str, Any]:
        self._call("get_resource_shares", params)
        assert params["resourceOwner"] == "OTHER-ACCOUNTS"
        return {"resourceShares": self.active}


def invitation(name: str, status: str = "PENDING", sender: str = OWNER) -> dict[str, Any]:
    return {
        "resourceShareInvitationArn": f"arn:aws:ram:eu-west-3:{sender}:resource-share-invitation/{name}-{status}",
        "resourceShareArn": f"arn:aws:ram:eu-west-3:{sender}:resource-share/{name}",
        "resourceShareName": name, "senderAccountId": sender, "receiverAccountId": HERE, "status": status,
        "invitationTimestamp": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }  # fmt: skip


class World:
    def __init__(self, *invitations: dict[str, Any], default: bool = True) -> None:
        self.ram = FakeRam()
        self.ram.invitations = list(invitations)
        self.glue = FakeGlue(HERE, *(["default"] if default else []))

    def run(self, within: Budget | None = None, **more: Any) -> dict[str, Any]:
        event = {"action": "accept", "owner": OWNER, "databases": ["sales_raw"], "digest": "d", **more}
        access = ConsumerShares(self.ram, self.glue)  # type: ignore[arg-type]
        return accept_shares.run(accept_event(event), access, within or budget())

    def statuses(self) -> dict[str, str]:
        return {one["resourceShareName"]: one["status"] for one in self.ram.invitations}


def test_every_pending_invitation_is_accepted_over_all_pages() -> None:
    world = World(*(invitation(f"LakeFormation-V4-{number}") for number in range(5)))
    result = world.run()
    assert result["accepted"] == [f"LakeFormation-V4-{number}" for number in range(5)]
    assert set(world.statuses().values()) == {"ACCEPTED"}


def test_invitations_that_arrive_while_others_are_accepted_are_accepted_too() -> None:
    world = World(invitation("LakeFormation-V4-a"))
    world.ram.arriving = [[invitation("LakeFormation-V4-b")], [invitation("LakeFormation-V4-c")]]
    assert len(world.run()["accepted"]) == 3


def test_invitations_of_others_and_to_other_shares_stay() -> None:
    world = World(
        invitation("LakeFormation-V4-a"),
        invitation("LakeFormation-V4-x", sender="999900009999"),
        invitation("network-of-central"),
    )
    assert world.run()["accepted"] == ["LakeFormation-V4-a"]
    assert world.statuses()["LakeFormation-V4-x"] == "PENDING"
    assert world.statuses()["network-of-central"] == "PENDING"


def test_inside_an_organization_with_ram_sharing_there_is_nothing_to_accept() -> None:
    assert World().run() == {"accepted": [], "unusable": [], "default": "present"}


def test_a_second_run_accepts_nothing_and_writes_nothing() -> None:
    world = World(invitation("LakeFormation-V4-a"), default=False)
    world.run()
    world.ram.calls.clear()
    world.glue.calls.clear()
    assert world.run()["accepted"] == []
    assert world.ram.writes == world.glue.writes == []


def test_an_invitation_that_somebody_else_accepted_meanwhile_is_no_failure() -> None:
    world = World(invitation("LakeFormation-V4-a"))
    world.ram.fail["accept_resource_share_invitation"] = [error("ResourceShareInvitationAlreadyAcceptedException")]
    world.ram.before["accept_resource_share_invitation"] = lambda _: world.ram.invitations[0].update(status="ACCEPTED")
    assert world.run()["accepted"] == []


def test_invitations_that_stay_pending_fail_the_run_by_name_after_a_bounded_number_of_looks() -> None:
    world = World(invitation("LakeFormation-V4-a"))
    world.ram.lagging.add(world.ram.invitations[0]["resourceShareInvitationArn"])
    with pytest.raises(
        IncompleteError, match=r"(?s)Still pending of account 999900001111: 1 invitation.*LakeFormation-V4-a"
    ):
        world.run()
    assert world.ram.count("accept_resource_share_invitation") == 1, "one acceptance is enough"


def test_a_refusal_names_the_invitation() -> None:
    world = World(invitation("LakeFormation-V4-a"))
    world.ram.fail["accept_resource_share_invitation"] = [error("AccessDeniedException", "not authorized")]
    with pytest.raises(IncompleteError, match="LakeFormation-V4-a: AccessDeniedException: not authorized"):
        world.run()


@pytest.mark.parametrize("status", ["EXPIRED", "REJECTED"])
def test_an_invitation_that_was_lost_is_reported_with_its_mend(status: str) -> None:
    world = World(invitation("LakeFormation-V4-a", status), invitation("LakeFormation-V4-b", "ACCEPTED"))
    world.ram.active = [{"name": "LakeFormation-V4-b", "owningAccountId": OWNER, "resourceShareArn": "b"}]
    (lost,) = world.run()["unusable"]
    assert (lost["share"], lost["status"]) == ("LakeFormation-V4-a", status)
    assert "revoke the mesh's grants" in lost["mend"]


def test_a_consumer_whose_only_invitation_expired_fails() -> None:
    world = World(invitation("LakeFormation-V4-a", "EXPIRED"))
    world.ram.active = [{"name": "LakeFormation-V4-z", "owningAccountId": "999900009999", "resourceShareArn": "z"}]
    with pytest.raises(
        IncompleteError, match=r"(?s)No share of account 999900001111 is in force here.*LakeFormation-V4-a is expired"
    ):
        world.run()


def test_an_older_invitation_to_a_share_that_was_accepted_since_is_no_loss() -> None:
    world = World(invitation("LakeFormation-V4-a", "EXPIRED"), invitation("LakeFormation-V4-a", "PENDING"))
    assert world.run()["unusable"] == []
    again = World(invitation("LakeFormation-V4-a", "EXPIRED"))
    again.ram.active = [{"name": "LakeFormation-V4-a", "owningAccountId": OWNER,
                         "resourceShareArn": again.ram.invitations[0]["resourceShareArn"]}]  # fmt: skip
    assert again.run()["unusable"] == []


def test_removal_leaves_accepted_shares_to_central_which_ends_them() -> None:
    world = World(invitation("LakeFormation-V4-a"))
    world.run(tf={"action": "delete"})
    assert world.ram.calls == world.glue.calls == []


def test_database_default_is_made_and_gives_nothing_away() -> None:
    world = World(default=False)
    assert world.run()["default"] == "created"
    assert world.glue.databases["default"] == {"Name": "default", "CreateTableDefaultPermissions": []}


def test_a_default_that_lake_formation_hides_is_taken_for_present_once_it_cannot_be_made() -> None:
    world = World()
    world.glue.fail["get_database"] = [error("AccessDeniedException")]
    assert world.run()["default"] == "present"


def test_a_role_that_may_not_make_default_says_who_grants_it() -> None:
    world = World(default=False)
    world.glue.fail["create_database"] = [error("AccessDeniedException", "Required Create Database on Catalog")]
    with pytest.raises(NotDeployedError, match=r"Required Create Database on Catalog.*consumer's stack"):
        world.run()


@pytest.mark.parametrize("owner", ["", "1234", 123456789012, "12345678901a", None])
def test_an_owner_that_is_no_account_is_refused(owner: Any) -> None:
    with pytest.raises(EventError, match=r"event\.owner"):
        World().run(owner=owner)
