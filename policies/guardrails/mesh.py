"""What the pack knows of the mesh: the manifest and the settings of its configuration, and nothing else.

The manifest is compiled from the declarations (`lakemesh manifest`) and comes in the configuration of the policy
`mesh-is-described`, whole or as the path of a file. Rules that need it say that they are not applicable without it.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from guardrails.resource import mapping, mappings, plain, text, texts

VERSION: Final = 1
ACCOUNT_PATH: Final = ("public", "internal")
UNREVIEWED: Final = "unreviewed"


class ManifestError(ValueError):
    """A manifest that cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    """The compiled declarations, version 1. Whatever is missing reads as empty."""

    document: Mapping[str, Any]

    @classmethod
    def of(cls, document: Any) -> Manifest:
        """Raises ManifestError for what is no manifest of the one version that this pack reads."""
        if not isinstance(document, dict):
            raise ManifestError("The manifest is not a JSON object; write it with `lakemesh manifest`.")
        if document.get("version") != VERSION:
            raise ManifestError(
                f"The manifest has version {document.get('version')!r} and this pack reads version {VERSION}; use the "
                "pack and the `lakemesh` of one release."
            )
        return cls(document)

    @property
    def organization(self) -> str:
        return text(self.document.get("organization"))

    @property
    def central(self) -> str:
        """Account id of the governance account."""
        return text(mapping(self.document.get("central")).get("account"))

    @property
    def name(self) -> str:
        return text(self.document.get("mesh"))

    @cached_property
    def producers(self) -> Mapping[str, Mapping[str, Any]]:
        return {name: mapping(each) for name, each in mapping(self.document.get("producers")).items()}

    @cached_property
    def consumers(self) -> Mapping[str, str]:
        """Consumers by account id."""
        found = mapping(self.document.get("consumers"))
        return {text(mapping(each).get("account")): name for name, each in found.items()}

    @cached_property
    def accounts(self) -> frozenset[str]:
        producers = {text(each.get("account")) for each in self.producers.values()}
        return frozenset({self.central, *producers, *self.consumers} - {""})

    @cached_property
    def ontology(self) -> Mapping[str, frozenset[str]]:
        return {key: frozenset(texts(values)) for key, values in mapping(self.document.get("ontology")).items()}

    @cached_property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Sources by the name of their twin."""
        return {twin: mapping(each) for twin, each in mapping(self.document.get("sources")).items()}

    @cached_property
    def tables(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """Tables of contracts by twin and name."""
        found = mapping(self.document.get("tables")).values()
        return {(text(each.get("twin")), text(each.get("table"))): each for each in found if isinstance(each, dict)}

    @cached_property
    def grants(self) -> Sequence[Mapping[str, Any]]:
        return mappings(self.document.get("grants"))

    def approvers(self, domain: str) -> frozenset[str]:
        return frozenset(texts(mapping(mapping(self.document.get("domains")).get(domain)).get("approvers")))

    @property
    def automatic(self) -> frozenset[str]:
        """Sensitivities that a rule approves without a person."""
        return frozenset(texts(mapping(self.document.get("approvals")).get("automatic")))

    def product_status(self, product: str) -> str:
        return text(mapping(mapping(self.document.get("products")).get(product)).get("status"))

    @cached_property
    def administrators(self) -> Mapping[str, frozenset[str]]:
        """Administrators by account, for those accounts whose whole list the manifest knows, the deploying role's name
        with it."""
        found: dict[str, frozenset[str]] = {}
        for each in [mapping(self.document.get("central")), *mapping(self.document.get("consumers")).values()]:
            entry = mapping(each)
            if "administrators" in entry and "deployRole" in entry:
                account = text(entry.get("account"))
                deploying = f"arn:*:iam::{account}:role/{text(entry.get('deployRole'))}"
                found[account] = frozenset({*texts(entry.get("administrators")), deploying})
        return found

    def contract_tags(self, table: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
        """LF-Tags that each column of a table of a contract ends up with."""
        own = {"domain": text(table.get("domain")), **mapping(table.get("tags"))}
        for column in mappings(table.get("columns")):
            sensitivity = text(column.get("sensitivity")) or text(own.get("sensitivity")) or UNREVIEWED
            yield {**own, **mapping(column.get("tags")), "sensitivity": sensitivity}


@dataclass(frozen=True)
class Excused:
    """An exception: one rule, the resources it is waived for, and who answers for that until when."""

    rule: str
    resource: str
    reason: str
    owner: str
    expires: dt.date | None
    problem: str = ""

    def __str__(self) -> str:
        return f'exception of rule "{self.rule}" for "{self.resource}"'

    def in_force(self, day: dt.date) -> bool:
        """Whether it waives anything on a day; `expires` is the first day without it."""
        return not self.problem and self.expires is not None and self.expires > day

    def holds(self, rule: str, resource: str, day: dt.date) -> bool:
        """Whether it waives `rule` for a resource on a day."""
        return self.in_force(day) and self.rule == rule and fnmatch.fnmatchcase(resource, self.resource)


def excused(entry: Mapping[str, Any]) -> Excused:
    """An exception as configured; what is wrong with it is part of it, and makes it hold for nothing."""
    missing = [key for key in ("rule", "resource", "reason", "owner", "expires") if not text(entry.get(key)).strip()]
    expires, problem = None, f"says no {', '.join(missing)}" if missing else ""
    if "expires" not in missing:
        try:
            expires = dt.date.fromisoformat(text(entry.get("expires")))
        except ValueError:
            problem = problem or f"has the expiry {entry.get('expires')!r}, which is no date like 2030-12-31"
    return Excused(
        rule=text(entry.get("rule")),
        resource=text(entry.get("resource")),
        reason=text(entry.get("reason")),
        owner=text(entry.get("owner")),
        expires=expires,
        problem=problem,
    )


@dataclass
class Shared:
    """Settings that all rules share. The policy `mesh-is-described` reads them before any other rule runs."""

    manifest: Manifest | None = None
    trouble: str = ""
    exceptions: tuple[Excused, ...] = ()
    approvals: Mapping[str, str] | None = None
    service_roles: Mapping[str, str] = field(default_factory=dict)
    day: dt.date | None = None
    _seen: list[Any] = field(default_factory=list)

    @property
    def today(self) -> dt.date:
        return self.day or dt.datetime.now(dt.UTC).date()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the configuration over. The SDK hands over the same objects with every resource: looked at once."""
        objects = [config[key] for key in sorted(config)]
        if len(objects) == len(self._seen) and all(a is b for a, b in zip(objects, self._seen, strict=True)):
            return
        self._seen = objects
        self.manifest, self.trouble = None, ""
        try:
            self.manifest = _manifest(config)
        except ManifestError as error:
            self.trouble = str(error)
        own = self.manifest.document.get("exceptions") if self.manifest else None
        listed = [*mappings(plain(config.get("exceptions"))), *mappings(own)]
        self.exceptions = tuple(excused(each) for each in listed)
        self.approvals = mapping(plain(config["approvals"])) if "approvals" in config else None
        self.service_roles = mapping(plain(config.get("serviceRoles")))
        self.day = _day(text(config.get("today")))


def _day(value: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError:
        return None


def _manifest(config: Mapping[str, Any]) -> Manifest | None:
    if config.get("manifest") is not None:
        return Manifest.of(plain(config["manifest"]))
    if not (path := text(config.get("manifestFile"))):
        return None
    try:
        return Manifest.of(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(
            f"The manifest {path} cannot be read ({error}); write it with `lakemesh manifest`."
        ) from error


@dataclass(frozen=True)
class Given:
    """What a rule is given beside the resource: its own options, and what is shared."""

    options: Mapping[str, Any]
    shared: Shared

    @property
    def manifest(self) -> Manifest:
        """The manifest. A rule asks for it only if it is declared to need it, and then it is there."""
        return self.shared.manifest or Manifest({})

    @property
    def known(self) -> bool:
        """Whether there is a manifest."""
        return self.shared.manifest is not None

    @property
    def today(self) -> dt.date:
        return self.shared.today

    def option(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of strings of the rule's own configuration."""
        return tuple(texts(plain(self.options[key]))) if key in self.options else tuple(default)

    def service_role(self, arn: str, *which: str) -> bool:
        """Whether a principal is one of the mesh's service roles: `sync`, `tag`, or either."""
        return bool(arn) and arn.rsplit("/", 1)[-1] in {
            self.service_role_name(each) for each in which or ("sync", "tag")
        }

    def service_role_name(self, which: str) -> str:
        """Name of a service role: as configured, or as the mesh names it; "" where neither is known."""
        default = f"{self.manifest.name}-{which}" if self.manifest.name else ""
        return text(self.shared.service_roles.get(which)) or default
