from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakemesh.portal.provision.clone import LocalClone
from lakemesh.portal.provision.github import GitHubRepository
from lakemesh.portal.provision.repository import Change, RefusedByRepositoryError, UnreachableError
from lakemesh.portal.tickets.github import client
from tests.portal.provision.github_server import GitHubServer

GRANTS = "grants:\n  - id: first\n"


def change(text: str = "  - id: second\n") -> Change:
    return Change("lakemesh/grant-req-1", "feat(grants): one", "Why.", {"grants/ar.yaml": lambda there: there + text})


def git(where: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@b.example")
    done = subprocess.run(["git", *identity, *arguments], cwd=where, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A mesh directory in a repository with one commit."""
    mesh = tmp_path / "repository" / "mesh"
    (mesh / "grants").mkdir(parents=True)
    (mesh / "grants" / "ar.yaml").write_text(GRANTS)
    (mesh / "grants" / "ap.yaml").write_text("grants: []\n")
    git(mesh.parent, "init", "--quiet")
    git(mesh.parent, "add", "--all")
    git(mesh.parent, "commit", "--quiet", "-m", "first")
    return mesh


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    server = GitHubServer({"main": {"mesh/grants/ar.yaml": GRANTS}})
    yield server
    server.stop()


def repository(server: GitHubServer) -> GitHubRepository:
    return GitHubRepository(client("token", server.url), "shop/mesh")


# ----------------------------------------------------------------------------------------------------------- clone
def test_a_commit_holds_the_change_and_nothing_else(clone: Path) -> None:
    (clone / "grants" / "ap.yaml").write_text("grants: []  # somebody is at it\n")
    name = LocalClone(clone).propose(change())
    shown = git(clone, "show", "--stat", "--format=%an|%s", name)
    assert shown.startswith("lakemesh portal|feat(grants): one")
    assert "mesh/grants/ar.yaml" in shown
    assert "ap.yaml" not in shown
    assert LocalClone(clone).merged(name)


def test_a_file_that_somebody_edits_is_left_alone(clone: Path) -> None:
    path = clone / "grants" / "ar.yaml"
    path.write_text(GRANTS + "  - id: mine\n")
    with pytest.raises(RefusedByRepositoryError, match="nobody has committed"):
        LocalClone(clone).propose(change())
    assert path.read_text() == GRANTS + "  - id: mine\n"


def test_a_change_that_changes_nothing_makes_no_commit(clone: Path) -> None:
    before = git(clone, "rev-parse", "HEAD").strip()
    assert LocalClone(clone).propose(change("")) == before


def test_a_commit_that_fails_leaves_everything_as_it_was(clone: Path) -> None:
    hook = clone.parent / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(UnreachableError, match="git commit"):
        LocalClone(clone).propose(change())
    assert (clone / "grants" / "ar.yaml").read_text() == GRANTS
    assert git(clone, "status", "--porcelain") == ""


def test_a_new_file_and_a_removed_one(clone: Path) -> None:
    both = Change("b", "t", "w", {"approvals/x.json": lambda _: "{}\n", "grants/ap.yaml": lambda _: ""})
    LocalClone(clone).propose(both)
    assert git(clone, "ls-files").splitlines() == ["approvals/x.json", "grants/ar.yaml"]


def test_a_commit_that_is_gone_is_told(clone: Path) -> None:
    assert not LocalClone(clone).merged(git(clone, "commit-tree", "-m", "x", "HEAD^{tree}").strip())
    with pytest.raises(RefusedByRepositoryError, match="rewritten"):
        LocalClone(clone).merged("0" * 40)


def test_a_directory_without_git_is_told(tmp_path: Path) -> None:
    with pytest.raises(RefusedByRepositoryError, match="git init"):
        LocalClone(tmp_path).propose(change())


# ---------------------------------------------------------------------------------------------------------- GitHub
def test_a_pull_request_holds_the_change(github: GitHubServer) -> None:
    assert repository(github).propose(change()) == "#1"
    assert github.branches["lakemesh/grant-req-1"]["mesh/grants/ar.yaml"] == GRANTS + "  - id: second\n"
    assert github.branches["main"]["mesh/grants/ar.yaml"] == GRANTS
    assert not repository(github).merged("#1")
    github.merge(1)
    assert repository(github).merged("#1")


@pytest.mark.parametrize("lost", range(6))
def test_whatever_answer_is_lost_one_pull_request_is_made(github: GitHubServer, lost: int) -> None:
    """The call itself was done, and its answer did not arrive; or it was not done at all. Then it is proposed again."""
    github.failures = [0] * lost + [502]
    try:
        repository(github).propose(change())
    except UnreachableError:
        assert repository(github).propose(change()) == "#1"
    assert len(github.pulls) == 1
    assert github.branches["lakemesh/grant-req-1"]["mesh/grants/ar.yaml"] == GRANTS + "  - id: second\n"


def test_a_branch_of_an_earlier_try_begins_again_from_what_is_deployed(github: GitHubServer) -> None:
    github.branches["lakemesh/grant-req-1"] = {"mesh/grants/ar.yaml": "grants: [old]\n"}
    repository(github).propose(change())
    assert github.branches["lakemesh/grant-req-1"]["mesh/grants/ar.yaml"] == GRANTS + "  - id: second\n"


def test_a_pull_request_that_people_closed_is_a_decision(github: GitHubServer) -> None:
    repository(github).propose(change())
    github.pulls[0].state = "closed"
    with pytest.raises(RefusedByRepositoryError, match="closed without merging"):
        repository(github).merged("#1")


@pytest.mark.parametrize(
    ("status", "error"), [(401, RefusedByRepositoryError), (403, UnreachableError), (503, UnreachableError)]
)
def test_what_is_down_is_tried_again_and_what_is_refused_is_not(
    github: GitHubServer, status: int, error: type[Exception]
) -> None:
    github.failures = [status]
    with pytest.raises(error, match=str(status)):
        repository(github).propose(change())


def test_a_server_that_is_not_there_is_tried_again(github: GitHubServer) -> None:
    github.stop()
    with pytest.raises(UnreachableError, match="does not answer"):
        repository(github).propose(change())
