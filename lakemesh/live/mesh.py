"""The accounts of a mesh, read at once: each as the role that deploys it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import boto3

from lakemesh.access.difference import Expected, Role
from lakemesh.access.observed import AccountState
from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from lakemesh.live.caller import Caller, assumed
from lakemesh.live.reading import read_central, read_consumer, read_producer

ACCOUNTS_AT_ONCE: Final = 4


def read(declarations: Declarations, expected: Sequence[Expected], session: Any = None) -> dict[str, AccountState]:
    """The accounts of `expected`, by account id; and the governance account's grants, on which those of every consumer
    stand. Credentials are those of whoever may assume the deploying roles. Raises LiveError."""
    base: Any = session or boto3.Session(region_name=declarations.mesh.region)
    lock = threading.Lock()
    jobs = [(one, _caller(declarations, one, base, lock)) for one in expected]
    whole = {one.role for one in expected}
    with ThreadPoolExecutor(ACCOUNTS_AT_ONCE) as pool:
        found = dict(pool.map(lambda job: (job[0].id, _state(*job)), jobs))
        owner = declarations.mesh.central.account
        if Role.CENTRAL not in whole and Role.CONSUMER in whole:
            role = Naming(declarations.mesh).deploy_role_arn("central")
            central = assumed(owner, "central", role, declarations.mesh.region, base)
            found[owner] = read_central(central, (), grants_only=True)
    return found


def chosen(expected: Collection[Expected], names: Collection[str]) -> tuple[list[Expected], list[str]]:
    """Those that are named (`central`, a consumer or producer, an account id), and the names that are nobody's."""
    known: Mapping[str, Expected] = {key: one for one in expected for key in (one.name, one.id)}
    found = {known[name].id: known[name] for name in names if name in known}
    return list(found.values()), [name for name in names if name not in known]


def _caller(declarations: Declarations, one: Expected, base: Any, lock: threading.Lock) -> Caller:
    kind = str(one.role)
    role = Naming(declarations.mesh).deploy_role_arn(kind, "" if one.role is Role.CENTRAL else one.name)
    what = "central" if one.role is Role.CENTRAL else f"{kind} {one.name}"
    return assumed(one.id, what, role, declarations.mesh.region, base, lock)


def _state(one: Expected, account: Caller) -> AccountState:
    match one.role:
        case Role.CENTRAL:
            return read_central(account, sorted(one.twins))
        case Role.CONSUMER:
            return read_consumer(account, one.owner)
        case Role.PRODUCER:
            return read_producer(account)
