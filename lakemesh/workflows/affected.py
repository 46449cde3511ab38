"""Which stacks a change affects: pure functions over two revisions of a mesh.

A stack is affected where the arguments of its component differ, and that is all that Pulumi sees of the declarations: a
comment or a new description of a contract affects nothing. What is no declaration (program, components, handlers)
affects every stack, since nothing short of a preview says what it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from lakemesh.deploy.arguments import Arguments
from lakemesh.deploy.parts import Kind, Part, parts

PROGRAM: Final = ("__main__.py", "Pulumi.yaml", "pyproject.toml", "uv.lock", "components/", "sync_handlers/")
"""What every stack is made of, beside the declarations. Folders end in a slash."""
PROGRAM_PACKAGES: Final = ("lakemesh/declarations/", "lakemesh/access/", "lakemesh/deploy/")

_WORDS: Final[Mapping[str, str]] = {
    "administrators": "data lake administrators",
    "buckets": "shared buckets and who reads them",
    "catalog_key": "key of the catalog",
    "consumer_accounts": "accounts that read the encrypted catalog",
    "databases": "databases",
    "entries": "grants",
    "governed": "who governs the catalog",
    "handlers": "settings of the functions",
    "locations": "registered prefixes",
    "manifest": "what the functions know of the mesh",
    "merge": "how policy statements are added",
    "ontology": "LF-Tags and their values",
    "products": "tags of tables and columns",
    "provider": "account, region or deploying role",
    "reader_role_arns": "producers to read from",
    "shares_digest": "what is shared with the account",
    "twins": "databases copied from producers",
    "workgroups": "principals and their workgroups",
}


@dataclass(frozen=True)
class Affected:
    """A stack that has to be deployed, and why."""

    stack: str
    kind: Kind
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What a change does to the stacks of a mesh, in the order of deployment."""

    affected: tuple[Affected, ...]
    removed: tuple[str, ...] = ()
    """Stacks whose part the mesh no longer has: what they made stays until somebody destroys them."""


def compare(before: Arguments | None, after: Arguments, files: Iterable[str] = ()) -> Changes:
    """Stacks that differ between two revisions.

    `before`: None where the earlier revision has no valid mesh, which affects every stack. `files`: every path that
    changed between the two, from the project's root.
    """
    changed = sorted(set(files))
    program = [file for file in changed if _of_program(file)]
    found = []
    for part in parts(after.declarations):
        reasons = _reasons(before, after, part)
        if program:
            others = f", and {len(program) - 1} more of the program" if program[1:] else ""
            reasons.append(f"{program[0]} changed{others}")
        reasons += [f"{file} changed" for file in changed if file == f"Pulumi.{part.stack}.yaml"]
        if reasons:
            found.append(Affected(part.stack, part.kind, tuple(reasons)))
    return Changes(tuple(found), _removed(before, after))


def _of_program(file: str) -> bool:
    path = PurePosixPath(file)
    if path.suffix in {".md", ".pyi"}:
        return False
    return any(file == each or (each.endswith("/") and file.startswith(each)) for each in (*PROGRAM, *PROGRAM_PACKAGES))


def _reasons(before: Arguments | None, after: Arguments, part: Part) -> list[str]:
    if before is None:
        return ["the earlier revision has no valid mesh to compare with"]
    if part not in parts(before.declarations):
        return ["new in the mesh"]
    old, new = of_part(before, part), of_part(after, part)
    return [said for key in sorted(old.keys() | new.keys()) if (said := _difference(key, old.get(key), new.get(key)))]


def of_part(arguments: Arguments, part: Part) -> dict[str, Any]:
    """Everything that Pulumi's program passes on for one part: its component's arguments and its provider's."""
    match part.kind:
        case Kind.CENTRAL:
            given: Mapping[str, Any] = arguments.central()
        case Kind.PRODUCER:
            given = arguments.producer(part.name)
        case Kind.DOMAIN:
            given = arguments.domain(part.name)
        case Kind.CONSUMER:
            given = arguments.consumer(part.name)
    provider = arguments.provider(part)
    return {**given, "provider": (provider.account, provider.region, provider.role_arn, dict(provider.tags))}


def _difference(key: str, old: Any, new: Any) -> str:
    """What changed about one argument, in words; "" where nothing did."""
    if old == new:
        return ""
    said = _WORDS.get(key, key.replace("_", " "))
    if not isinstance(old, list) or not isinstance(new, list):
        return said
    counts = _counts(old, new)
    return f"{said} ({counts})" if counts else said


def _counts(old: Sequence[Any], new: Sequence[Any]) -> str:
    """`2 added, 1 removed, 1 changed`, where the members of a list have names of their own."""
    before, after = _named(old), _named(new)
    if before is None or after is None:
        return ""
    numbers = {
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "changed": sum(before[name] != after[name] for name in before.keys() & after.keys()),
    }
    return ", ".join(f"{number} {word}" for word, number in numbers.items() if number)


def _named(members: Sequence[Any]) -> dict[str, Any] | None:
    """Members by name; None where they have none."""
    named: dict[str, Any] = {}
    for member in members:
        if isinstance(member, str):
            name: Any = member
        elif isinstance(member, Mapping):
            keys = ("name", "product", "producer", "principal", "bucket")
            name = next((member[key] for key in keys if key in member), None)
        else:
            name = None
        if name is None or name in named:
            return None
        named[str(name)] = member
    return named


def _removed(before: Arguments | None, after: Arguments) -> tuple[str, ...]:
    if before is None:
        return ()
    kept = set(parts(after.declarations))
    # The last deployed goes first, as `destroy` does.
    return tuple(part.stack for part in reversed(parts(before.declarations)) if part not in kept)
