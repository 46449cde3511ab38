"""Data contracts of every version of the standard that is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from lakemesh.declarations.models import Product, Sensitivity, Status
from tests.declarations.meshes import ORDERS, SAMPLE, check, copy, edit, rules

# Sections that the mesh does not need, as each version of the standard writes them.
UNNEEDED = {
    "v3.0.0": """
team:
  - username: ann
    role: Owner
    dateIn: 2024-02-01
    replacedByUsername: bob
price: {priceAmount: 9.95, priceCurrency: USD, priceUnit: megabyte}
roles:
  - role: reader
    access: read
    firstLevelApprovers: Reporting Manager
slaDefaultElement: orders.day
slaProperties:
  - property: latency
    value: 4
    unit: d
    driver: regulatory
contractCreatedTs: 2022-11-15T02:59:43+00:00
""",
    "v3.1.0": """
team:
  name: Sales
  members:
    - username: ann
      dateIn: "2024-02-01"
support:
  - channel: "#orders"
    tool: slack
    url: https://acme.example/chat
authoritativeDefinitions:
  - type: canonical
    url: https://acme.example/handbook
tags: [finance, orders]
""",
    "v3.2.0": """
context:
  instructions: Amounts are in the currency of the order.
  verifiedStatements:
    - question: How many orders were there yesterday?
      answer: select count(*) from order_line
  constraints:
    - constraint: Never join on email.
""",
}
SCHEMA_EXTRAS = """
    businessName: Order lines
    dataGranularityDescription: One row a line.
    quality:
      - type: library
        metric: nullValues
        mustBe: 0
        arguments: {properties: [order_id]}
        schedule: 0 20 * * *
      - type: custom
        engine: soda
        implementation: |
          checks: []
    relationships:
      - from: order_id
        to: customers.id
    tags: [core]
"""


def product(mesh: Path) -> Product:
    loaded = check(mesh)
    assert loaded.problems == ()
    assert loaded.declarations is not None
    return loaded.declarations.products["orders"]


@pytest.mark.parametrize("version", UNNEEDED)
def test_sections_that_the_mesh_does_not_need_are_left_alone(version: str, tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "apiVersion: v3.1.0", f"apiVersion: {version}")
    edit(mesh, ORDERS, "schema:\n", UNNEEDED[version] + "schema:\n")
    edit(mesh, ORDERS, "    physicalType: table\n", "    physicalType: table\n" + SCHEMA_EXTRAS)
    assert [table.name for table in product(mesh).tables] == ["order_line", "order_totals"]


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"])
def test_every_version_3_is_read(version: str, tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "apiVersion: v3.1.0", f"apiVersion: {version}")
    assert product(mesh).version == "1.0.0"


@pytest.mark.parametrize("version", ["v2.2.2", "v3.3.0", "v4.0.0", "3.1.0", "v3.1", "latest"])
def test_other_versions_are_refused_by_name(version: str, tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "apiVersion: v3.1.0", f"apiVersion: {version}")
    assert rules(check(mesh)) == ["contract-version"]


@pytest.mark.parametrize("path", sorted((SAMPLE / "products").rglob("*.odcs.yaml")), ids=lambda path: path.name)
def test_the_samples_contracts_are_contracts_to_the_standards_own_models(path: Path) -> None:
    OpenDataContractStandard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_a_column_is_what_its_contract_says(tmp_path: Path) -> None:
    line = product(copy(tmp_path)).tables[0]
    order_id, email, note, day = line.columns
    assert order_id.sensitivity is Sensitivity.INTERNAL
    assert (email.sensitivity, email.personal_data) == (Sensitivity.CONFIDENTIAL, "email")
    assert note.sensitivity is None
    assert (day.partition_key, day.type) == (1, "date")
    assert line.partition_keys == (day,)


def test_unreviewed_says_the_same_as_nothing(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "      - name: note\n", "      - name: note\n        classification: unreviewed\n")
    assert product(mesh).tables[0].columns[2].sensitivity is None


def test_names_are_lower_case_as_glue_keeps_them(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "  - name: order_line\n", "  - name: Order lines\n    physicalName: Order_Line\n")
    edit(mesh, ORDERS, "      - name: note\n", "      - name: Note of the clerk\n        physicalName: NOTE\n")
    line = product(mesh).tables[0]
    assert (line.name, line.columns[2].name) == ("order_line", "note")


def test_a_table_with_a_name_that_glue_cannot_keep_needs_a_physical_name(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "  - name: order_line\n", "  - name: Order lines\n")
    assert rules(check(mesh)) == ["wrong-value"]


def test_each_table_may_say_which_server_holds_it(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    second = '  - server: raw\n    type: Glue\n    account: "012345678902"\n    database: orders_raw\n'
    third = "  - server: report\n    type: custom\n    host: reports.acme.example\n"
    edit(mesh, ORDERS, "schema:\n", second + third + "schema:\n")
    where = "    customProperties:\n      - property: server\n        value: {}\n"
    edit(mesh, ORDERS, "  - name: order_line\n", "  - name: order_line\n" + where.format("raw"))
    edit(mesh, ORDERS, "  - name: order_totals\n", "  - name: order_totals\n" + where.format("lake"))
    assert [table.key for table in product(mesh).tables] == ["orders_raw.order_line", "orders.order_totals"]


def test_a_contract_may_leave_out_its_name_status_and_domain(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    for line in ("name: orders\n", "status: active\n", "domain: sales\n"):
        edit(mesh, ORDERS, line, "")
    read = product(mesh)
    assert (read.name, read.domain, read.status) == ("orders", "sales", Status.DRAFT)


def test_a_contract_without_tables_yet_is_a_product(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    path = mesh / ORDERS
    path.write_text(path.read_text(encoding="utf-8").split("servers:")[0], encoding="utf-8")
    assert product(mesh).tables == ()


def test_a_version_without_quotes_is_read_as_it_is_written(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "version: 1.0.0", "version: 1.10")
    assert product(mesh).version == "1.10"


def test_partition_keys_without_positions_are_in_the_order_of_the_contract(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "        partitionKeyPosition: 1\n", "")
    edit(
        mesh,
        ORDERS,
        "      - name: note\n        physicalType: string\n",
        "      - name: year\n        partitioned: true\n        partitionKeyPosition: -1\n        classification: public\n",
    )
    keys = product(mesh).tables[0].partition_keys
    assert [(key.name, key.partition_key) for key in keys] == [("year", 1), ("day", 2)]


def test_a_measure_is_no_column_of_its_table(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    measure = "      - name: revenue\n        semanticType: measure\n        transformLogic: sum(amount)\n"
    edit(mesh, ORDERS, "apiVersion: v3.1.0", "apiVersion: v3.2.0")
    edit(mesh, ORDERS, "      - name: note\n", measure + "      - name: note\n")
    assert [column.name for column in product(mesh).tables[0].columns] == ["order_id", "email", "note", "day"]


def test_an_anchor_in_a_contract_is_followed(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(
        mesh,
        ORDERS,
        "        customProperties:\n          - property: personalData\n            value: email\n",
        "        customProperties: &mail\n          - property: personalData\n            value: email\n",
    )
    edit(mesh, ORDERS, "      - name: note\n", "      - name: note\n        customProperties: *mail\n")
    assert [column.personal_data for column in product(mesh).tables[0].columns] == [None, "email", "email", None]


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ("schema: 5\n", "wrong-type"),
        ("schema: [5]\n", "wrong-type"),
        ("schema: [{}]\n", "missing-key"),
        ("schema: [{name: t, properties: {a: b}}]\n", "wrong-type"),
        ("schema: [{name: t, properties: [{}]}]\n", "missing-key"),
        ("schema: [{name: t, properties: [{name: a, partitioned: true, partitionKeyPosition: x}]}]\n", "wrong-type"),
        ("schema: [{name: t, customProperties: [{property: lfTags, value: x}]}]\n", "wrong-type"),
        ("schema: [{name: [t]}]\n", "wrong-type"),
        ("schema: [{name: t, properties: [{name: a, classification: [public]}]}]\n", "wrong-type"),
        ("schema: [{name: t, customProperties: [{property: server, value: [x]}]}]\n", "unknown-reference"),
        (
            "schema: [{name: t, properties: [{name: a, customProperties: [{property: personalData, value: 5}]}]}]\n",
            "wrong-type",
        ),
    ],
)
def test_a_misshapen_schema_is_a_problem_and_no_crash(broken: str, rule: str, tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    path = mesh / ORDERS
    path.write_text(path.read_text(encoding="utf-8").split("schema:")[0] + broken, encoding="utf-8")
    assert rule in rules(check(mesh))
