"""Decisions in contracts: everything else of the contract stays as people wrote it."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Sensitivity
from lakemesh.declarations.yamlfile import read
from lakemesh.review.edit import Classified, EditError, classified
from tests.review.conftest import INVOICE, Classify, decide, entries, replace


def changes(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in found if line[:3] not in {"---", "+++"} and not line.startswith("@@")]


def decided(mesh: Path, classify: Classify) -> str:
    """The sample with the invoice's columns decided on; its contract before that is applied."""
    classify("recommend")
    decide(mesh, "customer_name", "accept")
    decide(mesh, "customer_email", "change to restricted")
    decide(mesh, "customer_vat_id", "reject", "Of companies alone.")
    decide(mesh, "dunning_note", "change to internal none")
    return (mesh / INVOICE).read_text()


def test_decisions_are_written_and_every_other_line_stays(unreviewed: Path, classify: Classify) -> None:
    before = decided(unreviewed, classify)
    result = classify("apply")
    assert result.exit_code == 0, result.output
    assert changes(before, (unreviewed / INVOICE).read_text()) == [
        "-        classification: unreviewed",
        "+        classification: confidential",
        "-        classification: unreviewed",
        "+        classification: restricted",
        "+        classification: internal",
    ]
    columns = load_mesh(unreviewed).products["ar_invoice"].tables[0].columns
    given = {column.name: column.sensitivity for column in columns}
    assert (given["customer_name"], given["customer_vat_id"]) == (Sensitivity.CONFIDENTIAL, None)


def test_kinds_of_personal_data_are_added_where_there_are_none(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    decide(unreviewed, "dunning_note", "accept")
    before = (unreviewed / INVOICE).read_text()
    classify("apply")
    assert changes(before, (unreviewed / INVOICE).read_text()) == [
        "+        classification: confidential",
        "+        customProperties:",
        "+          - property: personalData",
        "+            value: free-text",
    ]


def test_applying_twice_changes_nothing_and_decisions_stay_on_record(unreviewed: Path, classify: Classify) -> None:
    decided(unreviewed, classify)
    classify("apply")
    again = classify("apply")
    assert "Nothing to write" in again.output
    classify("recommend")
    assert {name: entry["decision"] for name, entry in entries(unreviewed).items()} == {
        "customer_name": "accept",
        "customer_email": "change to restricted",
        "customer_vat_id": "reject",
        "dunning_note": "change to internal none",
    }


def test_a_column_that_went_back_to_unreviewed_is_asked_again(unreviewed: Path, classify: Classify) -> None:
    decided(unreviewed, classify)
    classify("apply")
    replace(unreviewed, INVOICE, "classification: restricted", "classification: unreviewed")
    assert "asked again: the contract says unreviewed again" in classify("recommend").output
    assert entries(unreviewed)["customer_email"]["decision"] is None


def test_what_somebody_classified_by_hand_stands(unreviewed: Path, classify: Classify) -> None:
    decided(unreviewed, classify)
    replace(unreviewed, INVOICE, "classification: unreviewed", "classification: public")
    result = classify("apply")
    assert "invoice.customer_name is public in its contract already, which stands" in result.output
    assert "classification: public" in (unreviewed / INVOICE).read_text()


def test_a_decision_on_what_has_changed_since_is_refused(unreviewed: Path, classify: Classify) -> None:
    decided(unreviewed, classify)
    replace(unreviewed, INVOICE, "Address that invoices are sent to.", "Now something else.")
    result = classify("apply")
    assert result.exit_code == 1
    assert "invoice.customer_email was not applied: its type or comment has changed" in result.stderr
    assert (
        "classification: restricted\n        customProperties:\n          - property: personalData\n            value: email"
        not in (unreviewed / INVOICE).read_text()
    )


def test_a_dry_run_shows_the_diff_and_writes_nothing(unreviewed: Path, classify: Classify) -> None:
    before = decided(unreviewed, classify)
    result = classify("apply", "--dry-run")
    assert "+        classification: confidential" in result.output
    assert (unreviewed / INVOICE).read_text() == before


def test_a_decision_that_the_mesh_cannot_have_writes_nothing(mesh: Path, classify: Classify) -> None:
    """A field inside the column is more sensitive than the decision on the whole."""
    contract = "products/ar/cash_application.odcs.yaml"
    replace(
        mesh,
        contract,
        "        classification: unreviewed  # the same as leaving it out\n",
        "        properties:\n          - name: inner\n            classification: restricted\n",
    )
    classify("recommend")
    path = mesh / "recommendations" / "ar.yaml"
    head, _, rest = path.read_text().partition("      headers:\n")
    path.write_text(f"{head}      headers:\n" + rest.replace("decision:\n", "decision: accept\n", 1))
    before = (mesh / contract).read_text()
    result = classify("apply")
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert (mesh / contract).read_text() == before


# ------------------------------------------------------------------------------------------- review and status
def test_everything_sure_enough_is_accepted_in_bulk(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    replace(unreviewed, "recommendations/ar.yaml", "confidence: 0.9", "confidence: 0.1")
    result = classify("review", "--accept-above", "0.9")
    assert result.exit_code == 0
    assert "7 decided, 1 left pending" in result.output
    found = {name: entry["decision"] for name, entry in entries(unreviewed).items()}
    assert found == {"customer_name": None} | dict.fromkeys(
        ("customer_email", "customer_vat_id", "dunning_note"), "accept"
    )


def test_without_a_terminal_there_is_no_asking(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    result = classify("review")
    assert result.exit_code == 2
    assert "--accept-above" in result.stderr


@pytest.mark.parametrize(
    ("keys", "prompts", "expected"),
    [
        ("asq", "", ["accept", None, None, None]),
        ("xrq", "\nShared mailbox\n", ["reject", None, None, None]),
        ("cq", "restricted\nTax Id\nrestricted\ntax-id\n", ["change to restricted tax-id", None, None, None]),
        ("sb", "0.985\n", [None, "accept", "accept", None]),
    ],
)
def test_a_key_decides(
    unreviewed: Path, classify: Classify, monkeypatch: pytest.MonkeyPatch, keys: str, prompts: str, expected: list
) -> None:
    classify("recommend")
    pressed = iter(keys)
    monkeypatch.setattr("typer.getchar", lambda: next(pressed))
    monkeypatch.setattr("lakemesh.cli.classify_review.on_a_terminal", lambda: True)
    result = classify("review", "--domain", "ar", input=prompts)
    assert result.exit_code == 0, result.output
    assert [entry["decision"] for entry in entries(unreviewed).values()] == expected


def test_the_status_says_how_far_the_review_is(unreviewed: Path, classify: Classify) -> None:
    first = json.loads(classify("status", "--format", "json").stdout)["domains"]
    assert {one["domain"]: one["unrecommended"] for one in first} == {"ap": 2, "ar": 6}
    decided(unreviewed, classify)
    path = unreviewed / "recommendations" / "ar.yaml"
    path.write_text(path.read_text().replace("since: ", "since: 2026-01-01 # ", 7))
    (ar,) = json.loads(classify("status", "--domain", "ar", "--format", "json").stdout)["domains"]
    assert ar.pop("oldestPendingDays") > 300
    assert ar == {
        "domain": "ar", "columns": 36, "reviewed": 30, "pending": 2, "rejected": 1, "decided": 3, "unrecommended": 0,
    }  # fmt: skip
    assert "1 rejected, 3 decided and not yet applied" in classify("status").output


# ------------------------------------------------------------------------------------------------------ the edit
STYLES = {
    "block": "c:\n  - name: a\n  - name: b\n    # about b\n\n  - name: c\n",
    "unreviewed with a comment": "c:\n  - name: a\n  - name: b\n    classification: unreviewed  # why\n  - name: c\n",
    "quoted": "c:\n  - name: a\n  - name: b\n    classification: 'unreviewed'\n    x: 1\n",
    "empty": "c:\n  - name: a\n  - name: b\n    classification:\n    customProperties:\n",
    "flow": "c:\n  - name: a\n  - {name: b, x: [1]}  # short\n  - name: c\n",
    "flow with properties": "c: [{name: a}, {name: b, customProperties: [{property: x, value: 1}]}]\n",
    "properties": "c:\n- name: a\n- name: b\n  customProperties:\n  - property: x\n    value: 1 # one\n  z: 1\n",
    "properties first": "c:\n  - name: a\n  - customProperties: []\n    name: b\n",
    "text in a block": "c:\n  - name: a\n  - name: b\n    description: |\n      one\n      two\n\n  - name: c\n",
    "no line at the end": "c:\n  - name: a\n  - name: b",
    "windows": "c:\r\n  - name: a\r\n  - name: b\r\n  - name: c\r\n",
    "umlauts and byte order mark": "\ufeff# ä€𝄞\nc:\n  - name: ä\n  - name: 𝄞 # €\n    d: ü\n  - name: c\n",
    "personal already": "c:\n  - name: a\n  - name: b\n    customProperties:\n      - {property: personalData, value: phone}\n",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", [None, "email"])
def test_a_contract_in_any_style_keeps_its_lines(style: str, kind: str | None) -> None:
    text = STYLES[style]
    after = classified(text, [Classified(("c", 1), Sensitivity.INTERNAL, kind)])
    found = read(after.encode(), own=False)
    assert found.findings == []
    entry = found.value["c"][1]
    assert entry["classification"] == "internal"
    if kind:
        personal = [one["value"] for one in entry["customProperties"] if one["property"] == "personalData"]
        assert personal == (["phone"] if style == "personal already" else ["email"])
    lost = [line for line in changes(text, after) if line.startswith("-")]
    assert len(lost) <= (2 if style == "empty" else 1), lost
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text


def test_an_alias_that_stands_for_two_columns_is_refused() -> None:
    text = "c:\n  - &one\n    name: a\n    classification: unreviewed\n  - *one\n"
    with pytest.raises(EditError, match="by hand"):
        classified(text, [Classified(("c", 1), Sensitivity.INTERNAL, None)])


@given(
    st.lists(
        st.tuples(st.sampled_from([s for s in STYLES if s not in {"flow with properties", "windows", "umlauts and byte order mark", "no line at the end", "properties"}]),
                  st.sampled_from([None, "email"])), min_size=1, max_size=5,
    )
)  # fmt: skip
def test_many_columns_at_once_are_each_what_was_decided(columns: list[tuple[str, str | None]]) -> None:
    text = "c:\n" + "".join(STYLES[style].removeprefix("c:\n") for style, _ in columns)
    starts = [sum(len(read(STYLES[s].encode()).value["c"]) for s, _ in columns[:at]) for at in range(len(columns))]
    wanted = [
        Classified(("c", start + 1), Sensitivity.RESTRICTED, kind)
        for start, (_, kind) in zip(starts, columns, strict=True)
    ]
    found = read(classified(text, wanted).encode(), own=False).value["c"]
    assert all(found[start + 1]["classification"] == "restricted" for start in starts)
