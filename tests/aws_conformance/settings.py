"""Data lake settings of the accounts: what checks need of them, and putting them back."""

from __future__ import annotations

from typing import Any

from tests.aws_conformance.accounts import Account
from tests.aws_conformance.lake import who
from tests.aws_conformance.made import Undo
from tests.aws_conformance.waiting import patiently

VERSION = "CROSS_ACCOUNT_VERSION"
WANTED = "4"


class UnpreparedAccountError(Exception):
    """An account's settings do not let checks run, and they may not be changed."""


def current(account: Account) -> dict[str, Any]:
    return dict(account("lakeformation").get_data_lake_settings()["DataLakeSettings"])


def put(account: Account, **settings: Any) -> None:
    patiently(account("lakeformation").put_data_lake_settings, DataLakeSettings=settings)


def version(settings: dict[str, Any]) -> int:
    return int(settings.get("Parameters", {}).get(VERSION, "1"))


def prepare(account: Account, undo: Undo) -> None:
    """Make the caller an administrator and sharing of version 4, where it is not so; `undo` puts all of it back.

    Raises UnpreparedAccountError on accounts whose settings are not to be changed.
    """
    before = current(account)
    admins = before.get("DataLakeAdmins", [])
    lacking = []
    if who(account.arn) not in admins:
        lacking.append(f"{account.arn} is not a data lake administrator")
    if version(before) < 3:
        lacking.append(f"{VERSION} is {version(before)}, and sharing by LF-Tags needs 3")
    if not lacking:
        return
    if not account.guard.may_change_settings:
        raise UnpreparedAccountError(
            f"account {account.id}: {'; '.join(lacking)}. Change that, or run with --may-change-settings, which puts "
            "the settings back afterwards."
        )
    undo.later(put, account=account, **before)
    parameters = {**before.get("Parameters", {}), VERSION: max(str(version(before)), WANTED)}
    put(account, **{**before, "DataLakeAdmins": [*admins, who(account.arn)], "Parameters": parameters})
