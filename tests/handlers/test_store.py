"""What functions keep: read again as it was written, and nothing else is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lakemesh.classification import Column
from lakemesh.review.findings import Findings, FindingsError, judge, parse
from tests.handlers.conftest import NOW

COLUMNS = [Column("email", "string", "Where to write to", ["a@b.example", "c@d.example"]), Column("id", "int")]


def written() -> dict[str, Any]:
    found = judge(Findings("crm", "contact", "sales"), COLUMNS, {"id"}, NOW, None)
    document: dict[str, Any] = json.loads(json.dumps(found.document()))
    return document


def test_what_was_written_is_read_again() -> None:
    assert parse(written()).document() == written()


def test_neither_values_nor_comments_are_kept() -> None:
    text = json.dumps(written())
    assert "b.example" not in text
    assert "Where to write" not in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("confidence", 2),
        ("evidence", None),
        ("kind", 7),
        ("sensitive", "yes"),
        ("sensitivity", "secret"),
        ("since", "x"),
    ],
)
def test_a_field_of_another_kind_is_refused_without_being_quoted(field: str, value: object) -> None:
    document = written()
    document["columns"]["email"][field] = value
    with pytest.raises(FindingsError) as error:
        parse(document)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("document", [{}, [], None, {"format": 2, "columns": {}}], ids=str)
def test_what_is_no_finding_is_refused(document: Any) -> None:
    with pytest.raises(FindingsError):
        parse(document)


def test_a_proposal_from_few_rows_is_not_laxer_than_the_name() -> None:
    firms = ["Lemaire Castings GmbH", "Quist Anlagenbau Ltd", "Marsden Ltd"]
    column = Column("customer_name", "string", None, firms)
    found = judge(Findings("crm", "contact", "sales"), [column], (), NOW, None).columns["customer_name"]
    assert found.sensitivity == "confidential"
    assert "a few rows cannot rule that out" in found.evidence[-1]
