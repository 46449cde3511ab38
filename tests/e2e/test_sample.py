"""The sample, deployed by the real program to a local AWS, and what happens when people change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.demo.edit import edited_copy
from lakemesh.demo.expected import Expected, Verdict
from lakemesh.deploy.run import DeployError, StackResult

pytestmark = pytest.mark.e2e
Copy = Callable[..., Path]


def changed(results: Mapping[str, StackResult]) -> dict[str, tuple[int, int, int, int]]:
    """What was created, updated, replaced and deleted, by stack; stacks without a change left out."""
    counts = {
        stack: (one.counts.created, one.counts.updated, one.counts.replaced, one.counts.deleted)
        for stack, one in results.items()
    }
    return {stack: numbers for stack, numbers in counts.items() if any(numbers)}


def denied_to_all(expected: Expected, table: str) -> Expected:
    """The same, but nobody may read or find `table`."""
    nothing = dict.fromkeys(expected.tables[table], Verdict.DENIED)
    return replace(expected, verdicts={who: {**tables, table: nothing} for who, tables in expected.verdicts.items()})


def test_every_principal_reads_what_people_wrote_down_and_nothing_else(deployed) -> None:
    proof = deployed.prove()
    assert proof.differences == ()
    assert proof.columns == 5 * sum(len(columns) for columns in deployed.expected().tables.values())


@pytest.mark.parametrize(
    ("table", "column", "wrong"),
    [
        ("ar_curated.invoice", "due_date", Verdict.DENIED),
        ("ar_curated.invoice", "direct_debit_iban", Verdict.READ),
        ("general_ledger.ledger_balance", "currency", Verdict.DISCOVER),
    ],
)
def test_one_wrong_line_of_expected_yaml_is_noticed(deployed, table: str, column: str, wrong: Verdict) -> None:
    expected, who = deployed.expected(), "finance-analytics/analyst"
    verdicts = {**expected.verdicts[who][table], column: wrong}
    (difference,) = deployed.prove(replace(expected, verdicts={who: {table: verdicts}})).differences
    assert difference.startswith(f"{who} on {table}: {column}: expected {wrong}, is ")


def test_a_second_deployment_changes_nothing(deployed) -> None:
    before = len(deployed.journal())
    results = deployed.up()
    assert changed(results) == {}
    assert all(one.counts.unchanged for one in results.values())
    writes = [entry for entry in deployed.journal(before) if entry["error"] is None]
    assert [f"{entry['service']}.{entry['operation']}" for entry in writes] == []


def test_an_edited_grant_takes_effect_and_nothing_else_changes(restored, tmp_path: Path) -> None:
    expected = restored.expected()
    assert expected.edit is not None
    directory, _ = edited_copy(restored.directory, tmp_path, expected.edit)
    results = restored.up(directory)
    assert restored.prove(expected.after_edit()).differences == ()
    touched = changed(results)
    assert not {stack for stack in touched if stack.startswith("producer-")}


def test_a_product_is_retired_and_then_removed(restored, copy_of_sample: Copy) -> None:
    directory = copy_of_sample([("products/ap/vendor_payment.odcs.yaml", "status: active", "status: retired")])
    for grant in ("ap-card-payments-controller", "ap-vendor-payment-treasury"):
        without(directory / "grants" / "ap.yaml", "grants", "id", grant)
    without(directory / "consumers" / "treasury.yaml", "assignments", "grant", "ap-vendor-payment-treasury")
    restored.up(directory)
    wanted = denied_to_all(restored.expected(), "procurement_curated.vendor_payment")
    assert restored.prove(wanted).differences == ()

    # Its tables stay in the central catalog, as those of any source do: readable by nobody.
    (directory / "products" / "ap" / "vendor_payment.odcs.yaml").unlink()
    restored.up(directory)
    assert restored.prove(wanted).differences == ()


def test_a_table_that_leaves_its_contract_is_unreviewed_again(restored, copy_of_sample: Copy) -> None:
    directory = copy_of_sample()
    contract = directory / "products" / "ar" / "cash_application.odcs.yaml"
    without(contract, "schema", "physicalName", "remittance_advice")
    without(contract, "servers", "server", "raw")
    restored.up(directory)
    assert restored.prove(denied_to_all(restored.expected(), "ar_raw.remittance_advice")).differences == ()


def without(path: Path, section: str, key: str, value: str) -> None:
    """Take the entry whose `key` is `value` out of a list of a YAML file."""
    yaml = YAML()
    content = yaml.load(path)
    entry = next(entry for entry in content[section] if entry[key] == value)
    content[section].remove(entry)
    yaml.dump(content, path)


def test_policies_that_a_producer_had_survive_statement_by_statement(deployed) -> None:
    before, after = deployed.policies_before, deployed.policies()
    assert len(before) == 4, "a bucket, two keys and a catalog have policies of their own"
    for name, statements in before.items():
        assert [one for one in statements if one not in after[name]] == [], name
    assert after["catalog of erp"] == before["catalog of erp"]


def test_statements_of_the_mesh_are_found_by_their_sids(deployed) -> None:
    before, after = deployed.policies_before, deployed.policies()
    for name, statements in after.items():
        added = [one for one in statements if one not in before.get(name, [])]
        assert all(one["Sid"].startswith("Lakemesh") for one in added), name


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("grants/ar.yaml", "product: ar_invoice\n", "product: ar_invioce\n"),
        ("grants/ar.yaml", "sensitivity: [internal]", "sensitivity: [unreviewed]"),
        ("grants/ap.yaml", "id: ap-vendor-payment-treasury", "id: ap-ledger-balance-finance-analytics"),
        ("grants/ap.yaml", "to: treasury\n", "to: tresury\n"),
        ("mesh.yaml", 'account: "111122223333"', "account: 111122223333"),
        ("mesh.yaml", "database: general_ledger", "database: ar_raw"),
        ("mesh.yaml", "s3://acme-erp-lake/curated/gl/", "s3://acme-erp-lake/curated/ar/gl/"),
        ("mesh.yaml", "region: eu-central-1", "regoin: eu-central-1"),
        ("consumers/treasury.yaml", "assignments:\n", "assignments: {\n"),
        ("consumers/finance-analytics.yaml", "principals: [analyst]\n", "principals: [auditor]\n"),
        ("products/ar/cash_application.odcs.yaml", "partitionKeyPosition: 1\n        classification: internal", "partitionKeyPosition: 1"),
        ("products/ar/cash_application.odcs.yaml", "partitionKeyPosition: 1\n        classification: internal", "partitionKeyPosition: 1\n        classification: restricted"),
    ],
)  # fmt: skip
def test_a_mesh_with_a_mistake_deploys_nothing(deployed, copy_of_sample: Copy, file: str, old: str, new: str) -> None:
    directory = copy_of_sample([(file, old, new)])
    before = len(deployed.journal())
    with pytest.raises(InvalidMeshError) as error:
        deployed.try_up(directory)
    assert "mesh/" in str(error.value)
    assert deployed.journal(before) == []


def test_a_stack_that_is_no_part_of_the_mesh_is_refused_with_the_parts(deployed) -> None:
    with pytest.raises(DeployError, match=r"consumer-finance.*central, producer-erp"):
        deployed.try_up(None, "consumer-finance")
