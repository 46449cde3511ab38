"""What functions in the cloud found, brought together with what a contract says. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.recommendations import Basis, Recommendation
from lakemesh.review.findings import Finding, Findings

Columns = Mapping[str, Finding]


@dataclass(frozen=True)
class Central:
    """Findings by table (`twin.table`): of the central catalog's metadata, and of samples."""

    metadata: Mapping[str, Columns] = field(default_factory=dict)
    samples: Mapping[str, Columns] = field(default_factory=dict)

    def better(self, table: str, column: str, proposal: Recommendation) -> Recommendation:
        """A proposal made from a contract, in the light of what was found: the stricter sensitivity, what samples say
        before what metadata say, and the day on which the column was first seen."""
        seen, told = self.samples.get(table, {}).get(column), self.metadata.get(table, {}).get(column)
        for found in (told, seen):
            if found is not None:
                proposal = _merged(proposal, found, sampled=found is seen and found.samples is not None)
        return proposal


def by_table(findings: Iterable[Findings]) -> dict[str, Columns]:
    return {f"{one.twin}.{one.table}": one.columns for one in findings}


def undeclared(declarations: Declarations, domain: str, central: Central) -> Iterator[tuple[str, str, Finding]]:
    """Table, column and finding of what is in the domain's twins and in no contract."""
    twins = {source.twin_name for source in declarations.mesh.domains[domain].sources}
    declared = {
        (table.key, column.name)
        for product in declarations.products.values()
        for table in product.tables
        for column in table.columns
    }
    listed = {table for table, _ in declared}
    every = {**central.metadata, **central.samples}
    for table in sorted(every):
        # Tables that no contract lists are not part of the mesh's products: nobody is waiting for their columns.
        if table in listed and any(table.startswith(f"{twin}.") for twin in twins):
            for column, found in sorted({**central.metadata.get(table, {}), **every[table]}.items()):
                if (table, column) not in declared:
                    yield table, column, found


def _merged(proposal: Recommendation, found: Finding, *, sampled: bool) -> Recommendation:
    stricter = found.sensitivity.rank > proposal.sensitivity.rank
    since = min(proposal.since, found.since.astimezone(dt.UTC).date())
    if not (stricter or sampled):
        return proposal.model_copy(update={"since": since})
    return Recommendation.model_validate(
        {
            **dict(proposal),
            "sensitivity": found.sensitivity if stricter else proposal.sensitivity,
            "kind": found.kind,
            "sensitive": found.sensitive,
            "confidence": found.confidence,
            "evidence": found.evidence,
            "basis": Basis.SAMPLES if sampled else proposal.basis,
            "recogniser": found.recogniser,
            "samples": found.samples if sampled else proposal.samples,
            "since": since,
        }
    )
