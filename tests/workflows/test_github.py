"""Comments, issues and findings on GitHub; a stand-in for gh notes what it is asked."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from lakemesh.workflows.github import DRIFT_LABEL, GitHub, GitHubError
from tests.workflows.conftest import StandIns

MARK = "<!-- mark -->"


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"when": ["--paginate"], "out": "".join(json.dumps(item) + "\n" for item in items)}


@pytest.fixture
def github() -> GitHub:
    return GitHub("acme/mesh")


def sent(stand_ins: StandIns) -> list[tuple[str, str, Any]]:
    """Method, path and body of every change."""
    return [
        (call["arguments"][2], call["arguments"][-1], json.loads(call["given"]))
        for call in stand_ins.calls("gh")
        if "--method" in call["arguments"]
    ]


def test_the_first_run_makes_the_comment(github: GitHub, stand_ins: StandIns) -> None:
    stand_ins.add("gh", [listed({"id": 1, "number": None, "body": "thanks", "bot": False})])
    assert github.comment(7, MARK, f"{MARK}\nnew") == "made"
    assert sent(stand_ins) == [("POST", "repos/acme/mesh/issues/7/comments", {"body": f"{MARK}\nnew"})]


def test_later_runs_change_the_same_comment(github: GitHub, stand_ins: StandIns) -> None:
    mine = {"id": 5, "number": None, "body": f"{MARK}\nold", "bot": True}
    stand_ins.add("gh", [listed({"id": 1, "number": None, "body": "thanks", "bot": False}, mine)])
    assert github.comment(7, MARK, f"{MARK}\nnew") == "changed"
    assert sent(stand_ins) == [("PATCH", "repos/acme/mesh/issues/comments/5", {"body": f"{MARK}\nnew"})]


def test_a_persons_comment_is_never_changed_even_if_it_quotes_the_marker(github: GitHub, stand_ins: StandIns) -> None:
    stand_ins.add("gh", [listed({"id": 1, "number": None, "body": f"{MARK} quoted", "bot": False})])
    assert github.comment(7, MARK, "new") == "made"


@pytest.mark.parametrize(
    ("there", "wanted", "said", "change"),
    [
        (False, True, "made", "POST"),
        (True, True, "changed", "PATCH"),
        (True, False, "closed", "PATCH"),
        (False, False, "nothing", None),
    ],
)
def test_there_is_one_issue_about_drift_or_none(
    github: GitHub, stand_ins: StandIns, there: bool, wanted: bool, said: str, change: str | None
) -> None:
    stand_ins.add("gh", [listed(*([{"id": 9, "number": 3, "body": f"{MARK}\nold", "bot": True}] if there else []))])
    assert github.issue(MARK, "new", wanted=wanted) == said
    assert [method for method, _, _ in sent(stand_ins)] == ([change] if change else [])
    if said == "made":
        assert sent(stand_ins)[0][2]["labels"] == [DRIFT_LABEL]
    if said == "closed":
        assert sent(stand_ins)[0][2]["state"] == "closed"


def test_findings_are_uploaded_packed_as_the_api_wants_them(github: GitHub, stand_ins: StandIns) -> None:
    stand_ins.add("gh")
    github.sarif('{"runs": []}', "abc", "refs/pull/7/merge")
    method, path, body = sent(stand_ins)[0]
    assert (method, path) == ("POST", "repos/acme/mesh/code-scanning/sarifs")
    assert (body["commit_sha"], body["ref"]) == ("abc", "refs/pull/7/merge")
    assert gzip.decompress(base64.b64decode(body["sarif"])) == b'{"runs": []}'


def test_a_refusal_is_told_in_githubs_words(github: GitHub, stand_ins: StandIns) -> None:
    stand_ins.add("gh", [{"code": 1, "err": "HTTP 403: Resource not accessible by integration"}])
    with pytest.raises(GitHubError, match="HTTP 403"):
        github.comment(7, MARK, "new")


def test_a_missing_gh_is_named(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitHubError, match="gh cannot be run"):
        github.comment(7, MARK, "new")
