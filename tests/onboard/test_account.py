"""Whose credentials they are, and what happens when they do not suffice."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from lakemesh.onboard import account as module
from lakemesh.onboard.account import Account, open_account
from lakemesh.onboard.errors import (
    ExpiredCredentialsError,
    MissingPermissionsError,
    OnboardError,
    WrongAccountError,
)
from lakemesh.onboard.facts import DatabaseFacts
from lakemesh.onboard.reading import read_catalog, read_producer
from tests.onboard.unprepared import PRODUCER, REGION, STRANGER

IDENTITY = {"Account": PRODUCER, "Arn": f"arn:aws:sts::{PRODUCER}:assumed-role/Reader/me"}


class Fake:
    """A session whose clients answer from a table, and write down what they are asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.calls: list[str] = []

    def client(self, service: str, **_: Any) -> Any:
        return type("Client", (), {"__getattr__": lambda _, name: lambda **given: self._answer(name, given)})()

    def _answer(self, name: str, given: dict[str, Any]) -> Any:
        self.calls.append(name)
        answer = self.answers.get(name, {})
        if callable(answer):
            answer = answer(given)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def opened(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> tuple[Fake, Account]:
    fake = Fake({"get_caller_identity": IDENTITY, **answers})
    monkeypatch.setattr(module.boto3, "Session", lambda **_: fake)
    return fake, open_account(PRODUCER, REGION)


def test_another_accounts_credentials_are_refused_before_any_other_call(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake({"get_caller_identity": {"Account": STRANGER, "Arn": f"arn:aws:iam::{STRANGER}:user/me"}})
    monkeypatch.setattr(module.boto3, "Session", lambda **_: fake)
    with pytest.raises(WrongAccountError, match=f"of account {STRANGER}.*not of {PRODUCER}"):
        open_account(PRODUCER, REGION)
    assert fake.calls == ["get_caller_identity"]


def test_a_role_of_another_account_is_not_even_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.boto3, "Session", lambda **_: pytest.fail("no session was to be made"))
    with pytest.raises(WrongAccountError):
        open_account(PRODUCER, REGION, role=f"arn:aws:iam::{STRANGER}:role/Reader")


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"])
def test_credentials_that_end_half_way_say_to_renew_them(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    pages = iter([{"DatabaseList": [{"Name": "a"}], "NextToken": "t"}, refusal(code)])
    _, live = opened(monkeypatch, {"get_databases": lambda _: next(pages), "get_tables": {"TableList": []}})
    with pytest.raises(ExpiredCredentialsError, match=r"Nothing was written[\s\S]*run the same command again"):
        read_catalog(live)


def test_no_credentials_at_all_say_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake({"get_caller_identity": NoCredentialsError()})
    monkeypatch.setattr(module.boto3, "Session", lambda **_: fake)
    with pytest.raises(ExpiredCredentialsError, match="--profile"):
        open_account(PRODUCER, REGION)


def test_an_unknown_profile_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(OnboardError, match="nowhere-profile"):
        open_account(PRODUCER, REGION, profile="nowhere-profile")


def test_everything_that_is_missing_is_named_at_once_with_the_statement_to_add(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    denied = refusal("AccessDenied", f"User: {IDENTITY['Arn']} is not authorized to perform: x")
    _, live = opened(
        monkeypatch,
        {"list_buckets": denied, "get_resource_policy": denied, "list_permissions": denied},
    )
    with pytest.raises(MissingPermissionsError) as error:
        read_producer(live, (), frozenset())
    assert error.value.statement["Action"] == [
        "glue:GetResourcePolicy", "lakeformation:ListPermissions", "s3:ListAllMyBuckets",
    ]  # fmt: skip
    assert '"Sid": "LakemeshOnboarding"' in str(error.value)


def test_who_is_no_data_lake_administrator_is_told_what_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = refusal("AccessDeniedException", "Insufficient Lake Formation permission(s): Required Describe")
    _, live = opened(monkeypatch, {"list_permissions": hidden})
    facts = read_producer(live, (), frozenset())
    assert facts.permissions is None
    assert "data lake administrator" in facts.caveats[0]


ME = f"arn:aws:iam::{PRODUCER}:role/path/Reader"
OTHER = f"arn:aws:iam::{PRODUCER}:role/Other"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"DataLakeAdmins": [{"DataLakePrincipalIdentifier": ME}]}, True),
        ({"ReadOnlyAdmins": [{"DataLakePrincipalIdentifier": ME}]}, True),
        ({"DataLakeAdmins": [{"DataLakePrincipalIdentifier": OTHER}]}, False),
        ({}, False),
    ],
)
def test_grants_are_taken_for_all_of_them_only_if_an_administrator_reads_them(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], expected: bool
) -> None:
    """A list that is shortened to what concerns the caller looks like an account without IAMAllowedPrincipals."""
    open_to_iam = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
    defaults = {"CreateDatabaseDefaultPermissions": open_to_iam, "CreateTableDefaultPermissions": open_to_iam}
    _, live = opened(
        monkeypatch,
        {
            "get_data_lake_settings": {"DataLakeSettings": {**defaults, **settings}},
            "list_permissions": {"PrincipalResourcePermissions": []},
        },
    )
    facts = read_producer(live, [DatabaseFacts("harvest", ())], frozenset())
    assert facts.sees_all is expected
    assert facts.governance(frozenset({"harvest"})) == ("lake-formation" if expected else "iam")


def test_an_encrypted_catalog_needs_decrypt_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _, live = opened(monkeypatch, {"get_databases": refusal("GlueEncryptionException", "kms:Decrypt")})
    with pytest.raises(MissingPermissionsError, match="kms:Decrypt"):
        read_catalog(live)


def test_every_page_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(given: dict[str, Any]) -> dict[str, Any]:
        number = int(given.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number < 4 else {}
        return {"DatabaseList": [{"Name": f"db{number}"}], **more}

    _, live = opened(monkeypatch, {"get_databases": page, "get_tables": {"TableList": []}})
    assert [database.name for database in read_catalog(live)] == [f"db{number}" for number in range(5)]
