"""The page about classification says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from lakemesh.classification import MEANINGS, Kind
from lakemesh.classification.rules_file import rules_of
from lakemesh.classification.safe_regex import MAX_WAYS
from lakemesh.classification.values import MAX_LENGTH, MAX_SAMPLES

PAGE = (Path(__file__).parents[2] / "docs/classification.md").read_text(encoding="utf-8")


def test_the_published_taxonomy_is_the_codes() -> None:
    table = PAGE.partition("<!-- taxonomy: begin -->")[2].partition("<!-- taxonomy: end -->")[0]
    rows = [tuple(cell.strip(" `") for cell in line.split("|")[1:-1]) for line in table.strip().splitlines()[2:]]
    assert rows == [
        (kind.value, meaning.label, meaning.category, meaning.rule, meaning.sensitivity)
        for kind, meaning in MEANINGS.items()
    ]
    assert len(rows) == len(Kind)


def test_the_example_of_company_rules_is_valid() -> None:
    example = re.search(r"## Company rules\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    assert "loyalty-number" in rules_of(example.group(1).encode(), "rules.yaml").file.kinds


def test_the_limits_are_the_codes() -> None:
    assert f"at most {MAX_SAMPLES} values, the first {MAX_LENGTH} characters" in PAGE
    assert f"more than {MAX_WAYS:,} ways" in PAGE
