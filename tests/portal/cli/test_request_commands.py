"""A request, its approval and rejection from a terminal, over a real log on the local AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from lakemesh.cli.main import app

MARA, INES = "mara.lindner@acme.example", "ines.moreau@acme.example"
ASK = (
    "request", "vendor_payment", "--to", "finance-analytics/analyst", "--sensitivity", "internal", "--purpose", "Spend.",
)  # fmt: skip


@pytest.fixture
def terminal(mesh: Path, reset: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`lakemesh …` as somebody, over an empty log in the governance account."""
    for name, value in {
        "AWS_ENDPOINT_URL": reset(), "AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": "local",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    boto3.client("dynamodb", region_name="eu-central-1").create_table(
        TableName="lakemesh-access-requests", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "request", "KeyType": "HASH"}, {"AttributeName": "sequence", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "request", "AttributeType": "S"}, {"AttributeName": "sequence", "AttributeType": "N"},
        ],
    )  # fmt: skip
    return lambda me, *arguments, typed="": CliRunner().invoke(
        app, [*arguments, "--me", me, "--mesh", str(mesh)], input=typed
    )


def test_a_request_is_previewed_sent_listed_and_approved(terminal: Callable[..., Result]) -> None:
    sent = terminal(MARA, *ASK, typed="y\n")
    assert sent.exit_code == 0, sent.output
    assert "finance-analytics/analyst: procurement_curated.vendor_payment.amount (internal)" in sent.stdout
    name = re.findall(r"REQ-\w{10}", sent.stdout)[-1]
    assert name in terminal(INES, "requests", "--waiting").stdout
    assert f"{name} is approved." in terminal(INES, "approve", name).stdout
    (told,) = json.loads(terminal(MARA, "requests", "--format", "json").stdout)
    assert (told["status"], told["approvals"]) == ("approved", [INES])


def test_a_request_is_rejected_with_a_reason_and_stays_so(terminal: Callable[..., Result]) -> None:
    sent = json.loads(terminal(MARA, *ASK, "--yes", "--format", "json").stdout)
    terminal(INES, "reject", sent["id"], "--reason", "Not for this.")
    late = terminal(INES, "approve", sent["id"])
    assert (late.exit_code, "decided already" in late.stderr) == (1, True)


def test_whoever_says_no_sends_nothing(terminal: Callable[..., Result]) -> None:
    sent = terminal(MARA, *ASK, typed="n\n")
    assert (sent.exit_code, "Nothing was sent." in sent.stderr) == (1, True)
    assert terminal(MARA, "requests").stdout == "None.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--rows", "amount >"), 1, "amount"),
        (("--column", "amount"), 2, "no TABLE.COLUMN"),
        (("--until", "2020-01-01"), 1, "past"),
        (("--column", "vendor_payment.no_such"), 1, "no_such"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    terminal: Callable[..., Result], arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = terminal(MARA, *ASK, "--yes", *arguments)
    assert (done.exit_code, said in done.stderr) == (code, True), done.output


def test_nobody_approves_their_own_and_nobody_sees_what_is_none_of_theirs(terminal: Callable[..., Result]) -> None:
    name = json.loads(terminal(MARA, *ASK, "--yes", "--format", "json").stdout)["id"]
    assert "of their own" in terminal(MARA, "approve", name).stderr
    assert f"no request {name}" in terminal("somebody@acme.example", "approve", name).stderr


def test_a_log_that_is_not_there_is_told_with_what_to_do(
    terminal: Callable[..., Result], reset: Callable[[], str]
) -> None:
    reset()
    done = terminal(MARA, "requests")
    assert done.exit_code == 1
    assert "Is stack central deployed" in done.stderr


def test_whoever_is_nobody_is_asked_who_they_are(terminal: Callable[..., Result]) -> None:
    assert "--me" in terminal("mara", "requests").stderr
