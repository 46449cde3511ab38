"""Checks that need the expansion: each refuses with a place and a remedy, and the remedy works."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
import yaml

from lakemesh.access import check
from lakemesh.access.check import expression_bytes, load_mesh, problems
from lakemesh.access.state import expression
from lakemesh.declarations.errors import InvalidMeshError, Problem

SAMPLE = Path(__file__).parents[2] / "mesh"
TODAY = dt.date(2026, 11, 1)


@pytest.fixture
def directory(tmp_path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "mesh"))


def edit(path: Path, change) -> None:
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def grant(id_: str, **values) -> dict:
    return {
        "id": id_,
        "purpose": "To see what happens.",
        "requestedBy": "mara.lindner@acme.example",
        "approvedBy": "nadia.berger@acme.example",
        "approvedAt": dt.date(2026, 3, 9),
        "ticket": "T-1",
        **values,
    }


def add_grant(directory: Path, domain: str, *grants: dict) -> None:
    edit(directory / "grants" / f"{domain}.yaml", lambda document: document["grants"].extend(grants))


def quota(directory: Path, **values: int) -> None:
    edit(directory / "mesh.yaml", lambda document: document.update(quotas=values))


def found(directory: Path, rule: str) -> Problem:
    (problem,) = problems(directory, TODAY)[1]
    assert problem.rule == rule, str(problem)
    return problem


def test_the_sample_has_nothing_wrong(directory):
    assert load_mesh(directory, TODAY).mesh.name == "lakemesh"


def test_a_mesh_that_cannot_be_read_is_reported_and_nothing_is_returned(directory):
    (directory / "mesh.yaml").write_text("central: [")
    declarations, found_ = problems(directory, TODAY)
    assert declarations is None
    assert found_
    with pytest.raises(InvalidMeshError):
        load_mesh(directory, TODAY)


def test_discover_beside_read_is_refused_for_one_principal(directory):
    add_grant(directory, "ar", grant("g", product="ar_invoice", to="finance-analytics/controller", access="discover"))
    problem = found(directory, "discover-beside-read")
    assert (problem.file, problem.path) == ("mesh/grants/ar.yaml", "grants[7]")
    assert '"ar-invoice-confidential-controller" lets it read' in problem.message


def test_discover_beside_read_is_refused_for_the_account_of_both(directory):
    add_grant(directory, "ar", grant("g", product="ar_invoice", to="finance-analytics", access="discover"))
    assert "444455556666 discover ar_curated.invoice" in found(directory, "discover-beside-read").message


def test_discover_for_one_principal_and_read_for_another_is_fine(directory):
    add_grant(directory, "ar", grant("g", product="ar_invoice", to="finance-analytics/intern", access="discover"))
    assert load_mesh(directory, TODAY)


def test_an_expression_of_too_many_bytes_is_refused(directory):
    quota(directory, expressionBytes=100)
    _, found_ = problems(directory, TODAY)
    assert {problem.rule for problem in found_} == {"expression-bytes"}
    assert "takes at most 100" in found_[0].message


def test_an_expression_of_too_many_values_is_refused(directory):
    quota(directory, valuesPerExpression=2)
    messages = [problem.message for problem in problems(directory, TODAY)[1] if problem.rule == "expression-values"]
    assert any('"ap-vendor-contacts-payments" names 3 values of "sensitivity"' in message for message in messages)


def test_the_size_of_an_expression_is_that_of_its_api_form():
    """A lower bound that AWS documents nowhere more exactly: the JSON that the API carries."""
    assert expression_bytes(expression({"a": ["ü", "b"]})) == len('[{"TagKey":"a","TagValues":["b","ü"]}]'.encode())


def too_many(directory: Path, products: int) -> list[str]:
    """So many products of `ar`, each granted to finance-analytics."""
    names = [f"extra_{number}" for number in range(products)]
    template = yaml.safe_load((directory / "products/ar/invoice_aging.odcs.yaml").read_text())
    for number, name in enumerate(names):
        contract = {**template, "id": f"{number}", "name": name}
        contract["schema"] = [{**template["schema"][0], "name": name, "physicalName": name}]
        (directory / f"products/ar/{name}.odcs.yaml").write_text(yaml.safe_dump(contract))
    grants = [
        grant(f"g-{name.replace('_', '-')}", product=name, to="finance-analytics", sensitivity=["internal"])
        for name in names
    ]
    add_grant(directory, "ar", *grants)
    return names


def test_more_expressions_than_a_principal_may_hold_are_refused_and_the_remedy_works(directory):
    names = too_many(directory, 46)  # beside the account's five
    problem = found(directory, "expressions-per-principal")
    assert problem.file == "mesh/consumers/finance-analytics.yaml"
    assert "444455556666 would hold 51 LF-Tag expressions; Lake Formation takes at most 50" in problem.message
    assert "tags: {product: [invoice_aging, …]}" in problem.message

    def fold(document):
        document["grants"] = [given for given in document["grants"] if not given["id"].startswith("g-extra")]
        document["grants"].append(
            grant("folded", tags={"product": names}, to="finance-analytics", sensitivity=["internal"])
        )

    edit(directory / "grants/ar.yaml", fold)
    assert load_mesh(directory, TODAY)


def test_a_whole_domain_is_a_remedy_too(directory):
    quota(directory, expressionsPerPrincipal=3)
    assert {problem.rule for problem in problems(directory, TODAY)[1]} == {"expressions-per-principal"}

    def whole(document):
        gone = {
            "ar-cash-application-finance-analytics",
            "ar-invoice-finance-analytics",
            "ar-invoice-aging-finance-analytics",
        }
        document["grants"] = [given for given in document["grants"] if given["id"] not in gone]
        document["grants"].append(
            grant("all-of-ar", tags={}, to="finance-analytics", sensitivity=["public", "internal"])
        )

    def assign(document):
        document["assignments"] = [given for given in document["assignments"] if given["grant"].startswith("ap-")]
        document["assignments"].append({"grant": "all-of-ar", "principals": ["analyst"]})

    edit(directory / "grants/ar.yaml", whole)
    edit(directory / "consumers/finance-analytics.yaml", assign)
    left = problems(directory, TODAY)[1]
    assert not [problem for problem in left if "444455556666" in problem.message.split(" would")[0]], left


def test_a_twin_cannot_be_called_default(directory):
    edit(directory / "mesh.yaml", lambda document: document["domains"]["ar"]["sources"].append(
        {"producer": "erp", "database": "default", "prefixes": ["s3://acme-erp-lake/default/"]}
    ))  # fmt: skip
    assert found(directory, "twin-named-default").path == "domains.ar.sources[2]"


def test_expansion_is_not_tried_while_references_are_broken(directory):
    add_grant(directory, "ar", grant("g", product="nothing", to="nobody", sensitivity=["public"]))
    assert problems(directory, TODAY)[1]


def test_an_expired_grant_counts_for_nothing(directory):
    add_grant(
        directory, "ar", grant("g", product="ar_invoice", to="finance-analytics", access="discover", expires=TODAY)
    )
    rules = {problem.rule for problem in problems(directory, TODAY)[1]}
    assert "discover-beside-read" not in rules


def test_there_is_a_remedy_when_no_product_grants_are_to_blame(directory):
    declarations = load_mesh(directory, TODAY)
    assert check.remedy(declarations, {"ap-record-to-report-treasury"}, declarations.mesh.quotas).startswith(
        "Grant a whole domain"
    )
