"""Whatever a file holds, reading it ends in values or in problems that point into it, never in a crash."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lakemesh.declarations.loader import Loaded
from lakemesh.declarations.models import Consumer, Grants, Mesh, Tags
from lakemesh.declarations.yamlfile import read
from tests.declarations.meshes import GOOD, ORDERS, check, copy

FILES = ("mesh.yaml", "tags.yaml", "grants/sales.yaml", "consumers/bi.yaml", ORDERS)
FEW = settings(max_examples=40)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.dates(),
    st.datetimes(),
    st.sampled_from(["public", "unreviewed", "orders", "bi", "012345678904", "s3://acme-shop/orders/", "read"]),
)


def known_keys() -> list[str]:
    names = {"schema", "properties", "customProperties", "property", "value", "servers", "items", "map"}
    for model in (Mesh, Tags, Grants, Consumer):
        names |= set(model.model_json_schema()["properties"])
        for inner in model.model_json_schema().get("$defs", {}).values():
            names |= set(inner.get("properties", {}))
    return sorted(names)


keys = st.one_of(st.sampled_from(known_keys()), st.text(max_size=6))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=20,
)


def point_into_their_files(loaded: Loaded, mesh: Path) -> None:
    for problem in loaded.problems:
        path = mesh.parent / problem.file
        if path.is_file():
            # Lines as YAML counts them: NEL, LS and PS break lines too.
            text = path.read_bytes().decode("utf-8-sig", errors="replace")
            lines = len(text.splitlines()) + 1
            assert 1 <= problem.line <= lines, problem
            assert problem.column >= 1, problem
        assert problem.message.strip(), problem
        assert problem.rule, problem
        assert str(problem).replace("\n", "").isprintable(), "a terminal must not act on what a file says"


def laid_over(file: str, content: bytes) -> None:
    with TemporaryDirectory() as directory:
        mesh = copy(Path(directory))
        (mesh / file).write_bytes(content)
        point_into_their_files(check(mesh), mesh)


@FEW
@given(file=st.sampled_from(FILES), value=values)
def test_any_yaml_in_any_file_is_read_or_refused(file: str, value: Any) -> None:
    laid_over(file, yaml.safe_dump(value, allow_unicode=True).encode())


@FEW
@given(file=st.sampled_from(FILES), content=st.binary(max_size=200))
def test_any_bytes_in_any_file_are_read_or_refused(file: str, content: bytes) -> None:
    laid_over(file, content)


@FEW
@given(file=st.sampled_from(FILES), data=st.data())
def test_a_good_file_with_a_piece_cut_out_is_read_or_refused(file: str, data: st.DataObject) -> None:
    text = (GOOD / file).read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    insert = data.draw(
        st.sampled_from(["", "\n", " ", "\t", ":", "- ", "&a", "*a", "<<: ", "[", "{", "'", "yes", "null", "0"])
    )
    laid_over(file, (text[:start] + insert + text[end:]).encode())


@FEW
@given(file=st.sampled_from(FILES), data=st.data())
def test_a_good_file_with_one_value_replaced_is_read_or_refused(file: str, data: st.DataObject) -> None:
    value = yaml.safe_load((GOOD / file).read_text(encoding="utf-8"))
    path = data.draw(st.sampled_from(list(paths(value))))
    at = value
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = data.draw(values)
    laid_over(file, yaml.safe_dump(value, allow_unicode=True).encode())


def paths(value: Any, prefix: tuple = ()) -> list[tuple]:
    found: list[tuple] = [prefix] if prefix else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found += paths(inner, (*prefix, key))
    return found


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text(max_size=10), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4)
    ),
    max_leaves=25,
)


@FEW
@given(value=plain)
def test_values_are_what_any_yaml_reader_reads(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=False)
    document = read(text.encode(), own=False)
    assert document.findings == []
    assert document.value == value


@FEW
@given(value=plain)
def test_every_value_has_a_place_inside_its_file(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    document = read(text.encode(), own=False)
    for path in paths(value):
        line, column = document.place(path)
        assert 1 <= line <= len(text.splitlines()) + 1
        assert column >= 1


def test_a_place_is_that_of_the_key_or_of_the_list_item() -> None:
    document = read(b"a:\n  - x: 1\n    y: [2,  3]\n")
    assert document.place(("a",)) == (1, 1)
    assert document.place(("a", 0)) == (2, 5)
    assert document.place(("a", 0, "y")) == (3, 5)
    assert document.place(("a", 0, "y", 1)) == (3, 13)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-09", dt.date(2026, 3, 9)),
        ("2026-03-09T10:00:00Z", "2026-03-09T10:00:00Z"),
        ("0o17", "0o17"),
        ("017", 15),
        ("1_000", 1000),
        ("~", None),
        ("=", "="),
        ("'2026-03-09'", "2026-03-09"),
        ("!!str 5", "5"),
    ],
)
def test_scalars_are_read_as_yaml_1_1_reads_them(text: str, value: object) -> None:
    document = read(f"a: {text}".encode(), own=False)
    assert document.findings == []
    assert document.value == {"a": value}


@pytest.mark.parametrize("text", ["1" * 5000, "2026-13-01", "2026-02-30T00:00:00Z", "!!int x", "!!bool x", "!!float x"])
def test_what_only_looks_like_a_number_or_a_date_is_refused(text: str) -> None:
    assert [finding.rule for finding in read(f"a: {text}".encode()).findings] == ["yaml-scalar"]


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    assert [finding.rule for finding in read(b"a" * 8_000_001).findings] == ["file-too-large"]


def test_aliases_cannot_nest_what_no_file_could() -> None:
    deep = "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60 + "\n"
    assert [finding.rule for finding in read(deep.encode()).findings] == ["too-deep"]
