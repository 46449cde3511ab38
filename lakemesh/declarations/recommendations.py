"""mesh/recommendations/<domain>.yaml: what is recommended for columns that nobody reviewed, and what people decided.

Nothing here grants or tags anything: a decision counts once `lakemesh classify apply` has written it into the contract.
So an entry whose column is gone is no mistake; the next `lakemesh classify recommend` takes it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, StringConstraints

from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import Day, Declaration, Sensitivity, Text
from lakemesh.declarations.yamlfile import Path

if TYPE_CHECKING:
    from lakemesh.declarations.draft import Draft

ACCEPT: Final = "accept"
REJECT: Final = "reject"
CHANGE: Final = "change to "
_LEVELS: Final = "|".join(Sensitivity)
DECISION: Final = rf"^(?:accept|reject|change to (?:{_LEVELS})(?: [a-z][a-z0-9-]{{0,59}})?)$"

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
DecisionText = Annotated[str, StringConstraints(pattern=DECISION)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Release = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$")]


@unique
class Basis(StrEnum):
    """What a recommendation was made from."""

    METADATA = "metadata"
    SAMPLES = "samples"


class Recommendation(Declaration):
    """One column: the proposal, why, and what a person decided. No decision: it is pending."""

    sensitivity: Sensitivity
    kind: KindName
    sensitive: bool = Field(strict=True)
    confidence: float = Field(ge=0, le=1, strict=True)
    evidence: tuple[Text, ...] = ()
    basis: Basis = Basis.METADATA
    recogniser: Release
    """Version that made the proposal."""
    since: Day
    """The first day on which the column waited for a decision."""
    metadata: Fingerprint
    """Of the column's type and comment."""
    samples: Fingerprint | None = None
    """Of the shapes that its sample values had; no value can be had from it."""
    earlier: Text | None = None
    """A decision that no longer holds, for whoever decides again."""
    decision: DecisionText | None = None
    reason: Text | None = None
    """Why; a rejection needs one."""
    applied: Day | None = None
    """The day on which the decision was written into the contract."""

    @property
    def pending(self) -> bool:
        return self.decision is None

    @property
    def rejected(self) -> bool:
        return self.decision == REJECT

    @property
    def outcome(self) -> tuple[Sensitivity, str | None] | None:
        """Sensitivity and kind of personal data that the decision gives the column; None where it gives nothing."""
        if self.decision is None or self.rejected:
            return None
        level, kind = self.sensitivity, self.kind if self.sensitive else "none"
        if self.decision.startswith(CHANGE):
            words = self.decision.removeprefix(CHANGE).split()
            level, kind = Sensitivity(words[0]), words[1] if len(words) > 1 else kind
        return level, None if kind == "none" else kind


Columns = dict[str, Recommendation]


class Recommendations(Declaration):
    """A domain's recommendations by product, table (`twin.table`) and column."""

    products: dict[str, dict[str, Columns]] = Field(default_factory=dict)

    def each(self) -> Iterator[tuple[tuple[str, str, str], Recommendation]]:
        """Every entry with its product, table and column, in the file's order."""
        for product, tables in self.products.items():
            for table, columns in tables.items():
                for column, entry in columns.items():
                    yield (product, table, column), entry


def in_file(path: Path) -> Path | None:
    """A column whose entry has a mistake is left out as a whole."""
    return path[:4] if len(path) >= 4 and path[0] == "products" else None


def file_of(domain: str) -> str:
    """Name of a domain's file in the mesh directory."""
    return f"recommendations/{domain}.yaml"


# ---------------------------------------------------------------------------------------------------------- checks
def files_are_of_domains(draft: Draft) -> Iterator[Problem]:
    for name in draft.known.domains.unknown_of(draft.recommendations):
        text = f'Domain "{name}" is not in {draft.places.mesh_file}.{did_you_mean(name, draft.known.domains)}'
        yield draft.places.problem("unknown-reference", text, f"{draft.places.root}/{file_of(name)}")


def rejections_have_a_reason(draft: Draft) -> Iterator[Problem]:
    for domain, found in _read(draft).items():
        for key, entry in found.each():
            if entry.rejected and entry.reason is None:
                text = (
                    "A rejection needs a reason: it holds until the column changes, and others will want to know why.\n"
                    "Write it beside the decision, for example reason: Serial number of the machine."
                )
                file = f"{draft.places.root}/{file_of(domain)}"
                yield draft.places.problem("rejection-reason", text, file, "products", *key, "decision")


def _read(draft: Draft) -> Mapping[str, Recommendations]:
    return {domain: read.value for domain, read in draft.recommendations.items() if read.value is not None}
