"""What the engine knows of one resource, and the ledger in which it keeps that."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from local_aws.provider.values import Properties

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


class LockedError(Exception):
    """Somebody else is changing this stack."""


class LedgerError(Exception):
    """The local AWS did not take or give a ledger."""


def urn_of(project: str, stack: str, parent: str, kind: str, name: str) -> str:
    """A resource's URN as the engine makes it: types of parents are in it, the stack's own type is not."""
    qualified = parent.split("::")[2] if parent else ""
    if qualified and qualified != STACK_TYPE:
        kind = f"{qualified}${kind}"
    return f"urn:pulumi:{stack}::{project}::{kind}::{name}"


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def type_of(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


@dataclass
class ResourceState:
    """A resource as of its last successful step. `delete`: it was replaced and waits for its deletion."""

    urn: str
    custom: bool
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    delete: bool = False
    tainted: bool = False

    @property
    def type(self) -> str:
        return type_of(self.urn)

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def reference(self) -> str:
        """How resources name this one as their provider."""
        return f"{self.urn}::{self.id}"

    def needs(self) -> set[str]:
        """URNs that must outlive this resource, and the reference of its provider."""
        named = {urn for urns in self.property_dependencies.values() for urn in urns}
        return (named | {*self.dependencies, self.parent, self.provider, self.deleted_with}) - {""}

    @staticmethod
    def load(stored: Mapping[str, Any]) -> ResourceState:
        known = {member.name for member in fields(ResourceState)}
        return ResourceState(**{key: value for key, value in stored.items() if key in known})

    def store(self) -> dict[str, Any]:
        return asdict(self)


def deletion_order(states: Iterable[ResourceState], renamed: Mapping[str, str]) -> list[ResourceState]:
    """Dependents before what they depend on; otherwise the youngest first."""
    pending = list(states)
    ordered: list[ResourceState] = []
    while pending:
        wanted = {renamed.get(need, need) for state in pending for need in state.needs()}
        # A cycle cannot come from a program; should a ledger have one, its order of creation decides.
        free = [s for s in pending if s.urn not in wanted and s.reference not in wanted] or pending[-1:]
        ordered += reversed(free)
        gone = {id(state) for state in free}
        pending = [state for state in pending if id(state) not in gone]
    return ordered


# --------------------------------------------------------------------------------------------------- the ledger
Transport = Callable[[str, str, Mapping[str, Any] | None], tuple[int, Any]]
"""(method, path below the ledger, body) -> (status, body)."""


def http(endpoint: str) -> Transport:
    """The ledger of a running local AWS. Loopback is never reached through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        url = f"{endpoint}/_local/ledger{urllib.parse.quote(path)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        try:
            with opener.open(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")
        except OSError as error:
            raise LedgerError(
                f"No local AWS answers at {endpoint} ({error}). Start one with `lakemesh local start`."
            ) from error

    return send


class Ledger:
    """One stack's ledger. Changes are written one by one, under the stack's lock."""

    def __init__(self, send: Transport, project: str, stack: str) -> None:
        self._send, self._path, self._stack = send, f"/{project}/{stack}", stack
        self._token = ""
        self.complete = False
        self.exists = False
        self.outputs: Properties = {}

    def load(self) -> dict[str, ResourceState]:
        """Every resource by its key."""
        status, body = self._send("GET", self._path, None)
        self.exists = status == 200
        if status == 404:
            return {}
        self._demand(status, body)
        self.complete, self.outputs = body["complete"], body["outputs"]
        return {key: ResourceState.load(stored) for key, stored in body["resources"].items()}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock. Raises LockedError when somebody else does."""
        token = uuid.uuid4().hex
        status, body = self._send("PUT", f"{self._path}/lock", {"token": token, "pid": os.getpid()})
        if status == 409:
            seconds = int(time.time() - body["since"])
            raise LockedError(
                f"Stack {self._stack} is being changed by process {body['pid']}, for {seconds} s now. "
                "Wait until it is done."
            )
        self._demand(status, body)
        self._token = token
        try:
            yield
        finally:
            self._send("DELETE", f"{self._path}/lock", {"token": token})

    def write(self, **change: Any) -> None:
        """Apply a change: `set` (states by key), `drop` (keys), `outputs`, `complete`."""
        if "set" in change:
            change["set"] = {key: state.store() for key, state in change["set"].items()}
        self._demand(*self._send("PATCH", self._path, {"token": self._token, **change}))
        self.exists = True
        self.complete = change.get("complete", self.complete)

    def forget(self) -> None:
        self._demand(*self._send("DELETE", self._path, {"token": self._token}))

    def _demand(self, status: int, body: Any) -> None:
        if status != 200:
            raise LedgerError(f"The ledger of stack {self._stack} answered {status}: {body.get('error')}")


def stacks(send: Transport, project: str) -> dict[str, bool]:
    """Stacks of a project that have a ledger, with whether they are complete."""
    _, body = send("GET", "", None)
    return {entry["stack"]: entry["complete"] for entry in body["stacks"] if entry["project"] == project}
