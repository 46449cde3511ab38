"""The checks' own machinery: what is refuted is told so, nothing else is touched, and nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws_conformance import assumptions, listing, settings, waiting
from tests.aws_conformance.accounts import OWNER, RECIPIENT, Account, Accounts
from tests.aws_conformance.guard import Guard, UnsafeCallError
from tests.aws_conformance.lake import Lake, Roles
from tests.aws_conformance.made import LeftoversError, Names, Undo

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
REGION = "eu-west-1"


def error(code: str, message: str = "x") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def raising(*failures: Exception) -> Callable[..., str]:
    """A call that fails so many times and then answers "done"."""
    left = list(failures)

    def call(**_: Any) -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes by sleeping only, and sleeping takes none."""
    slept: list[float] = []
    monkeypatch.setattr(waiting, "sleep", slept.append)
    monkeypatch.setattr(waiting, "monotonic", lambda: sum(slept))
    return slept


# ------------------------------------------------------------------------------------------------------- each check
EVERY = assumptions.every()


def test_every_check_states_an_assumption() -> None:
    for module in assumptions.modules():
        for test in assumptions.tests_of(module):
            assert assumptions.mark_of(test) is not None, f"{module.__name__}.{test.__name__} has no @assumption"


@pytest.mark.parametrize("check", EVERY, ids=lambda check: check.check)
def test_an_assumption_is_one_sentence_of_one_line(check: assumptions.Assumption) -> None:
    assert re.fullmatch(r"[A-Z`$].{20,}[.:]", check.text), check.text


def test_no_two_checks_assume_the_same() -> None:
    assert len({check.text for check in EVERY}) == len(EVERY)


@pytest.mark.parametrize(
    "check", [c for c in EVERY if c.confidence is assumptions.Confidence.OPEN], ids=lambda check: check.check
)
def test_an_open_question_says_why_lakemesh_holds_either_way(check: assumptions.Assumption) -> None:
    assert "lakemesh" in check.rest, check.text


def test_a_page_needs_a_guide_that_is_known() -> None:
    assert assumptions.url("LF register-location").endswith("/lake-formation/latest/dg/register-location.html")
    with pytest.raises(ValueError, match="is not"):
        assumptions.assumption("Somewhere register-location", assumptions.Confidence.OPEN)


def test_the_documented_list_is_current() -> None:
    text = DOCUMENT.read_text()
    command = "python -m tests.aws_conformance.listing docs/conformance.md"
    assert listing.written(text) == text, f"run: {command}"


def test_a_document_without_the_markers_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no list"):
        listing.written("nothing")


# ---------------------------------------------------------------------------------------------------------- waiting
def test_what_is_true_at_once_is_not_waited_for(no_pauses: list[float]) -> None:
    assert waiting.eventually(raising()) == "done"
    assert no_pauses == []


def test_what_becomes_true_is_waited_for_with_growing_pauses(no_pauses: list[float]) -> None:
    failures = [AssertionError("not yet"), error("AccessDeniedException"), AssertionError("not yet")]
    assert waiting.eventually(raising(*failures), timeout=60) == "done"
    assert no_pauses == [0.05, 0.1, 0.2]


def test_pauses_grow_no_longer_than_a_quarter_of_a_minute(no_pauses: list[float]) -> None:
    waiting.eventually(raising(*[AssertionError("not yet")] * 14), timeout=1000)
    assert max(no_pauses) == waiting.LONGEST_PAUSE


def test_what_never_becomes_true_is_refuted_with_its_last_failure() -> None:
    with pytest.raises(AssertionError, match=r"did not become so: .*AccessDenied"):
        waiting.eventually(raising(*[error("AccessDenied")] * 1000), timeout=5)


def test_what_the_local_aws_does_not_model_is_not_waited_for(no_pauses: list[float]) -> None:
    with pytest.raises(ClientError, match="NotImplementedByLocalAws"):
        waiting.eventually(raising(error("NotImplementedByLocalAws")), timeout=60)
    assert no_pauses == []


def test_other_mistakes_are_not_taken_for_waiting(no_pauses: list[float]) -> None:
    with pytest.raises(KeyError):
        waiting.eventually(raising(KeyError("x")), timeout=60)
    assert no_pauses == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ConcurrentModificationException", "x"),
        ("InvalidInputException", "Invalid principal, arn"),
        ("Throttling", "x"),
    ],
)
def test_preparation_is_tried_again_where_it_only_comes_too_early(code: str, message: str) -> None:
    assert waiting.patiently(raising(error(code, message)), timeout=60) == "done"


def test_preparation_that_is_refused_stays_an_error_of_aws() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        waiting.patiently(raising(error("AccessDenied")), timeout=60)


def test_a_call_that_should_be_allowed_and_is_not_refutes() -> None:
    with pytest.raises(AssertionError, match="should be allowed"):
        waiting.allowed(raising(error("AccessDenied")))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (raising(), "should be refused with AccessDenied"),
        (raising(error("Other")), "refused with Other instead of AccessDenied"),
        (raising(error("AccessDenied", "something")), 'does not contain "why"'),
    ],
    ids=["accepted", "another code", "another text"],
)
def test_a_call_that_should_be_refused_and_is_not_refutes(call: Any, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        waiting.refused("AccessDenied", call, match="why")


# ----------------------------------------------------------------------------------------------------------- the guard
@pytest.fixture
def guard() -> Guard:
    return Guard(may_change_settings=False, prefix="lmc0123abcd")


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DeleteDatabase", {"Name": "sales"}),
        ("CreateDatabase", {"DatabaseInput": {"Name": "sales"}}),
        ("UpdateTable", {"DatabaseName": "sales", "TableInput": {"Name": "orders"}}),
        ("DeleteResourcePolicy", {}),
        ("RevokePermissions", {"Principal": {"DataLakePrincipalIdentifier": "123"}, "Permissions": ["ALL"]}),
        (
            "AcceptResourceShareInvitation",
            {"resourceShareInvitationArn": "arn:aws:ram:x:1:resource-share-invitation/y"},
        ),
        ("DeleteObject", {"Bucket": "somebodys", "Key": "a"}),
        ("ScheduleKeyDeletion", {"KeyId": "cd613e30-d8f1-4adf-91b7-584a2265b1f5"}),
    ],
)
def test_a_call_that_names_nothing_of_the_run_never_leaves(guard: Guard, operation: str, params: Any) -> None:
    with pytest.raises(UnsafeCallError, match="names nothing that this run made"):
        guard.check("service", operation, params)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetTables", {"DatabaseName": "sales"}),
        ("DescribeKey", {"KeyId": "x"}),
        ("ListLFTags", {}),
        ("AssumeRole", {"RoleArn": "arn:aws:iam::1:role/somebody"}),
        ("DeleteDatabase", {"Name": "lmc0123abcd_sales_1"}),
        ("BatchGrantPermissions", {"Entries": [{"Resource": {"Database": {"Name": "lmc0123abcd_sales_1"}}}]}),
    ],
)
def test_reads_and_what_the_run_made_pass(guard: Guard, operation: str, params: Any) -> None:
    guard.check("service", operation, params)


def test_what_aws_named_passes_once_it_is_noted(guard: Guard) -> None:
    guard.made("cd613e30-d8f1-4adf-91b7-584a2265b1f5")
    guard.check("kms", "ScheduleKeyDeletion", {"KeyId": "cd613e30-d8f1-4adf-91b7-584a2265b1f5"})


def test_settings_are_not_changed_unless_that_was_said(guard: Guard) -> None:
    with pytest.raises(UnsafeCallError, match="--may-change-settings"):
        guard.check("lakeformation", "PutDataLakeSettings", {"DataLakeSettings": {"DataLakeAdmins": ["lmc0123abcd"]}})
    Guard(may_change_settings=True, prefix="lmc").check("lakeformation", "PutDataLakeSettings", {})


def test_every_client_of_an_account_is_guarded(guard: Guard) -> None:
    session = boto3.Session(aws_access_key_id="123456789012", aws_secret_access_key="x")
    account = Account(session, REGION, "http://127.0.0.1:9", guard)
    with pytest.raises(UnsafeCallError):
        account("glue").delete_database(Name="sales")


def test_no_operation_that_changes_something_is_taken_for_a_read() -> None:
    """By the verbs of the services that the checks use."""
    session = boto3.Session()._session
    reading = re.compile(r"Get|List|Describe|BatchGet|Head|Search|Lookup|Query|Assume|Decrypt|StopQueryExecution")
    for service in ("glue", "lakeformation", "ram", "iam", "sts", "kms", "s3", "lambda", "athena", "organizations"):
        for name in session.get_service_model(service).operation_names:
            try:
                Guard(may_change_settings=False, prefix="lmc").check(service, name, {})
            except UnsafeCallError:
                continue
            assert reading.match(name), f"{service}.{name}"


# ------------------------------------------------------------------------------------------------------- tidying up
def test_everything_is_undone_last_first_whatever_fails_in_between() -> None:
    done: list[str] = []
    undo = Undo()
    undo.later(lambda: done.append("first"))
    undo.later(raising(error("AccessDenied"), error("AccessDenied")), Name="lmc_database")
    undo.later(lambda: done.append("last"))
    with pytest.raises(LeftoversError) as failed:
        undo.run()
    assert done == ["last", "first"]
    (left,) = failed.value.exceptions
    assert "left behind" in left.__notes__[0]
    assert "lmc_database" in left.__notes__[0]


@pytest.mark.parametrize(
    "gone",
    [
        error("EntityNotFoundException"),
        error("NoSuchEntity"),
        error("InvalidInputException", "No permissions revoked. x"),
    ],
)
def test_what_is_gone_already_needs_no_undoing(gone: ClientError, no_pauses: list[float]) -> None:
    undo = Undo()
    undo.later(raising(gone))
    undo.run()
    assert no_pauses == []


def left_of(lake: Lake, prefix: str) -> list[str]:
    """What the owner and the recipient still have of a run."""
    found: list[str] = []
    for account in (lake.owner, lake.recipient):
        found += [each["Name"] for each in account("glue").get_databases()["DatabaseList"]]
        found += [each["TagKey"] for each in account("lakeformation").list_lf_tags()["LFTags"]]
        found += [each["RoleName"] for each in account("iam").list_roles()["Roles"]]
        lines = account("lakeformation").list_permissions()["PrincipalResourcePermissions"]
        found += [json.dumps(each, default=str) for each in lines]
    return [each for each in found if prefix in each]


def test_a_check_leaves_nothing_behind(accounts: Accounts) -> None:
    """Of everything that the helpers make, also where the check fails after it."""
    if not accounts.local:
        pytest.skip("looks through whole accounts: on the local AWS alone")
    prefix = f"{accounts.guard.prefix}plumbing"
    undo, names = Undo(), Names(prefix)
    lake = Lake(accounts, names, Roles(names, undo), undo)
    database, key = lake.database(), lake.tag("public")
    lake.table(database)
    lake.assign(lake.on_table(database), **{key: "public"})
    lake.shared(database)
    lake.grant(lake.recipient.id, lake.by_tags({key: ["public"]}), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags({key: ["public"]}), "SELECT")
    lake.grant(lake.stranger(), lake.on_table(database), "SELECT")
    assert left_of(lake, prefix)
    undo.run()
    assert left_of(lake, prefix) == []


# ---------------------------------------------------------------------------------------------------------- settings
class Kept:
    """An account whose data lake settings are `now`."""

    def __init__(self, guard: Guard, **now: Any) -> None:
        self.guard, self.now, self.arn, self.id = guard, now, "arn:aws:iam::123456789012:role/Me", "123456789012"

    def __call__(self, _service: str) -> Kept:
        return self

    def get_data_lake_settings(self) -> dict[str, Any]:
        return {"DataLakeSettings": self.now}

    def put_data_lake_settings(self, **given: Any) -> None:
        self.guard.check("lakeformation", "PutDataLakeSettings", given)
        self.now = given["DataLakeSettings"]


def test_an_account_that_does_not_fit_is_named_with_what_it_lacks(guard: Guard) -> None:
    account: Any = Kept(guard, DataLakeAdmins=[], Parameters={"CROSS_ACCOUNT_VERSION": "1"})
    with pytest.raises(
        settings.UnpreparedAccountError, match=r"Me is not a data lake admin.*VERSION is 1.*--may-change"
    ):
        settings.prepare(account, Undo())


def test_settings_are_put_back_exactly() -> None:
    before = {
        "DataLakeAdmins": [{"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/Somebody"}],
        "TrustedResourceOwners": ["999999999999"],
        "Parameters": {"CROSS_ACCOUNT_VERSION": "1", "SET_CONTEXT": "TRUE"},
    }
    account: Any = Kept(Guard(may_change_settings=True, prefix="lmc"), **before)
    undo = Undo()
    settings.prepare(account, undo)
    assert account.now["Parameters"] == {"CROSS_ACCOUNT_VERSION": "4", "SET_CONTEXT": "TRUE"}
    assert len(account.now["DataLakeAdmins"]) == 2
    assert account.now["TrustedResourceOwners"] == ["999999999999"]
    undo.run()
    assert account.now == before


def test_an_account_that_fits_is_left_alone(guard: Guard) -> None:
    me = {"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/Me"}
    account: Any = Kept(guard, DataLakeAdmins=[me], Parameters={"CROSS_ACCOUNT_VERSION": "5"})
    settings.prepare(account, Undo())


# ------------------------------------------------------------------------------------------------------ pytest's side
def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Another pytest, with the plugin and nothing of this one's environment that leads to AWS."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0", *arguments],
        cwd=ROOT, env={**clean, **environment}, text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture
def checks(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs checks that are written for one test."""

    def with_source(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        header = "import pytest\nfrom botocore.exceptions import ClientError\nfrom tests.aws_conformance.assumptions import Confidence, assumption\n"
        (tmp_path / "test_mine.py").write_text(header + textwrap.dedent(source))
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        return run(
            tmp_path, "-p", "tests.aws_conformance.plugin", "-c", str(tmp_path / "pytest.ini"),
            *arguments, str(tmp_path),
        )  # fmt: skip

    return with_source


def test_each_verdict_is_told_with_its_assumption_and_page(checks: Any) -> None:
    done = checks(
        """
        @assumption("LF register-location", Confidence.DOCUMENTED)
        def test_a(): "It is so."

        @assumption("GLUE-API API_GetTable", Confidence.DOCUMENTED)
        def test_b():
            "It is not so."
            assert 1 == 2, "it is otherwise"

        @assumption("LF register-location", Confidence.INFERRED)
        def test_c():
            "It cannot be told."
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "late"}}, "GetTable")

        @assumption("LF register-location", Confidence.OPEN)
        def test_d():
            "Nobody knows."

        @assumption("LF register-location", Confidence.DOCUMENTED)
        def test_e():
            "It is not asked."
            pytest.skip("needs a third account")
        """
    )
    assert done.returncode == 1, done.stdout
    for line in (
        "assumptions about AWS, asked of the local AWS",
        "holds     It is so. [LF register-location]",
        "refuted   It is not so. [GLUE-API API_GetTable]\n          it is otherwise",
        "https://docs.aws.amazon.com/glue/latest/webapi/API_GetTable.html",
        "trouble   It cannot be told. [LF register-location]\n          An error occurred (ExpiredToken)",
        "open      Nobody knows.",
        "not asked It is not asked. [LF register-location]\n          needs a third account",
        "1 holds, 1 not asked, 1 open, 1 refuted, 1 trouble",
    ):
        assert line in done.stdout, line


def test_a_false_assumption_is_refuted_by_the_local_aws_and_tidied_up_after(checks: Any) -> None:
    done = checks(
        """
        @assumption("LF lf-tag-considerations", Confidence.DOCUMENTED)
        def test_false(lake):
            "LF-Tags keep their case."
            assert lake.lf.get_lf_tag(TagKey=lake.tag("Public"))["TagValues"] == ["Public"]

        @assumption("LF lf-tag-considerations", Confidence.OPEN)
        def test_wrongly_chosen(lake, answer):
            "LF-Tags keep their case, perhaps."
            answer(lake.lf.get_lf_tag(TagKey=lake.tag("Public"))["TagValues"], here=["Public"])

        @assumption("LF lf-tag-considerations", Confidence.DOCUMENTED)
        def test_left_nothing(lake):
            "Nothing is left of the others."
            assert [tag for tag in lake.lf.list_lf_tags()["LFTags"]] == []
        """
    )
    assert "refuted   LF-Tags keep their case. [LF lf-tag-considerations]" in done.stdout, done.stdout
    assert "refuted   LF-Tags keep their case, perhaps." in done.stdout, done.stdout
    assert "the local AWS answers ['public']; it was to be ['Public']" in done.stdout
    assert "holds     Nothing is left of the others." in done.stdout


def test_one_profile_is_not_enough(tmp_path: Path) -> None:
    done = run(tmp_path, "tests/aws_conformance", "--collect-only", "--profile-owner", "a")
    assert done.returncode == 4
    assert "--profile-owner and --profile-recipient" in done.stderr


def test_options_are_explained(tmp_path: Path) -> None:
    done = run(tmp_path, "tests/aws_conformance", "--help")
    for option in ("owner", "recipient", "producer"):
        assert f"--profile-{option}" in done.stdout
    assert "--may-change-settings" in done.stdout


# ---------------------------------------------------- the path of sandbox accounts, which a local AWS here stands in for
@pytest.fixture
def sandbox(reset: Callable[[], str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs checks of this folder against accounts that are known by profiles, and nothing else."""
    endpoint = reset()
    profiles = "".join(
        f"[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = x\nendpoint_url = {endpoint}\n"
        for name, account in (("a", OWNER), ("b", RECIPIENT))
    )
    (tmp_path / "config").write_text(profiles)
    (tmp_path / "credentials").write_text("")

    def check(*arguments: str, recipient: str = "b") -> subprocess.CompletedProcess[str]:
        return run(
            tmp_path, *arguments, "--profile-owner", "a", "--profile-recipient", recipient, "--region", REGION,
            AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"),
        )  # fmt: skip

    check.endpoint = endpoint  # type: ignore[attr-defined]
    return check


def mutations(endpoint: str) -> list[dict[str, Any]]:
    """What the journal of the local AWS has, in order."""
    with urllib.request.urlopen(f"{endpoint}/_local/journal", timeout=30) as answer:  # noqa: S310 - the local AWS
        return list(json.load(answer)["entries"])


SHARING = "tests/aws_conformance/test_sharing.py::test_the_identical_expression_is_passed_on"
SETTINGS = "tests/aws_conformance/test_lake_formation_permissions.py::test_settings_are_replaced_as_a_whole"


def test_sandbox_accounts_are_asked_by_the_same_code_and_left_as_they_were(sandbox: Any) -> None:
    key = {"aws_secret_access_key": "x", "region_name": REGION, "endpoint_url": sandbox.endpoint}
    lakes = [boto3.client("lakeformation", aws_access_key_id=account, **key) for account in (OWNER, RECIPIENT)]
    before = [lf.get_data_lake_settings()["DataLakeSettings"] for lf in lakes]
    done = sandbox(SHARING, SETTINGS, "--may-change-settings")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "asked of AWS" in done.stdout
    assert "2 holds" in done.stdout
    assert [lf.get_data_lake_settings()["DataLakeSettings"] for lf in lakes] == before
    assert [lf.list_permissions()["PrincipalResourcePermissions"] for lf in lakes] == [[], []]


def test_settings_of_sandbox_accounts_are_not_touched_without_leave(sandbox: Any) -> None:
    done = sandbox(SHARING)
    assert done.returncode == 1
    assert "is not a data lake administrator" in done.stdout
    assert "trouble" in done.stdout
    assert mutations(sandbox.endpoint) == []


def test_two_profiles_of_one_account_are_refused(sandbox: Any) -> None:
    done = sandbox(SHARING, recipient="a")
    assert "lead to the same account" in done.stdout
    assert mutations(sandbox.endpoint) == []
