"""The pytest side of the checks: options, fixtures, and what is told at the end.

`pytest tests/aws_conformance` asks the local AWS. `--profile-owner P1 --profile-recipient P2 [--profile-producer P3]
--region R` asks sandbox accounts, by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import Any

import boto3
import pytest

from lakemesh.demo.process import LocalAwsProcess
from tests.aws_conformance import accounts as who
from tests.aws_conformance import assumptions, settings, waiting
from tests.aws_conformance.accounts import Account, Accounts
from tests.aws_conformance.guard import new_prefix
from tests.aws_conformance.lake import Lake, Roles
from tests.aws_conformance.made import Names, Undo

LOCAL_REGION = "eu-west-1"
_KEY = "assumption"
_PREFIX = pytest.StashKey[str]()
_ANSWERS = pytest.StashKey[list[str]]()


# -------------------------------------------------------------------------------------------------------------- options
def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("aws conformance", "checks of what lakemesh assumes about AWS")
    group.addoption(
        "--profile-owner", help="AWS profile of a sandbox account that owns and shares (default: local AWS)"
    )
    group.addoption("--profile-recipient", help="AWS profile of a sandbox account that is shared with")
    group.addoption("--profile-producer", help="AWS profile of a third sandbox account, which has the data")
    group.addoption("--region", help="the region to ask in", default=LOCAL_REGION)
    group.addoption(
        "--may-change-settings", action="store_true",
        help="let checks change the data lake settings of the sandbox accounts, and put them back as they were",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "assumption(page, confidence): the check of one assumption about AWS")
    config.stash[_PREFIX] = new_prefix()
    profiles = [config.getoption(f"--profile-{name}", None) for name in ("owner", "recipient", "producer")]
    if any(profiles) and not all(profiles[:2]):
        raise pytest.UsageError("sandbox accounts come at least in twos: --profile-owner and --profile-recipient")


def pytest_report_header(config: pytest.Config) -> str:
    where = "sandbox accounts" if is_real(config) else "the local AWS"
    return f"aws conformance: asks {where}; names of this run begin with {config.stash[_PREFIX]}"


def is_real(config: pytest.Config) -> bool:
    return bool(config.getoption("--profile-owner", None))


# ------------------------------------------------------------------------------------------------------------- fixtures
@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    option, prefix = request.config.getoption, request.config.stash[_PREFIX]
    if is_real(request.config):
        waiting.be_patient(waiting.PATIENCE)
        yield who.real(
            option("--profile-owner"), option("--profile-recipient"), option("--profile-producer"),
            option("--region"), prefix, may_change_settings=option("--may-change-settings"),
        )  # fmt: skip
        return
    with LocalAwsProcess() as aws:
        waiting.be_patient(waiting.IMPATIENCE)
        region = option("--region", LOCAL_REGION)
        _used(aws.endpoint, region)
        yield who.local(aws.endpoint, region, prefix)


@pytest.fixture(scope="session")
def accounts(place: Accounts) -> Iterator[Accounts]:
    """Owner, recipient and perhaps producer, as administrators of their data lakes."""
    undo = Undo()
    try:
        for account in (place.owner, place.recipient):
            settings.prepare(account, undo)
        yield place
    finally:
        undo.run()


def _used(endpoint: str, region: str) -> None:
    """An account that Athena has been used in has a database `default`, which Athena wants to see."""
    key = {"aws_access_key_id": who.RECIPIENT, "aws_secret_access_key": "local", "region_name": region}
    boto3.client("glue", endpoint_url=endpoint, **key).create_database(DatabaseInput={"Name": "default"})
    boto3.client("lakeformation", endpoint_url=endpoint, **key).revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
        Resource={"Database": {"Name": "default"}}, Permissions=["ALL"],
    )  # fmt: skip


@pytest.fixture(scope="session")
def names(accounts: Accounts) -> Names:
    return Names(accounts.guard.prefix)


@pytest.fixture(scope="session")
def roles(accounts: Accounts, names: Names) -> Iterator[Roles]:
    undo = Undo()
    yield Roles(names, undo)
    undo.run()


@pytest.fixture
def undo(accounts: Accounts) -> Iterator[Undo]:
    """What a check makes is registered here before it is made, and undone when the check is over."""
    stack = Undo()
    yield stack
    stack.run()


@pytest.fixture
def lake(accounts: Accounts, names: Names, roles: Roles, undo: Undo) -> Lake:
    return Lake(accounts, names, roles, undo)


@pytest.fixture
def producer(accounts: Accounts) -> Account:
    """The third account. Skips where there is none."""
    if accounts.producer is None:
        pytest.skip("needs a third sandbox account: --profile-producer")
    return accounts.producer


@pytest.fixture
def settings_may_change(accounts: Accounts) -> None:
    """For checks of the settings themselves. Skips on accounts whose settings are not to be touched."""
    if not accounts.guard.may_change_settings:
        pytest.skip("changes the data lake settings and puts them back: --may-change-settings")


Answer = Callable[..., None]


@pytest.fixture
def answer(request: pytest.FixtureRequest, accounts: Accounts) -> Answer:
    """`answer(found, here=expected)`: what an open question's answer is.

    On the local AWS it has to be `here`, what this project chose for it. On AWS it is told and is never wrong.
    """

    def give(found: Any, *, here: Any) -> None:
        request.node.stash.setdefault(_ANSWERS, []).append(
            str(found) if accounts.local or found == here else f"{found} (the local AWS: {here})"
        )
        if accounts.local:
            assert found == here, f"the local AWS answers {found}; it was to be {here}"

    return give


# ------------------------------------------------------------------------------------------------------------- verdicts
def verdict(assumption: assumptions.Assumption, report: pytest.TestReport, call: pytest.CallInfo[Any]) -> str:
    """holds, refuted, open, or why it could not be told. Only a failed assertion refutes: other errors are trouble."""
    if call.excinfo is None:
        return "open" if assumption.confidence is assumptions.Confidence.OPEN else "holds"
    if call.excinfo.errisinstance(pytest.skip.Exception):
        return "not asked"
    return "refuted" if report.when == "call" and call.excinfo.errisinstance(AssertionError) else "trouble"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mark = item.get_closest_marker(assumptions.MARK)
    # A report of its set-up or tear-down says something only where that went wrong.
    if mark is None or not isinstance(item, pytest.Function) or (report.when != "call" and call.excinfo is None):
        return report
    assumption = assumptions.Assumption.of(item.function, mark)
    said = "; ".join(item.stash.get(_ANSWERS, []))
    if call.excinfo is not None:
        said = str(call.excinfo.value).partition("\n")[0][:200]
    line = f"{assumption.text} [{assumption.page}]" + (f"\n          {said}" if said else "")
    report.user_properties.append((_KEY, [verdict(assumption, report, call), line, url_of(assumption)]))
    return report


def url_of(assumption: assumptions.Assumption) -> str:
    return assumptions.url(assumption.page)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Assumption, page and verdict of each check that ran. In a run of other tests too, only how many."""
    found = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for key, value in getattr(report, "user_properties", ())
        if key == _KEY
    ]
    if not found:
        return
    where = "AWS" if is_real(config) else "the local AWS"
    counts = Counter(value[0] for value in found)
    told = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    terminalreporter.section(f"assumptions about AWS, asked of {where}")
    if config.getoption("--profile-recipient", "not this folder") != "not this folder":
        for how, line, url in sorted(found, key=lambda value: (_ORDER.index(value[0]), value[1])):
            terminalreporter.line(f"{how:9} {line}")
            if how in {"refuted", "trouble"} or config.option.verbose > 0:
                terminalreporter.line(f"          {url}")
    terminalreporter.line(told)


_ORDER = ("holds", "not asked", "open", "trouble", "refuted")
