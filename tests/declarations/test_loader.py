"""A mesh directory as declarations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakemesh.declarations import loader
from lakemesh.declarations.loader import load
from lakemesh.declarations.models import Sensitivity
from tests.declarations.meshes import GOOD, ORDERS, SAMPLE, check, copy, edit, rules


@pytest.mark.parametrize("mesh", [GOOD, SAMPLE], ids=["good", "sample"])
def test_a_good_mesh_has_no_problems(mesh: Path) -> None:
    loaded = check(mesh)
    assert loaded.problems == ()
    assert loaded.declarations is not None


def test_account_ids_keep_their_leading_zeros() -> None:
    declarations = check(GOOD).declarations
    assert declarations is not None
    assert declarations.mesh.central.account == "012345678901"


def test_the_ontology_holds_the_built_in_keys_and_the_meshs_own() -> None:
    declarations = check(GOOD).declarations
    assert declarations is not None
    assert {key: tag.values for key, tag in declarations.tags.items()} == {
        "domain": ("people", "sales"),
        "product": ("orders", "staff"),
        "sensitivity": ("public", "internal", "confidential", "restricted", "unreviewed"),
        "layer": ("raw", "curated"),
        "topic": ("orders", "staff"),
    }


def test_a_table_has_the_tags_of_its_product_and_its_own_above_them(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    own = "    customProperties:\n      - property: lfTags\n        value: {topic: staff, layer: curated}\n"
    edit(mesh, ORDERS, "  - name: order_totals\n", f"  - name: order_totals\n{own}")
    declarations = check(mesh).declarations
    assert declarations is not None
    line, totals = declarations.products["orders"].tables
    assert line.tags == {"topic": "orders"}
    assert totals.tags == {"topic": "staff", "layer": "curated"}


def test_a_mesh_that_grants_nothing_yet_is_valid(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    for path in (mesh / "grants").iterdir():
        path.write_text("# nothing granted yet\n", encoding="utf-8")
    for name in ("bi", "ops"):
        path = mesh / "consumers" / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").split("assignments:")[0], encoding="utf-8")
    assert check(mesh).problems == ()


def test_a_mesh_of_accounts_alone_is_valid(tmp_path: Path) -> None:
    mesh = tmp_path / "mesh"
    mesh.mkdir()
    text = 'organization: {id: o-zzzz000011}\nregion: eu-west-3\ncentral: {account: "000000000001"}\n'
    (mesh / "mesh.yaml").write_text(text, encoding="utf-8")
    loaded = check(mesh)
    assert loaded.problems == ()
    assert loaded.declarations is not None
    assert set(loaded.declarations.tags) == {"sensitivity"}


def test_files_that_declare_nothing_are_left_alone(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    for name in ("README.md", "expected.yaml", ".gitkeep", "products/README.md", "grants/.DS_Store", "CODEOWNERS"):
        (mesh / name).write_text("not: [a declaration", encoding="utf-8")
    assert check(mesh).problems == ()


def test_a_directory_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    assert rules(check(tmp_path / "nowhere")) == ["no-mesh"]


def test_the_mesh_directory_may_have_any_name_and_be_named_relatively(tmp_path: Path) -> None:
    mesh = copy(tmp_path).rename(tmp_path / "finance")
    edit(mesh, "grants/sales.yaml", "to: bi\n", "to: bii\n")
    assert [problem.file for problem in check(mesh).problems] == ["finance/grants/sales.yaml"]
    here = Path.cwd()
    os.chdir(mesh)
    try:
        assert [problem.file for problem in load(Path()).problems] == ["finance/grants/sales.yaml"]
    finally:
        os.chdir(here)


def test_without_a_day_no_approval_is_too_early(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, "grants/people.yaml", "2026-02-03", "2999-02-03")
    assert load(mesh).problems == ()
    assert rules(check(mesh)) == ["grant-dates"]


def test_an_expired_grant_no_longer_binds_a_partition_key(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(
        mesh,
        ORDERS,
        "partitionKeyPosition: 1\n        classification: internal",
        "partitionKeyPosition: 1\n        classification: confidential",
    )
    assert rules(check(mesh)) == ["sensitive-partition-key"]
    edit(mesh, "grants/sales.yaml", "    ticket: T-1\n", "    ticket: T-1\n    expires: 2026-05-01\n")
    assert rules(check(mesh)) == []


def test_a_grant_by_tag_binds_the_partition_keys_of_the_tables_it_reaches(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(
        mesh,
        "grants/sales.yaml",
        "    product: orders\n    to: bi\n    access: read\n    sensitivity: [public, internal]",
        "    tags: {topic: [orders]}\n    to: bi\n    access: read\n    sensitivity: [public]",
    )
    assert rules(check(mesh)) == ["sensitive-partition-key"]


def test_two_sources_of_one_name_are_told_apart_by_an_explicit_twin(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, "mesh.yaml", "        database: staff\n", "        database: orders\n        twin: hr_orders\n")
    edit(mesh, "products/people/staff.odcs.yaml", "database: staff", "database: orders")
    loaded = check(mesh)
    assert loaded.problems == ()
    assert loaded.declarations is not None
    (employee,) = loaded.declarations.products["staff"].tables
    assert (employee.database, employee.twin) == ("orders", "hr_orders")


def test_a_grant_of_before_the_deprecation_stays(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "status: active", "status: deprecated")
    edit(
        mesh, ORDERS, "customProperties:\n", "customProperties:\n  - property: deprecatedSince\n    value: 2026-03-01\n"
    )
    assert check(mesh).problems == ()


def test_a_place_that_is_not_written_out_is_the_nearest_around_it() -> None:
    places = check(GOOD).places
    grant = places.of("good/grants/sales.yaml", "grants", 1)
    assert places.of("good/grants/sales.yaml", "grants", 1, "columns") == grant
    assert places.of("good/grants/sales.yaml", "grants", 99).line == 1
    assert places.of("good/no-such-file.yaml", "x").line == 1


def test_grants_tables_and_columns_have_places() -> None:
    places = check(GOOD).places
    grant = places.in_grant("rule", "text", "sales", "orders-support", "expires")
    assert (grant.file, grant.line, grant.path) == ("good/grants/sales.yaml", 22, "grants[1].expires")
    column = places.in_column("rule", "text", "orders", "orders.order_line", "day", "classification")
    assert (column.line, column.path) == (36, "schema[0].properties[3].classification")
    table = places.in_table("rule", "text", "orders", "orders.order_totals")
    assert (table.line, table.path) == (37, "schema[1]")


def test_sensitivities_are_ordered() -> None:
    assert [value.rank for value in Sensitivity] == [0, 1, 2, 3]


def test_what_a_file_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, "grants/sales.yaml", "    ticket: T-1\n", '    ticket: T-1\n    "\\e[2J\\r": x\n')
    (problem,) = check(mesh).problems
    assert "\x1b" in problem.message
    assert r"\x1b[2J\r" in str(problem)
    assert str(problem).isprintable()


def test_a_file_whose_name_is_not_utf_8_is_told_of(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    (mesh / os.fsdecode(b"grants/caf\xe9.yml")).write_text("grants: []\n", encoding="utf-8")
    (problem,) = check(mesh).problems
    assert problem.rule == "unknown-file"
    str(problem).encode("utf-8")


def test_the_pages_of_onboarding_declare_nothing(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    (mesh / "onboarding").mkdir()
    (mesh / "onboarding/shop.md").write_text("# Grants found\n", encoding="utf-8")
    assert check(mesh).problems == ()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("consumers/bi.yaml", "principals:", "principals: # a comment"),
        ("grants/sales.yaml", "purpose: ", "purpose: Other. "),
        ("mesh.yaml", "prefixes:", "prefixs:"),
        ("mesh.yaml", "name: ", "name: other-"),
        (ORDERS, "classification: internal", "classification: secret"),
    ],
)
def test_what_is_read_with_a_memory_is_what_is_read_without(tmp_path: Path, file: str, old: str, new: str) -> None:
    """Before an edit, after it, and after it was taken back: problems, places and declarations alike."""
    mesh, memory = copy(tmp_path), loader.Memory()
    text = (mesh / file).read_text()
    for content in (text, text.replace(old, new, 1), text):
        (mesh / file).write_text(content)
        remembered, fresh = loader.load(mesh, memory=memory), loader.load(mesh)
        assert (remembered.declarations, remembered.problems) == (fresh.declarations, fresh.problems)
        assert remembered.places.parts == fresh.places.parts


def test_a_memory_parses_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, memory = copy(tmp_path), loader.Memory()
    loader.load(mesh, memory=memory)
    parsed = []
    read = loader.read
    monkeypatch.setattr(loader, "read", lambda content, own: (parsed.append(content), read(content, own=own))[1])
    grants = mesh / "grants" / "sales.yaml"
    grants.write_text(grants.read_text() + "\n")
    loader.load(mesh, memory=memory)
    assert parsed == [grants.read_bytes()]
