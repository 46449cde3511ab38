"""Project files, configuration and ledgers: what the in-process engine starts from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.inprocess.project import Project, ProjectError
from local_aws.inprocess.state import Ledger, LedgerError, ResourceState, deletion_order, http, urn_of
from local_aws.services import calls, ledger

PROJECT = """
name: orchard
runtime: python
config:
  pulumi:disable-default-providers:
    value: ["*"]
  days: {type: integer, default: 30}
  protect: {type: boolean, default: true}
  mesh: {type: string, default: mesh}
  aws:region: eu-west-1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    ledger.clear()
    yield
    ledger.clear()


# ---------------------------------------------------------------------------------------------------- configuration
def test_defaults_then_the_stack_s_file_then_what_the_caller_says(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("config:\n  orchard:days: 7\n  other:key: {a: [1]}\n")
    config = Project.load(root).config("dev", {"orchard:mesh": "/elsewhere"})
    assert config == {
        "pulumi:disable-default-providers": '["*"]',
        "orchard:days": "7",
        "orchard:protect": "true",
        "orchard:mesh": "/elsewhere",
        "aws:region": "eu-west-1",
        "other:key": '{"a": [1]}',
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config:\n  orchard:days: seven\n", "orchard:days must be of type integer"),
        ("config:\n  orchard:days: true\n", "orchard:days must be of type integer"),
        ("config:\n  orchard:protect: 'yes'\n", "orchard:protect must be of type boolean"),
        ("config:\n  orchard:mesh: {secure: AAAB}\n", "orchard:mesh is encrypted"),
        ("config: [\n", "Pulumi.dev.yaml"),
    ],
)
def test_a_value_that_cannot_be_used_fails_before_the_program_runs(root: Path, text: str, message: str) -> None:
    (root / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(ProjectError, match=message):
        Project.load(root).config("dev")


def test_a_required_value_that_is_missing_is_named(root: Path) -> None:
    (root / "Pulumi.yaml").write_text("name: orchard\nconfig:\n  key: {type: string}\n")
    with pytest.raises(ProjectError, match="orchard:key"):
        Project.load(root).config("dev")


def test_a_directory_without_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"no Pulumi\.yaml"):
        Project.load(tmp_path)


# ----------------------------------------------------------------------------------------------------------- ledger
def send(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ledger.answer(method, path, body)


def test_a_ledger_is_written_by_the_holder_of_its_lock_only() -> None:
    change = {"token": "mine", "set": {"a": {"n": 1}}}
    assert send("PATCH", "/p/s", change)[0] == 409
    assert send("PUT", "/p/s/lock", {"token": "mine", "pid": os.getpid()})[0] == 200
    assert send("PUT", "/p/s/lock", {"token": "other", "pid": os.getpid()})[0] == 409
    assert send("PATCH", "/p/s", change)[0] == 200
    assert send("DELETE", "/p/s", {"token": "other"})[0] == 409
    send("DELETE", "/p/s/lock", {"token": "other"})
    assert send("PATCH", "/p/s", {"token": "mine", "drop": ["a", "gone"], "set": {"b": {}}, "complete": True})[0] == 200
    assert send("GET", "/p/s")[1] == {"resources": {"b": {}}, "outputs": {}, "complete": True}
    send("DELETE", "/p/s/lock", {"token": "mine"})
    assert send("PATCH", "/p/s", change)[0] == 409


def test_ledgers_are_listed_and_go_with_a_reset() -> None:
    send("PUT", "/p/s/lock", {"token": "t", "pid": os.getpid()})
    send("PATCH", "/p/s", {"token": "t", "outputs": {"k": "v"}})
    assert send("GET", "")[1] == {"stacks": [{"project": "p", "stack": "s", "complete": False}]}
    calls.reset()
    assert send("GET", "")[1] == {"stacks": []}
    assert send("GET", "/p/s")[0] == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "/p/s"), ("GET", "/p"), ("PUT", "/p/s"), ("GET", "/p/s/lock")])
def test_a_request_that_means_nothing_is_not_found(method: str, path: str) -> None:
    assert send(method, path, {})[0] == 404


def test_a_ledger_that_refuses_is_an_error_of_the_engine() -> None:
    with pytest.raises(LedgerError, match="lock"):
        Ledger(send, "p", "s").write(complete=True)


def test_no_local_aws_is_an_error_that_says_how_to_start_one() -> None:
    with pytest.raises(LedgerError, match="lakemesh local start"):
        http("http://127.0.0.1:9")("GET", "", None)


# ------------------------------------------------------------------------------------------------------------ states
def test_urns_have_the_types_of_parents_but_not_the_stack_s() -> None:
    stack = urn_of("p", "s", "", "pulumi:pulumi:Stack", "p-s")
    box = urn_of("p", "s", stack, "toy:index:Box", "box")
    thing = urn_of("p", "s", box, "aws:iam/role:Role", "a::b")
    assert box == "urn:pulumi:s::p::toy:index:Box::box"
    assert thing == "urn:pulumi:s::p::toy:index:Box$aws:iam/role:Role::a::b"
    state = ResourceState(thing, custom=True)
    assert state.type == "aws:iam/role:Role"
    assert ResourceState.load({**state.store(), "from_another_version": 1}) == state


def test_deletion_takes_dependents_children_and_users_of_a_provider_first() -> None:
    def state(name: str, **members: Any) -> ResourceState:
        return ResourceState(f"urn:pulumi:s::p::t::{name}", custom=True, id=name, **members)

    provider, parent = state("provider"), state("parent")
    child = state("child", parent=parent.urn, provider=provider.reference)
    user = state("user", property_dependencies={"k": [child.urn]})
    later = state("later", dependencies=["urn:pulumi:s::p::t::old-name"])
    renamed = {"urn:pulumi:s::p::t::old-name": user.urn}
    order = [one.id for one in deletion_order([provider, parent, child, user, later], renamed)]
    assert order.index("later") < order.index("user") < order.index("child")
    assert order.index("child") < min(order.index("parent"), order.index("provider"))


def test_states_that_need_each_other_are_deleted_all_the_same() -> None:
    one = ResourceState("urn:pulumi:s::p::t::1", custom=True, dependencies=["urn:pulumi:s::p::t::2"])
    two = ResourceState("urn:pulumi:s::p::t::2", custom=True, dependencies=["urn:pulumi:s::p::t::1"])
    assert len(deletion_order([one, two], {})) == 2
