"""A column that nobody reviewed, on its way to exactly those whose grant names its sensitivity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakemesh.cli.classify import app
from lakemesh.demo.expected import Expected, Verdict

pytestmark = pytest.mark.e2e
Copy = Callable[..., Path]
CONTRACT = "products/ar/ar_invoice.odcs.yaml"
COLUMN = "        description: Address that invoices are sent to.\n        classification: "
TABLE, NAME = "ar_curated.invoice", "customer_email"


def nobody_reads(expected: Expected) -> Expected:
    """The same, but the column is read by nobody."""
    verdicts = {
        who: {**tables, TABLE: {**tables[TABLE], NAME: Verdict.DENIED}} for who, tables in expected.verdicts.items()
    }
    return replace(expected, verdicts=verdicts)


def classify(directory: Path, *command: str) -> None:
    result = CliRunner().invoke(app, [*command, "--mesh", str(directory)])
    assert result.exit_code == 0, result.output


def test_an_accepted_recommendation_is_readable_by_those_alone_whose_grant_names_its_sensitivity(
    restored, copy_of_sample: Copy
) -> None:
    directory = copy_of_sample([(CONTRACT, f"{COLUMN}confidential", f"{COLUMN}unreviewed")])
    contract = (directory / CONTRACT).read_text()
    restored.up(directory)
    assert restored.prove(nobody_reads(restored.expected())).differences == ()

    classify(directory, "recommend", "--domain", "ar")
    recommendations = directory / "recommendations" / "ar.yaml"
    head, found, rest = recommendations.read_text().partition(f"      {NAME}:\n")
    recommendations.write_text(head + found + rest.replace("decision:\n", "decision: accept\n", 1))
    classify(directory, "apply")
    assert (directory / CONTRACT).read_text() == contract.replace(f"{COLUMN}unreviewed", f"{COLUMN}confidential")
    restored.up(directory)

    # As people wrote it down for the sample, where the column is confidential: of five principals only one reads it.
    expected = restored.expected()
    readers = [who for who, tables in expected.verdicts.items() if tables[TABLE][NAME] is Verdict.READ]
    assert readers == ["finance-analytics/controller"]
    assert restored.prove(expected).differences == ()
