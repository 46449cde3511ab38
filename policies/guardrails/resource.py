"""Resources as rules see them: reading a property never raises anything but the SDK's UnknownValueError.

What a policy gets from the SDK is full of traps: lists and maps are proxies that compare equal to nothing, numbers are
floats, a missing key raises KeyError, which would abort the whole preview, and a value that is not known yet raises
when it is looked at. All of that is dealt with here, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from pulumi_policy.proxy import UnknownValueError

T = TypeVar("T")
ACCOUNT = re.compile(r"^\d{12}$")
_ACCOUNT_OF_ARN = re.compile(r"^arn:[^:]*:[^:]*:[^:]*:(\d{12}):")


def plain(value: Any) -> Any:
    """The value without proxies. Raises UnknownValueError if any part of it is not known yet."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(each) for each in value]
    return value


def text(value: Any) -> str:
    """A string, or "" for anything else."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """The strings of a list; a lone string counts as a list of one."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, Sequence) else []


def number(value: Any) -> float | None:
    """A number, also where it comes as text; None for anything else, and for booleans."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def true(value: Any) -> bool:
    """Whether a property is switched on; providers are given booleans as text, too."""
    return value is True or text(value).lower() == "true"


def mapping(value: Any) -> dict[str, Any]:
    """A map, or an empty one for anything else. The bridge flattens blocks that may stand once; a list of one is that
    one."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The maps of a list; a lone map counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def account_of_arn(arn: str) -> str | None:
    """Account id that an ARN, or an account id itself, names."""
    if ACCOUNT.match(arn):
        return arn
    found = _ACCOUNT_OF_ARN.match(arn)
    return found.group(1) if found else None


@dataclass(frozen=True)
class Resource:
    """One resource: its inputs in a resource policy, its outputs in a stack policy."""

    type: str
    name: str
    urn: str
    props: Mapping[str, Any]
    protect: bool = False
    delete_before_replace: bool = False
    provider: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f'{self.type.rsplit(":", 1)[-1]} "{self.name}"'

    def get(self, key: str) -> Any:
        """A property without proxies, None where it is missing. Raises UnknownValueError."""
        try:
            return plain(self.props[key])
        except KeyError:
            return None

    def given(self, key: str) -> bool:
        """Whether a property is set to anything, be it known or not."""
        try:
            return self.props[key] not in (None, "")
        except KeyError:
            return False
        except UnknownValueError:
            return True

    @cached_property
    def account(self) -> str | None:
        """The account that the resource goes to, as far as its provider says: the only account it allows, or that of
        the role it assumes."""
        try:
            props = plain(self.provider) if self.provider is not None else {}
        except UnknownValueError:
            return None
        allowed = texts(_unpacked(props.get("allowedAccountIds")))
        if len(allowed) == 1:
            return allowed[0]
        roles = mappings(_unpacked(props.get("assumeRoles")))
        return account_of_arn(text(roles[-1].get("roleArn"))) if roles else None

    @cached_property
    def place(self) -> tuple[str, str]:
        """Account and region, or what stands for them where they are not known."""
        try:
            props = plain(self.provider) if self.provider is not None else {}
        except UnknownValueError:
            props = {}
        return self.account or "", text(self.get("region")) or text(props.get("region"))


def _unpacked(value: Any) -> Any:
    """Inputs of a provider are JSON in strings."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


@dataclass
class Stack:
    """Every resource of a stack. Remembers what could not be known: then nothing may be called missing."""

    resources: Sequence[Resource]
    unknown: UnknownValueError | None = None
    _by_type: dict[str, list[Resource]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # By name, as resources arrive in the order in which they happened to be registered.
        for each in sorted(self.resources, key=lambda each: (each.name, each.urn)):
            self._by_type.setdefault(each.type, []).append(each)

    def of(self, *types: str) -> list[Resource]:
        """Resources of some types."""
        return [each for type_ in types for each in self._by_type.get(type_, ())]

    def read(self, types: str | Iterable[str], what: Callable[[Resource], T]) -> list[tuple[Resource, T]]:
        """What can be read from each resource of some types; those where something is unknown are left out."""
        found = []
        for resource in self.of(*([types] if isinstance(types, str) else types)):
            try:
                found.append((resource, what(resource)))
            except UnknownValueError as error:
                self.unknown = self.unknown or error
        return found
