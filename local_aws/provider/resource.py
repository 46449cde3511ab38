"""What every resource type of the local provider is: a class with five operations and a few tables.

The rules that the real provider (pulumi-aws over terraform-provider-aws) applies to all types live here: autonaming,
default tags, comparison of JSON documents and sets by meaning, which changes replace.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from botocore.exceptions import ClientError

from local_aws.provider import schema
from local_aws.provider.connection import Connection, ProviderError
from local_aws.provider.values import UNKNOWN, Properties, has_unknown

DEFAULTS = "__defaults"
"""Input that lists which inputs the provider chose itself, as the real provider's state has it."""


@dataclass(frozen=True)
class Difference:
    """What a change of inputs comes to: names of changed properties, those that replace, the order of a replacement."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_first: bool = False


def frozen(**values: Any) -> Mapping[str, Any]:
    """A table that belongs to a class and that nobody changes."""
    return types.MappingProxyType(values)


@dataclass
class At:
    """Where an operation acts: the connection, the resource's id, its inputs now, its properties as last known."""

    aws: Connection
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    state: Properties = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    @property
    def tags(self) -> dict[str, str]:
        """The resource's tags with the provider's default tags."""
        return self.aws.tags(self.inputs)

    def retag(self, untag: Callable[[list[str]], Any], tag: Callable[[dict[str, str]], Any]) -> None:
        """Bring the tags from what the state says to what the inputs say."""
        old, new = self.state.get("tagsAll") or {}, self.tags
        if old.keys() - new.keys():
            untag(sorted(old.keys() - new.keys()))
        if new and new != old:
            tag(new)


class ResourceType:
    """One resource type. Subclasses say what AWS calls to make; inputs and outputs are camelCase dicts.

    `create` returns the id, `configure` completes a creation, `read` returns current properties (None: it is gone).
    """

    kind: ClassVar[str]
    """The type's token."""
    supported: ClassVar[frozenset[str]]
    """Inputs that are modelled; the real provider's others are refused by name."""
    defaults: ClassVar[Mapping[str, Any]] = frozen()
    """The real provider's defaults, filled in when an input is not given."""
    immutable: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose change replaces the resource."""
    named: ClassVar[str | None] = None
    """Input that gets a generated name."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """Inputs that are JSON documents: equal when they mean the same."""
    sets: ClassVar[frozenset[str]] = frozenset()
    """Inputs that are lists without order."""
    volatile: ClassVar[frozenset[str]] = frozenset()
    """Outputs that an update changes: unknown in its preview."""
    completed: ClassVar[frozenset[str]] = frozenset()
    """Properties that `configure` sets."""
    longest_name: ClassVar[int] = 64

    # ------------------------------------------------------------------------------------- what subclasses say
    def verify(self, inputs: Properties) -> Iterator[schema.Problem]:  # noqa: ARG002 - for subclasses
        """Rules beyond the schema, for inputs that are known."""
        return iter(())

    def create(self, at: At) -> str:
        raise NotImplementedError

    def configure(self, at: At) -> None:
        """What a creation takes beyond its first call."""

    def read(self, at: At) -> Properties | None:
        raise NotImplementedError

    def update(self, at: At) -> None:
        raise ProviderError(f"{self.kind} ({at.id}) cannot be updated")

    def delete(self, at: At) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------ what all share
    @property
    def title(self) -> str:
        """The type as an error names it."""
        return self.kind.rpartition(":")[2]

    @property
    def taggable(self) -> bool:
        return "tags" in self.supported

    def generated(self, name: str) -> str:
        """The resource's logical name as the stem of a generated name."""
        return name

    def check(
        self, name: str, olds: Properties, news: Properties, seed: bytes
    ) -> tuple[Properties, list[schema.Problem]]:
        """Inputs with defaults and a name filled in, and everything wrong with them."""
        inputs = {**self.defaults, **news}
        defaulted = [key for key in self.defaults if key not in news]
        if self.named and self.named not in news:
            inputs[self.named] = self._autoname(name, olds, seed)
            defaulted.append(self.named)
        problems = list(schema.object_problems(schema.arguments(self.kind), inputs))
        known = schema.arguments_of(self.kind)
        problems += [
            (key, f'The input "{key}" of {self.kind} is not modelled by the local provider.')
            for key in sorted(news.keys() - self.supported)
            if key in known
        ]
        if not problems:
            problems = list(self.verify(inputs))
        return {**inputs, DEFAULTS: sorted(defaulted)}, problems

    def _autoname(self, name: str, olds: Properties, seed: bytes) -> str:
        assert self.named is not None  # noqa: S101 - the caller looked
        if self.named in olds.get(DEFAULTS, ()) and isinstance(olds.get(self.named), str):
            return str(olds[self.named])
        suffix = hashlib.sha256(seed).hexdigest()[:7] if seed else secrets.token_hex(4)[:7]
        return f"{self.generated(name)[: self.longest_name - 8]}-{suffix}"

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Whether two values of an input mean the same."""
        if has_unknown(new):
            return False
        if key in self.documents and isinstance(old, str) and isinstance(new, str):
            return bool(_document(old) == _document(new))
        if key in self.sets and isinstance(old, list) and isinstance(new, list):
            return sorted(map(_canonical, old)) == sorted(map(_canonical, new))
        return bool(_canonical(old) == _canonical(new))

    def diff(self, aws: Connection | None, old_inputs: Properties, state: Properties, news: Properties) -> Difference:
        """What differs between the inputs of last time and now; default tags count as inputs."""
        keys = {key for key in old_inputs.keys() | news.keys() if not key.startswith("__")}
        changed = {key for key in keys if not self.same(key, old_inputs.get(key), news.get(key))}
        if (
            self.taggable
            and aws is not None
            and aws.tags(news) != (state.get("tagsAll") or {})
            and "tags" not in changed
        ):
            changed.add("tagsAll")
        replaces = changed & self.immutable
        # As pulumi-terraform-bridge: a name that a person chose, and that stays, cannot exist twice.
        chosen = self.named is not None and self.named not in news.get(DEFAULTS, ()) and self.named not in changed
        return Difference(tuple(sorted(changed)), tuple(sorted(replaces)), bool(replaces) and chosen)

    def kept(self, key: str, before: Properties, read: Any) -> bool:
        """Whether what AWS says of a property is what was known, however it spells it."""
        known = before.get(key)
        return (not known and not read) or self.same(key, known, read)

    def drifted(self, inputs: Properties, state: Properties, read: Properties) -> Properties:
        """The inputs that would make what AWS has now: those of last time but for what somebody changed since.

        Nothing known of last time (an import): everything that AWS says and that is an input.
        """
        found = {key: value for key, value in read.items() if key in self.supported}
        if not inputs:
            return {**{key: value for key, value in state.items() if key in self.supported}, **found}
        changed = {key: value for key, value in found.items() if not self.kept(key, {**state, **inputs}, value)}
        return {**inputs, **changed}

    def outputs(self, aws: Connection, inputs: Properties, read: Properties) -> Properties:
        tags = {"tagsAll": aws.tags(inputs)} if self.taggable else {}
        return {**{key: value for key, value in inputs.items() if key != DEFAULTS}, **tags, **read}

    def planned(self, inputs: Properties, state: Properties | None = None) -> Properties:
        """Outputs that a preview may say: inputs, and of what exists all that an update leaves alone."""
        kept = {key: value for key, value in (state or {}).items() if key not in self.volatile}
        unknown = dict.fromkeys(self.volatile, UNKNOWN) if state else {}
        return {**kept, **unknown, **{key: value for key, value in inputs.items() if key != DEFAULTS}}


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _canonical(value: Any) -> str:
    """A value as text in which numbers and booleans equal their spellings, and empty equals absent, as in Terraform."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain for key, member in value.items() if (plain := _plain(member)) is not None} or None
    if isinstance(value, list):
        return [_plain(member) for member in value] or None
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


# ------------------------------------------------------------------------------------------------ the registry
TYPES: dict[str, ResourceType] = {}
C = TypeVar("C", bound=type[ResourceType])


def register(cls: C) -> C:
    """Class decorator: make a resource type known to the provider."""
    TYPES[cls.kind] = cls()
    return cls


def find(token: str) -> ResourceType:
    """The resource type of a token. Raises ProviderError that names a type nobody modelled."""
    if token not in TYPES:
        raise ProviderError(
            f"The local provider does not know the resource type {token}. It knows: {', '.join(sorted(TYPES))}."
        )
    return TYPES[token]


# --------------------------------------------------------------------------------------- for the types' modules
def code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


T = TypeVar("T")


def unless(codes: Iterable[str], call: Callable[[], T]) -> T | None:
    """The call's answer, or None where AWS answers with one of these error codes: reading or deleting what is gone."""
    try:
        return call()
    except ClientError as error:
        if code(error) not in codes:
            raise
        return None


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def pascal(value: Any) -> Any:
    """camelCase keys as AWS writes them (PascalCase), all the way down; text members are left alone."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: pascal(member) for key, member in value.items()}
    if isinstance(value, list):
        return [pascal(member) for member in value]
    return value


def camel(value: Any) -> Any:
    """AWS's keys (PascalCase) as Pulumi writes them, all the way down: what `pascal` made, back."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(member) for key, member in value.items()}
    if isinstance(value, list):
        return [camel(member) for member in value]
    return value


def declared(known: Any, found: Any) -> Any:
    """`found` without the members that `known` does not have: what AWS adds of its own accord is no drift."""
    if isinstance(known, Mapping) and isinstance(found, Mapping):
        return {key: declared(known[key], found.get(key)) for key in known}
    if isinstance(known, list) and isinstance(found, list) and len(known) == len(found):
        return [declared(old, new) for old, new in zip(known, found, strict=True)]
    if isinstance(known, list) and len(known) == 1 and isinstance(found, Mapping):
        # A block that may be given once: Pulumi writes it either way.
        return [declared(known[0], found)]
    return found


def one(value: Any) -> Any:
    """A block that may be given once, as an object or a list of one."""
    return value[0] if isinstance(value, list) and value else value or {}


def lower(name: str) -> str:
    return re.sub(r"[^a-z0-9-]", "-", name.lower())
