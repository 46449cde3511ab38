"""Additions to YAML that people wrote."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.declarations.yamlfile import read
from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.yamltext import insert, render

WRITTEN = """\
# Who we are.
producers:   # three spaces
    shop:  {account: "012345678901", owner: 'quoted'}   # one line

domains:
    sales:
        sources:
          - producer: shop
            prefixes: [ "s3://a/b/" ]
          # about the last source
    dashes:
    - under
    - their: key

    # about returns
    returns: {sources: [{producer: shop}]}
consumers: {}   # none yet
last: |
    text

    more
"""


@pytest.mark.parametrize(
    ("path", "addition"),
    [
        (("producers",), {"new": {"account": "000000000001"}}),
        (("domains", "sales", "sources"), [{"producer": "other"}]),
        (("domains",), {"added": {"sources": []}}),
        (("consumers",), {"one": {"account": "000000000001"}}),
        (("domains", "dashes"), ["text"]),
        (("central",), {"account": "000000000001"}),
        (("domains", "sales"), {"title": "on"}),
    ],
)
def test_what_is_there_stays_as_it_is_byte_for_byte(path: tuple[str, ...], addition: object) -> None:
    after = insert(WRITTEN, path, addition)
    remaining = iter(after.splitlines())
    for line in WRITTEN.splitlines():
        wanted = line.replace(" {}", "") if path == ("consumers",) and line.startswith("consumers") else line
        assert wanted in remaining, f"{line!r} was changed"
    assert read(after.encode()).findings == []


def test_a_comment_on_the_last_item_stays_with_it() -> None:
    after = insert(WRITTEN, ("domains", "sales", "sources"), [{"producer": "other"}]).splitlines()
    assert after.index("          # about the last source") < after.index("          - producer: other")


def test_a_list_in_one_line_goes_through_ruamel_with_its_comments() -> None:
    after = insert(WRITTEN, ("domains", "returns", "sources"), [{"producer": "other"}])
    assert "# about returns" in after
    assert "# three spaces" in after
    assert read(after.encode()).value["domains"]["returns"]["sources"] == [{"producer": "shop"}, {"producer": "other"}]


def test_windows_line_ends_stay() -> None:
    after = insert("a:\r\n  b: 1\r\n", ("a",), {"c": 2})
    assert after == "a:\r\n  b: 1\r\n  c: 2\r\n"


def test_a_key_that_is_there_is_never_replaced() -> None:
    with pytest.raises(OnboardError, match="there already"):
        insert(WRITTEN, ("producers",), {"shop": {}})


def test_a_file_that_is_no_yaml_is_left_alone() -> None:
    with pytest.raises(OnboardError):
        insert("a: [", ("a",), {"b": 1})


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), min_size=1, max_size=3))
def test_whatever_text_is_written_is_read_again_by_both_yamls(value: dict[str, str]) -> None:
    try:
        text = render({"a": value})
    except yaml.YAMLError:
        return
    assert read(text.encode()).value == {"a": value}


@pytest.mark.parametrize(
    "text", ["yes", "on", "012345678901", "2026-01-05", "1e3", "0x1f", "12:30:45", "null", "=", "~"]
)
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert yaml.safe_load(render({"a": text})) == {"a": text}
    assert read(render({"a": text}).encode()).findings == []
