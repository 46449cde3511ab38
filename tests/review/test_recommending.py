"""What is recommended, that it is the same again, and that what people decided holds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.classification import column as recogniser
from lakemesh.declarations.loader import load
from lakemesh.declarations.recommendations import Basis, Recommendations
from lakemesh.review.recommend import recommend
from lakemesh.review.text import scalar, text_of
from tests.review.conftest import INVOICE, TABLE, Classify, decide, entries, replace

TODAY = dt.date(2026, 11, 25)


def test_every_unreviewed_column_gets_a_recommendation_and_no_other(unreviewed: Path, classify: Classify) -> None:
    assert classify("recommend").exit_code == 0
    found = entries(unreviewed)
    assert list(found) == ["customer_name", "customer_email", "customer_vat_id", "dunning_note"]
    email = found["customer_email"]
    assert (email["sensitivity"], email["kind"], email["sensitive"]) == ("confidential", "email", True)
    assert email["confidence"] > 0.9
    assert email["decision"] is None
    assert load(unreviewed).problems == ()


def test_the_same_mesh_gives_the_same_file(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    before = (unreviewed / "recommendations" / "ar.yaml").read_text()
    result = classify("recommend")
    assert "Nothing to write" in result.output
    assert (unreviewed / "recommendations" / "ar.yaml").read_text() == before


def test_one_domain_alone(unreviewed: Path, classify: Classify) -> None:
    assert classify("recommend", "--domain", "ar").exit_code == 0
    assert [path.name for path in (unreviewed / "recommendations").iterdir()] == ["ar.yaml"]
    assert classify("recommend", "--domain", "arr").exit_code == 2


def test_a_decision_is_never_overwritten(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    decide(unreviewed, "customer_email", "change to restricted", "They are private addresses.")
    before = (unreviewed / "recommendations" / "ar.yaml").read_text()
    replace(unreviewed, INVOICE, "Address that invoices are sent to.", "Something else altogether.")
    classify("recommend")
    assert (unreviewed / "recommendations" / "ar.yaml").read_text() == before


def test_the_day_since_which_a_column_waits_stays(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    path = unreviewed / "recommendations" / "ar.yaml"
    path.write_text(path.read_text().replace(f"since: {dt.datetime.now(dt.UTC).date()}", "since: 2026-01-01"))
    classify("recommend")
    assert {str(entry["since"]) for entry in entries(unreviewed).values()} == {"2026-01-01"}


def test_a_rejection_holds_while_the_column_is_the_same(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    decide(unreviewed, "customer_email", "reject", "A shared mailbox.")
    replace(unreviewed, INVOICE, "Address that invoices are sent to.", "address that invoices are sent to")
    assert "asked again" not in classify("recommend").output
    assert entries(unreviewed)["customer_email"]["decision"] == "reject"


def test_a_rejection_is_asked_again_when_the_comment_changes(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    decide(unreviewed, "customer_email", "reject", "A shared mailbox.")
    replace(unreviewed, INVOICE, "Address that invoices are sent to.", "Private address of the buyer.")
    result = classify("recommend")
    assert "invoice.customer_email is asked again: its type or comment has changed" in result.output
    entry = entries(unreviewed)["customer_email"]
    assert entry["decision"] is None
    assert entry["earlier"] == "reject: A shared mailbox. (its type or comment has changed)"


@pytest.mark.parametrize(("version", "again"), [("1.9.0", False), ("2.0.0", True)])
def test_a_rejection_is_asked_again_by_a_new_major_version_alone(
    unreviewed: Path, classify: Classify, version: str, again: bool
) -> None:
    classify("recommend")
    path = unreviewed / "recommendations" / "ar.yaml"
    decide(unreviewed, "customer_email", "reject", "A shared mailbox.")
    path.write_text(path.read_text().replace(f"recogniser: {recogniser.VERSION}", f"recogniser: {version}"))
    assert recogniser.VERSION.startswith("1.")
    classify("recommend")
    assert (entries(unreviewed)["customer_email"]["decision"] is None) is again


def test_a_column_that_somebody_classified_by_hand_waits_no_longer(unreviewed: Path, classify: Classify) -> None:
    classify("recommend")
    replace(unreviewed, INVOICE, "classification: unreviewed", "classification: internal")
    classify("recommend")
    assert "customer_name" not in entries(unreviewed)


def test_a_mesh_that_is_not_valid_gets_no_recommendations(unreviewed: Path, classify: Classify) -> None:
    replace(unreviewed, "mesh.yaml", "region:", "regoin:")
    result = classify("recommend")
    assert result.exit_code == 1
    assert "regoin" in result.stderr
    assert not (unreviewed / "recommendations").exists()


def test_company_rules_apply(unreviewed: Path, classify: Classify, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("suppressions:\n  - {names: [customer_email], reason: Mailboxes of machines}\n")
    classify("recommend", "--rules", str(rules))
    assert entries(unreviewed)["customer_email"]["sensitive"] is False


# --------------------------------------------------------------------------------------------------- with samples
def sampled(mesh: Path, before: Recommendations, values: dict[str, list[object]]) -> Recommendations:
    samples = {("ar_invoice", TABLE): values} if values else {}
    return recommend(load_mesh(mesh), "ar", before, TODAY, samples=samples).after


def note(recommendations: Recommendations) -> object:
    return recommendations.products["ar_invoice"][TABLE]["dunning_note"]


def test_what_a_scan_saw_outweighs_metadata_until_the_column_changes(unreviewed: Path) -> None:
    scanned = sampled(unreviewed, Recommendations(), {"dunning_note": ["A", "B", "B", "A"] * 5})
    assert note(scanned).basis is Basis.SAMPLES
    assert sampled(unreviewed, scanned, {}) == scanned
    replace(
        unreviewed,
        INVOICE,
        "name: dunning_note\n        logicalType: string\n        physicalType: string",
        "name: dunning_note\n        logicalType: string\n        physicalType: binary",
    )
    assert note(sampled(unreviewed, scanned, {})).basis is Basis.METADATA


def test_a_rejection_holds_while_values_look_the_same_and_no_longer(unreviewed: Path) -> None:
    def rejected(found: Recommendations) -> Recommendations:
        entry = note(found).model_copy(update={"decision": "reject", "reason": "x"})
        return Recommendations(products={"ar_invoice": {TABLE: {"dunning_note": entry}}})

    addresses = [f"user{number}@post.example" for number in range(20)]
    others = [f"other{number}@mail.example" for number in range(20)]
    before = rejected(sampled(unreviewed, Recommendations(), {"dunning_note": addresses}))
    assert note(sampled(unreviewed, before, {"dunning_note": others})).rejected
    again = note(sampled(unreviewed, before, {"dunning_note": list(range(20))}))
    assert again.pending
    assert "its values look different" in again.earlier


# ------------------------------------------------------------------------------------------------------- the file
@pytest.mark.parametrize("text", ["on", "No", "1e5", "5d41402abc4b2a76", "1234567890123456", "null", "a: b", "x #y",
                                  "- z", "{a}", "'q'", '"', "a\u2028b", "tab\there", "\u202eabc", "1_000", "12:30", "é"])  # fmt: skip
def test_text_is_read_as_it_was_written(text: str) -> None:
    from ruamel.yaml import YAML

    from lakemesh.declarations.yamlfile import read

    line = f"key: {scalar(text)}\n{scalar(text)}: 1\n"
    found = read(line.encode())
    assert (found.value, found.findings) == ({"key": text, text: 1}, [])
    assert YAML(typ="safe").load(line) == {"key": text, text: 1}


def test_a_domain_without_pending_columns_has_an_empty_file_only_if_it_had_one(mesh: Path, classify: Classify) -> None:
    for path in mesh.rglob("*.odcs.yaml"):
        path.write_text("\n".join(reviewed(path.read_text().splitlines())) + "\n")
    file = mesh / "recommendations" / "ar.yaml"
    classify("recommend")
    assert not file.exists()
    file.parent.mkdir()
    file.write_text("products: {}\n")
    classify("recommend")
    assert file.read_text() == text_of("ar", Recommendations())


def reviewed(lines: list[str]) -> list[str]:
    """The lines of a contract in which nothing is left to review."""
    without = [line for line in lines if "classification: unreviewed" not in line]
    return [
        text
        for line in without
        if not line.startswith("        classification:")
        for text in ([line, "        classification: internal"] if line.startswith("      - name:") else [line])
    ]
