"""AWS Organizations, as far as `aws:PrincipalOrgID` and sharing with RAM need it.

An organization's id and its members' account ids are facts that a mesh declares, and the real API chooses them itself:
so `declare` (control face: PUT /_local/organization) states them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from local_aws.services.calls import AwsError, Call, on_reset, operation, page

_ID = re.compile(r"o-[a-z0-9]{10,32}")
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Organization:
    id: str
    management: str
    members: frozenset[str]
    ram_sharing: bool = False
    """RAM's "enable sharing with AWS Organizations": shares inside the organization need no invitation."""


_organizations: dict[str, Organization] = {}


def of(account: str) -> Organization | None:
    """The organization an account belongs to."""
    return next((org for org in _organizations.values() if account in org.members), None)


def declare(id_: str, management: str, members: Iterable[str], *, ram_sharing: bool = False) -> Organization:
    """State an organization. An account belongs to one at most: its earlier membership ends. Raises ValueError."""
    accounts = frozenset(members) | {management}
    if not _ID.fullmatch(id_):
        raise ValueError(f'organization id "{id_}" is not of the form o-a1b2c3d4e5')
    if wrong := sorted(account for account in accounts if not _ACCOUNT.fullmatch(account)):
        raise ValueError(f"account ids have 12 digits: {', '.join(wrong)}")
    for other in list(_organizations.values()):
        if other.management in accounts:
            del _organizations[other.id]
        else:
            _organizations[other.id] = replace(other, members=other.members - accounts)
    _organizations[id_] = Organization(id_, management, accounts, ram_sharing)
    return _organizations[id_]


def _member(account: str) -> Organization:
    org = of(account)
    if org is None:
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return org


def _describe(org: Organization) -> dict[str, Any]:
    base = f"arn:aws:organizations::{org.management}"
    return {
        "Id": org.id,
        "Arn": f"{base}:organization/{org.id}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"{base}:account/{org.id}/{org.management}",
        "MasterAccountId": org.management,
        "MasterAccountEmail": f"{org.management}@example.com",
    }


@operation("organizations", "CreateOrganization", exclusive=True)
def create_organization(call: Call) -> dict[str, Any]:
    if of(call.account):
        raise AwsError("AlreadyInOrganizationException", "The provided account is already a member of an organization.")
    digest = hashlib.sha256(call.account.encode()).hexdigest()[:10]
    return {"Organization": _describe(declare(f"o-{digest}", call.account, ()))}


@operation("organizations", "DescribeOrganization")
def describe_organization(call: Call) -> dict[str, Any]:
    return {"Organization": _describe(_member(call.account))}


@operation("organizations", "ListAccounts")
def list_accounts(call: Call) -> dict[str, Any]:
    org = _member(call.account)
    accounts = [
        {
            "Id": account,
            "Arn": f"arn:aws:organizations::{org.management}:account/{org.id}/{account}",
            "Email": f"{account}@example.com",
            "Name": account,
            "Status": "ACTIVE",
            "JoinedMethod": "INVITED",
        }
        for account in sorted(org.members)
    ]
    items, token = page(accounts, call, 20)
    return {"Accounts": items, "NextToken": token}


@on_reset
def clear() -> None:
    _organizations.clear()
