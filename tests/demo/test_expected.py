from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.declarations.models import Declarations, Sensitivity
from lakemesh.demo.expected import Expected, Verdict, load

ANALYST = "finance-analytics/analyst"
Change = Callable[[str, str], Expected]


@pytest.fixture
def changed(mesh: Path, sample: Declarations) -> Change:
    """Load the sample's expected.yaml with one text replaced."""

    def change(old: str, new: str) -> Expected:
        path = mesh / "expected.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return load(mesh, sample)

    return change


def test_every_principal_table_and_column_of_the_sample_has_a_verdict(mesh: Path, sample: Declarations) -> None:
    expected = load(mesh, sample)
    assert len(expected.verdicts) == 5
    for tables in expected.verdicts.values():
        assert {table: tuple(columns) for table, columns in tables.items()} == dict(expected.tables)


def test_a_bare_word_stands_for_every_column(mesh: Path, sample: Declarations) -> None:
    verdicts = load(mesh, sample).verdicts["treasury/cash-desk"]["ar_curated.invoice_aging"]
    assert set(verdicts.values()) == {Verdict.DISCOVER}


def test_the_edit_changes_what_it_names_and_nothing_else(mesh: Path, sample: Declarations) -> None:
    expected = load(mesh, sample)
    after = expected.after_edit()
    assert set(after.verdicts[ANALYST]["ar_curated.cash_application"].values()) == {Verdict.DENIED}
    assert after.verdicts[ANALYST]["ar_curated.invoice"] == expected.verdicts[ANALYST]["ar_curated.invoice"]
    assert after.verdicts["treasury/cash-desk"] == expected.verdicts["treasury/cash-desk"]
    assert expected.edit is not None
    assert expected.edit.widen == {"ap-vendor-contacts-payments": (Sensitivity.RESTRICTED,)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("read: [vendor_name, country]", "read: [vendor_nam, country]", 'no column "vendor_nam". Did you mean "vendor_name"?'),
        ("read: [vendor_name, country]", "read: [vendor_name]", "without a verdict: country"),
        ("denied: [payer, headers]", "denied: [payer, headers, lines]", '"lines" has two verdicts, read and denied'),
        ("  finance-analytics/intern:", "  finance-analytics/trainee:", 'no consumer has a principal "finance-analytics/trainee"'),
        ("  finance-analytics/intern:", "  finance-analytics/trainee:", '"finance-analytics/intern" is missing'),
        ("    ar_raw.bank_statement_import: denied\n", "", '"ar_raw.bank_statement_import" is missing'),
        ("  ar_curated.invoice_aging: [", "  ar_cured.invoice_aging: [", 'no domain has a source "ar_cured"'),
        ("ar_curated.invoice_aging: discover", "ar_curated.invoice_aging: seen", '"seen"'),
        ("withdraw: [ar-cash-application-f", "withdraw: [ar-cash-app-f", 'no grant has the id "ar-cash-app-finance-analytics"'),
        ("[restricted]", "[secret]", '"secret" is not one of'),
        ("edit:\n", "edits:\n", 'no key "edits"'),
        ("principals:\n", "principals: [\n", "YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_with_its_place(changed: Change, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidMeshError) as error:
        changed(old, new)
    assert message in str(error.value)
    assert str(error.value).startswith("mesh/expected.yaml:")


def test_a_mesh_without_the_file_is_told_what_to_write(mesh: Path, sample: Declarations) -> None:
    (mesh / "expected.yaml").unlink()
    with pytest.raises(InvalidMeshError, match="Write it by hand"):
        load(mesh, sample)
