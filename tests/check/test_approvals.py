"""An approval is evidence only when the approver reviewed this very entry, or the portal signed it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from lakemesh.access.approvals import Statement, content_digest, public_key, signed
from lakemesh.access.check import load_mesh
from lakemesh.check.approvals import Verdicts, verify
from lakemesh.check.reviews import Reviews
from tests.check.github import REPOSITORY, TOKEN, FakeGitHub, serving
from tests.conftest import ROOT

GRANT, OTHER = "ap-vendor-names-finance-analytics", "ap-ledger-balance-finance-analytics"
FILE = "mesh/grants/ap.yaml"
APPROVER = "ines.moreau@acme.example"
KEY = bytes(range(32))


@dataclass
class Case:
    """A checked out mesh with two grants, and the GitHub that it came from."""

    root: Path
    github: FakeGitHub

    @property
    def mesh(self) -> Path:
        return self.root / "mesh"

    def file(self, change: Callable[[dict], None] | None = None) -> bytes:
        """The grants file as it is checked out, changed."""
        document = yaml.safe_load((self.mesh / "grants" / "ap.yaml").read_bytes())
        if change:
            change(document)
        return yaml.safe_dump(document).encode()

    def configure(self, change: Callable[[dict], None]) -> None:
        path = self.mesh / "mesh.yaml"
        document = yaml.safe_load(path.read_bytes())
        change(document)
        path.write_text(yaml.safe_dump(document, allow_unicode=True))

    def at(self, commit: str, change: Callable[[dict], None] | None = None) -> None:
        """Have GitHub keep the grants file at a commit."""
        self.github.files[FILE, commit] = self.file(change)

    def verdicts(self, *, online: bool = True, pull: int | None = None, token: str = TOKEN) -> Verdicts:
        host = Reviews(REPOSITORY, token, self.github.url) if online else None
        return verify(self.mesh, load_mesh(self.mesh), host, pull)

    def verdict(self, grant: str = GRANT, pull: int | None = None, token: str = TOKEN) -> str:
        found = self.verdicts(pull=pull, token=token).by_grant
        assert found is not None
        return found[grant]


def raised(document: dict) -> None:
    document["grants"][0]["sensitivity"] = ["public", "internal"]


def without(document: dict) -> None:
    del document["grants"][0]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """#7 brought the grants in the commit "c1", which both approvers approved."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REF", "GITHUB_REPOSITORY", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(ROOT / "mesh", tmp_path / "mesh")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "mesh"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *command], check=True)
    with serving(FakeGitHub()) as github:
        made = Case(tmp_path, github)
        made.configure(_people)
        for other in (tmp_path / "mesh" / "grants").glob("*.yaml"):
            if other.name != "ap.yaml":
                other.write_text("grants: []\n")
        for consumer in (tmp_path / "mesh" / "consumers").glob("*.yaml"):
            document = yaml.safe_load(consumer.read_bytes())
            document["assignments"] = []
            consumer.write_text(yaml.safe_dump(document))
        grants = yaml.safe_load(made.file())
        grants["grants"] = [each for each in grants["grants"] if each["id"] in {GRANT, OTHER}]
        (tmp_path / "mesh" / "grants" / "ap.yaml").write_text(yaml.safe_dump(grants))
        made.at("c1")
        made.at("base", lambda document: document["grants"].clear())
        github.pull(7, "c1")
        github.review(7, "Ines-M", "APPROVED", "c1")
        github.review(7, "gareth", "APPROVED", "c1")
        yield made


def _people(mesh: dict) -> None:
    mesh["people"] = {APPROVER: {"github": "ines-m"}, "gareth.pryce@acme.example": {"github": "gareth"}}


# ------------------------------------------------------------------------------------------------------------- reviews
def test_a_review_of_this_very_entry_verifies_it(case: Case) -> None:
    found = case.verdicts()
    assert found == Verdicts({GRANT: "verified", OTHER: "verified"}, "Approvals: 2 of 2 verified.")


def test_an_edit_after_the_review_makes_the_grant_unapproved(case: Case) -> None:
    case.at("c1", raised)
    assert case.verdict() == f"it was edited after {APPROVER} reviewed it in #7"
    assert case.verdict(OTHER) == "verified"


def test_comments_and_the_order_of_keys_are_no_edit(case: Case) -> None:
    case.github.files[FILE, "c1"] = (
        b"# reviewed\n" + yaml.safe_dump(yaml.safe_load(case.file()), sort_keys=False, default_flow_style=True).encode()
    )
    assert case.verdict() == "verified"


def test_lists_are_read_page_after_page(case: Case) -> None:
    case.github.page = 1
    for number in range(20, 24):
        case.github.pull(number, f"d{number}")
        case.github.review(number, "somebody", "APPROVED", f"d{number}")
    for _ in range(3):
        case.github.reviews[7].insert(0, {"user": {"login": "x"}, "state": "COMMENTED", "commit_id": "c1"})
    assert case.verdict() == "verified"


def test_a_dismissed_review_verifies_nothing(case: Case) -> None:
    case.github.reviews[7][0]["state"] = "DISMISSED"
    assert case.verdict() == f"the review by {APPROVER} in #7 was dismissed"


def test_the_last_opinion_counts(case: Case) -> None:
    case.github.review(7, "ines-m", "CHANGES_REQUESTED", "c1")
    assert case.verdict() == f"the review by {APPROVER} in #7 asks for changes"
    case.github.review(7, "ines-m", "APPROVED", "c1")
    case.github.review(7, "ines-m", "COMMENTED", "c1")
    assert case.verdict() == "verified"


def test_a_review_of_an_older_commit_counts_if_the_entry_is_still_the_same(case: Case) -> None:
    case.github.pull(7, "c2")
    case.at("c2", without)
    assert case.verdict() == "verified"


def test_a_branch_pushed_anew_with_another_entry_needs_another_review(case: Case) -> None:
    case.at("c1", raised)
    case.github.pull(7, "c2")
    case.at("c2")
    assert case.verdict() == f"it was edited after {APPROVER} reviewed it in #7"
    case.github.review(7, "ines-m", "APPROVED", "c2")
    assert case.verdict() == "verified"


def test_a_commit_that_a_forced_push_took_away_is_said(case: Case) -> None:
    del case.github.files[FILE, "c1"]
    assert case.verdict() == f"the commit that {APPROVER} reviewed in #7 is not there any more"


def test_whoever_approves_what_comes_later_has_not_approved_what_was_there(case: Case) -> None:
    """An entry that was pushed past review is in every later commit, and in no diff that anybody approved."""
    case.at("base")
    assert case.verdict() == f"{APPROVER} approved no pull request that brought this entry"


def test_a_pull_request_that_was_closed_without_a_merge_verifies_nothing(case: Case) -> None:
    case.github.pulls[7]["merged_at"] = None
    assert case.verdict() == f"{APPROVER} approved no pull request that brought this entry"


def test_the_pull_request_that_is_looked_at_counts_before_it_is_merged(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.github.commits.clear()
    case.github.pulls[7] |= {"state": "open", "merged_at": None}
    assert case.verdict(pull=7) == "verified"
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    assert case.verdict() == "verified"


def test_somebody_elses_review_is_not_the_approvers(case: Case) -> None:
    case.github.reviews[7][0]["user"] = {"login": "mallory"}
    case.github.review(7, None, "APPROVED", "c1")
    assert case.verdict() == f"{APPROVER} approved no pull request that brought this entry"


def test_an_approver_without_a_name_on_github_is_said(case: Case) -> None:
    case.configure(lambda mesh: mesh["people"].pop(APPROVER))
    assert case.verdict() == f"mesh.yaml does not say who {APPROVER} is on GitHub (people.<e-mail>.github)"


# ------------------------------------------------------------------------------------------------ a host in trouble
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((403, {"Retry-After": "60"}), "GitHub's limit of requests is reached; run the check again in 60 seconds"),
        (
            (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767322800"}),
            "GitHub's limit of requests is reached; run the check again after 03:00 UTC",
        ),
        ((429, {"X-RateLimit-Remaining": "0"}), "GitHub's limit of requests is reached; run the check again later"),
        (
            (403, {}),
            (
                "GitHub does not let the token read reviews of acme/data-mesh; the job needs the permissions "
                "`pull-requests: read` and `contents: read`"
            ),
        ),
        ((502, {}), "GitHub answers with status 502"),
    ],
)
def test_a_host_that_refuses_has_verified_nothing(case: Case, refusal: tuple[int, dict[str, str]], said: str) -> None:
    case.github.refusal = refusal
    found = case.verdicts()
    assert found.by_grant == {GRANT: said, OTHER: said}
    assert found.sentence == f"Approvals: 0 of 2 verified; {said}."


def test_a_token_that_is_not_accepted_is_said_and_never_shown(case: Case) -> None:
    found = case.verdicts(token="another-token")
    assert found.by_grant == dict.fromkeys((GRANT, OTHER), "GitHub does not accept the token in GITHUB_TOKEN")
    assert "another-token" not in repr(Reviews(REPOSITORY, "another-token"))


def test_an_outage_has_verified_nothing(case: Case) -> None:
    case.github.url = "http://127.0.0.1:9"
    assert case.verdict().startswith("GitHub does not answer at http://127.0.0.1:9: ")


def test_no_token_goes_to_a_next_page_elsewhere(case: Case) -> None:
    case.github.page, case.github.next_page = 0, "http://198.51.100.1/steal"
    assert case.verdict() == "GitHub names a next page that is not its own: http://198.51.100.1/steal"


def test_the_environment_of_a_workflow_says_whom_to_ask(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", case.github.url)
    assert case.verdicts(online=False).sentence == "Approvals: 2 of 2 verified."


# ----------------------------------------------------------------------------------------------------- without a host
def test_without_a_host_the_files_word_is_taken_and_that_is_said(case: Case) -> None:
    found = case.verdicts(online=False)
    assert found.by_grant is None
    assert found.sentence == (
        "Approvals were not verified: there is no GITHUB_TOKEN, and so no git host to ask; the declarations' word was "
        "taken."
    )


def test_where_mesh_yaml_requires_it_nothing_is_approved_without_a_host(case: Case) -> None:
    case.configure(lambda mesh: mesh.setdefault("approvals", {}).update(verification="required"))
    assert case.verdicts(online=False).by_grant == dict.fromkeys(
        (GRANT, OTHER), "there is no GITHUB_TOKEN, and so no git host to ask"
    )


def test_it_can_be_switched_off_and_says_so(case: Case) -> None:
    case.configure(lambda mesh: mesh.setdefault("approvals", {}).update(verification="off"))
    assert case.verdicts() == Verdicts(None, "Approvals were not verified: approvals.verification of mesh.yaml is off.")
    assert case.github.asked == []


def test_outside_a_git_repository_there_is_nothing_to_look_up(case: Case) -> None:
    shutil.rmtree(case.root / ".git")
    assert case.verdict().endswith("is in no git repository whose reviews could be looked up")


# ---------------------------------------------------------------------------------------------------------- signatures
@pytest.fixture
def portal(case: Case) -> Callable[..., None]:
    """Signs the first grant, as the portal does."""
    case.configure(lambda mesh: mesh.setdefault("approvals", {}).update(signers={"portal-2026": public_key(KEY)}))

    def sign(**changed: object) -> None:
        entry = yaml.safe_load(case.file())["grants"][0]
        at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
        statement = Statement(entry["id"], content_digest("ap", entry), "REQ-1", (APPROVER,), at)
        document = {**signed(statement, "portal-2026", KEY), **changed}
        (case.mesh / "approvals").mkdir(exist_ok=True)
        (case.mesh / "approvals" / f"{entry['id']}.json").write_text(json.dumps(document))

    return sign


def signed_grant(case: Case) -> str:
    return str(yaml.safe_load(case.file())["grants"][0]["id"])


def test_a_signature_verifies_a_grant_without_a_host_and_the_others_are_told_apart(
    case: Case, portal: Callable[..., None]
) -> None:
    portal()
    found = case.verdicts(online=False)
    assert found.by_grant is not None
    assert sorted(found.by_grant.values()) == ["not looked up", "verified"]
    assert found.by_grant[signed_grant(case)] == "verified"
    assert "1 of 2 verified; 1 taken at the declarations' word; there is no GITHUB_TOKEN" in found.sentence


def test_an_edit_after_the_signature_makes_the_grant_unapproved(case: Case, portal: Callable[..., None]) -> None:
    portal()
    (case.mesh / "grants" / "ap.yaml").write_bytes(case.file(raised))
    found = case.verdicts(online=False).by_grant
    assert found is not None
    assert found[signed_grant(case)] == "it was edited after it was approved in the portal"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"decidedAt": "2020-01-01T00:00:00Z"}, "the signature of its statement is wrong"),
        ({"signature": "AAAA"}, "the signature of its statement is wrong"),
        ({"signature": None}, "the signature of its statement is wrong"),
        ({"key": "mine"}, 'its statement is signed with the key "mine", which approvals.signers does not list'),
        ({"format": "other/1"}, 'its signed statement is not of the format "lakemesh-approval/1"'),
    ],
)
def test_a_statement_that_was_changed_verifies_nothing(
    case: Case, portal: Callable[..., None], changed: dict[str, object], said: str
) -> None:
    portal(**changed)
    found = case.verdicts(online=False).by_grant
    assert found is not None
    assert found[signed_grant(case)] == said


def test_a_wrong_statement_does_not_undo_a_review(case: Case, portal: Callable[..., None]) -> None:
    portal(signature="AAAA")
    assert case.verdict(signed_grant(case)) == "verified"


def test_a_grant_approved_by_a_rule_needs_nobody_and_no_wider_one_does(case: Case) -> None:
    case.configure(
        lambda mesh: mesh.setdefault("approvals", {}).update(automatic=["public"], verification="when-possible")
    )
    declarations = load_mesh(case.mesh)
    by_rule = {}
    for grant in declarations.grants["ap"]:
        by_rule[grant.id] = [str(level) for level in grant.sensitivity]

    def ruled(document: dict) -> None:
        for each in document["grants"]:
            each["approvedBy"] = "approvals.automatic"

    (case.mesh / "grants" / "ap.yaml").write_bytes(case.file(ruled))
    found = verify(case.mesh, declarations).by_grant
    assert by_rule == {GRANT: ["public"], OTHER: ["public", "internal"]}
    assert found == {GRANT: "verified", OTHER: "no rule of mesh.yaml approves internal without a person"}
