"""Company rules: what they change, and how their mistakes are told."""

from __future__ import annotations

import time

import pytest

from lakemesh.classification import Column, Sensitivity, Verdict, classify_table
from lakemesh.classification.rules_file import rules_of
from lakemesh.classification.safe_regex import MAX_WAYS, UnsafePatternError, compile_safe
from lakemesh.classification.values import MAX_LENGTH
from lakemesh.declarations.errors import InvalidMeshError

GOOD = b"""
kinds:
  loyalty-number: {description: Number on the bonus card, sensitivity: confidential}
  cost-object: {description: Where costs are booked, sensitivity: public, sensitive: false}
names:
  - {names: [bonus_no, "*_lty"], kind: loyalty-number}
  - {names: [psp_element], tables: ["co_*"], kind: cost-object}
patterns:
  - {pattern: "LM-[0-9]{8}", kind: loyalty-number, prevalence: 0.5}
values:
  - {values: [gold, silver, bronze], kind: loyalty-number}
suppressions:
  - {names: ["*email*"], tables: [config_*], reason: Mailboxes of machines}
sensitivity:
  email: restricted
  url: public
"""


def judged(name: str, table: str = "t", samples: list[object] | None = None) -> Verdict:
    return classify_table(table, [Column(name, samples=samples)], rules_of(GOOD, "rules.yaml"))[0]


def mistakes(text: bytes) -> str:
    with pytest.raises(InvalidMeshError) as raised:
        rules_of(text, "rules.yaml")
    return str(raised.value)


def test_a_companys_own_names_mean_its_own_kinds() -> None:
    found = judged("BONUS_NO")
    assert (found.kind, found.sensitive, found.sensitivity) == ("loyalty-number", True, Sensitivity.CONFIDENTIAL)
    assert judged("old_lty").kind == "loyalty-number"


def test_a_name_rule_holds_for_its_tables_only() -> None:
    assert judged("psp_element", "co_items").kind == "cost-object"
    assert not judged("psp_element", "co_items").sensitive
    assert judged("psp_element", "other").kind != "cost-object"


def test_a_pattern_needs_its_prevalence() -> None:
    assert judged("x", samples=["LM-12345678", "LM-87654321", "none"]).kind == "loyalty-number"
    assert judged("x", samples=["LM-12345678", "a", "b", "c"]).kind != "loyalty-number"


def test_a_list_of_values_is_a_kind() -> None:
    assert judged("tier", samples=["Gold", "silver", "BRONZE"]).kind == "loyalty-number"


def test_a_suppression_wins_over_everything_and_says_why() -> None:
    found = judged("alert_email", "config_jobs", ["ops@post.example"])
    assert not found.sensitive
    assert "Mailboxes of machines" in found.evidence[0]
    assert judged("alert_email", "customers").sensitive


def test_the_sensitivity_of_a_kind_is_the_companys_to_say() -> None:
    assert judged("email").sensitivity is Sensitivity.RESTRICTED
    assert judged("website", samples=["https://shop.example/a"]).sensitivity is Sensitivity.PUBLIC


def test_an_empty_file_changes_nothing() -> None:
    assert classify_table("t", [Column("email")], rules_of(b"# nothing yet\n", "rules.yaml")) == classify_table(
        "t", [Column("email")]
    )


def test_every_mistake_is_told_with_its_place_and_mend() -> None:
    said = mistakes(
        b"names:\n  - {names: [a], kind: emial}\npatterns:\n  - {pattern: '(a+)+b', kind: email}\nkinds:\n"
        b"  email: {description: mine, sensitivity: public}\n"
    )
    assert 'rules.yaml:2:18  names[0].kind: There is no kind "emial". Did you mean "email"?' in said
    assert "rules.yaml:4:6  patterns[0].pattern: This pattern could take too long" in said
    assert "kinds.email" in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"nmaes: []\n", 'Did you mean "names"?'),
        (b"names: [{names: [], kind: email}]\n", "names[0].names"),
        (b"sensitivity: {email: secret}\n", "sensitivity.email"),
        (b"names:\n- kind: email\n  kind: phone\n  names: [a]\n", "twice"),
        (b"- a\n", "mapping"),
        (b"\xff\xfe", "UTF-8"),
        (b"patterns: [{pattern: '(', kind: email}]\n", "not a regular expression"),
        (b"kinds: {Loud Kind: {description: a, sensitivity: public}}\n", "kinds"),
    ],
)
def test_a_wrong_file_is_refused(text: bytes, told: str) -> None:
    assert told in mistakes(text)


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a|a)*b", r"(\w+\s?)*$", "a*a*a*b", "(a|b|ab){30}", r"(x)\1", "(?=a)b", "(a{1,50}){1,50}", "((a?){20}){9}"]
)  # fmt: skip
def test_patterns_that_could_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(UnsafePatternError):
        compile_safe(pattern)


@pytest.mark.parametrize(
    "pattern", ["LM-[0-9]{8}", r"[A-Z]{2}\d{4,12}", r"\d+-\d{2}", "(?:AB|CD)[0-9]{6}[A-Z]?", r"(?i)emp\d+"]
)
def test_ordinary_patterns_are_accepted(pattern: str) -> None:
    assert compile_safe(pattern).pattern == pattern


def test_the_slowest_accepted_pattern_is_fast_on_the_worst_value() -> None:
    pattern = compile_safe(r"a{0,128}a{0,128}b")
    assert MAX_WAYS > 128 * 128
    # The processor's time, not the clock's, and far above what it takes: a runaway pattern needs hours, not a busy machine.
    start = time.process_time()
    assert pattern.fullmatch("a" * MAX_LENGTH) is None
    assert time.process_time() - start < 20
