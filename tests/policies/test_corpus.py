"""Every program of the corpus is refused by the one rule that it breaks, and compliant programs by none."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.policies.baseline import PROGRAMS
from tests.policies.cases import CASES
from tests.policies.corpus import BAD, PACK, bad, case, good
from tests.policies.record import RULES, Pack, violations

LEAST = 60
CITED = 20


@pytest.mark.parametrize("name", BAD)
def test_a_bad_program_is_refused_by_exactly_the_rule_that_it_breaks(name: str) -> None:
    program = bad(name)

    found = Pack(program.config).judge(program.resources)

    assert set(violations(found)) == {(program.rule, program.resource)}
    assert not [each for each in found if each.kind == "unknown"]


@pytest.mark.parametrize("name", BAD)
def test_a_preview_of_a_bad_program_says_nothing_else(name: str) -> None:
    """What is not known yet is not held against the program; what is known is refused as it will be by the update."""
    program = bad(name, preview=True)

    found = Pack(program.config).judge(program.resources)

    assert set(violations(found)) <= {(program.rule, program.resource)}
    assert violations(found) or [each for each in found if (each.kind, each.rule) == ("unknown", program.rule)]


@pytest.mark.parametrize("name", BAD)
def test_messages_are_sentences_that_name_the_resource(name: str) -> None:
    program = bad(name)

    for finding in Pack(program.config).judge(program.resources):
        if finding.kind == "violation":
            about_the_pack = finding.resource == "lakemesh-test"
            assert about_the_pack or f'"{finding.resource}"' in finding.message
            assert re.match(r"^[A-Z].*\.$", finding.message, re.DOTALL), finding.message
            assert "  " not in finding.message
            assert "frozenset" not in finding.message


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_compliant_program_is_refused_by_no_rule(name: str, preview: bool) -> None:
    found = PACK.judge(good(name, preview=preview))

    assert violations(found) == []
    assert preview or [each for each in found if each.kind != "violation"] == []


@pytest.mark.parametrize("name", sorted(CASES))
def test_one_changed_field_changes_exactly_what_is_expected(name: str) -> None:
    found, expected = case(name).judged(), CASES[name].expected

    assert set(violations(found)) == expected


def test_every_rule_has_a_program_that_breaks_it() -> None:
    broken = {bad(name).rule for name in BAD}

    assert {rule.name for rule in RULES} == broken
    assert len(BAD) >= LEAST


def test_enough_of_the_corpus_reproduces_what_happened_to_others() -> None:
    references = Counter(bad(name).reference for name in BAD)
    references.pop("")
    for manual in [each for each in references if each.startswith("https://docs.aws.amazon.com/")]:
        del references[manual]  # a rule that is written down, and nobody whom it happened to

    assert sum(references.values()) >= CITED
    assert all(each.startswith("https://") for each in references)


def test_documentation_of_each_program_is_one_or_two_sentences() -> None:
    import importlib

    for name in BAD:
        doc = importlib.import_module(f"tests.policies.bad.{name}").__doc__
        assert doc
        assert doc.endswith(".")


def test_messages_are_as_they_were_reviewed(snapshot: SnapshotAssertion) -> None:
    """Messages are what people read of all this: a change of one is seen here."""
    said = {name: bad(name) for name in BAD}
    messages = {name: Pack(each.config).judge(each.resources) for name, each in said.items()}
    messages |= {name: case(name).judged() for name in CASES}

    assert {
        name: sorted({each.message for each in found if each.kind == "violation" or "Waived" in each.message})
        for name, found in sorted(messages.items())
    } == snapshot(extension_class=JSONSnapshotExtension)
