"""The generated mesh is as skewed as it says, valid, and refused with a remedy that works where it asks for too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generate import Shape, generate, merge_product_grants
from lakemesh.access.check import problems
from lakemesh.declarations.loader import load
from lakemesh.declarations.models import Declarations
from tests.declarations.meshes import TODAY

SMALL = Shape(
    domains=3, tables=60, largest_domain=30, products=55, widest_table=30, consumers=3, grants=70, largest_consumer=52
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("generated") / "mesh"
    generate(directory)
    return directory


def declared(directory: Path) -> Declarations:
    declarations, found = problems(directory, TODAY)
    assert found == ()
    assert declarations is not None
    return declarations


def test_it_is_valid_and_has_the_figures_that_the_project_promises(generated: Path) -> None:
    declarations = declared(generated)
    tables = [table for product in declarations.products.values() for table in product.tables]
    of_domain = [
        sum(len(p.tables) for p in declarations.products.values() if p.domain == d) for d in declarations.mesh.domains
    ]
    grants = [grant for entries in declarations.grants.values() for grant in entries]
    of_consumer = [sum(grant.consumer == consumer for grant in grants) for consumer in declarations.consumers]
    assert (len(of_domain), sum(of_domain), max(of_domain)) == (20, 850, 200)
    assert len(declarations.products) == 300
    assert max(len(table.columns) for table in tables) == 1500
    assert (len(of_consumer), sum(of_consumer), max(of_consumer)) == (10, 400, 120)


def test_the_same_shape_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "other"):
        generate(tmp_path / name, SMALL)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.yaml"))
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_too_many_expressions_are_refused_and_the_remedy_that_is_named_helps(tmp_path: Path) -> None:
    directory = tmp_path / "mesh"
    generate(directory, SMALL, exceed=True)
    assert load(directory, TODAY).problems == ()
    _, found = problems(directory, TODAY)
    assert [problem.rule for problem in found] == ["expressions-per-principal"]
    assert "tags: {product:" in found[0].message

    merge_product_grants(directory, "consumer00")
    assert declared(directory)
