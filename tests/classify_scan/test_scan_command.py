"""A producer's account is looked into, and nothing that its data holds comes out."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Callable
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from ruamel.yaml import YAML
from typer.testing import CliRunner

from lakemesh.access.check import load_mesh
from lakemesh.classify_scan.scan import Limits, Looked, due
from lakemesh.classify_scan.scan import scan as look
from lakemesh.cli import classify_scan as command
from lakemesh.cli.classify import app
from lakemesh.declarations.models import Declarations
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.seed import fill, guard
from lakemesh.deploy.prepare import prepare
from lakemesh.onboard.account import Account

Scan = Callable[..., Result]
ERP, PROCUREMENT = "erp", "procurement"
CANARY = "Kanarienvogel"
ADDRESS = f"{CANARY.lower()}7@post.example"


@pytest.fixture(scope="module")
def seeded(reset: Callable[[], str]) -> Clients:
    """The sample's producers with their data, and no mesh."""
    declarations = load_mesh(Path(__file__).parents[2] / "mesh")
    clients = Clients(reset(), declarations.mesh.region)
    prepare(declarations, clients.endpoint)
    guard(declarations, clients)
    fill(declarations, clients, data.tables(declarations))
    return clients


@pytest.fixture
def accounts(mesh: Path) -> dict[str, str]:
    return {name: one.account for name, one in load_mesh(mesh).mesh.producers.items()}


@pytest.fixture
def scan(seeded: Clients, mesh: Path, accounts: dict[str, str]) -> Scan:
    """`scan(producer, …)` with the credentials of the root of the producer's account, every column unreviewed."""
    for path in mesh.rglob("*.odcs.yaml"):
        lines = path.read_text().splitlines(keepends=True)
        keys = {"partitionKeyPosition"}
        kept = [
            line
            for at, line in enumerate(lines)
            if "classification:" not in line or any(key in lines[at - 1] + lines[at - 2] for key in keys)
        ]
        path.write_text("".join(kept))

    def run(producer: str, *given: str, account: str = "") -> Result:
        environment = {
            "AWS_ENDPOINT_URL": seeded.endpoint, "AWS_ACCESS_KEY_ID": account or accounts[producer],
            "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": None, "AWS_PROFILE": None,
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
            "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        return CliRunner().invoke(app, ["scan", "--producer", producer, "--mesh", str(mesh), *given], env=environment)

    return run


def found(mesh: Path, domain: str) -> dict[str, dict]:
    """Entries by `table.column`."""
    products = YAML(typ="safe").load(mesh / "recommendations" / f"{domain}.yaml")["products"]
    return {
        f"{table}.{column}": entry
        for tables in products.values()
        for table, columns in tables.items()
        for column, entry in columns.items()
    }


@pytest.mark.parametrize(
    ("producer", "domain", "column", "kind"),
    [
        (ERP, "ar", "ar_curated.invoice.direct_debit_iban", "iban"),  # Iceberg
        (ERP, "ar", "ar_curated.cash_application.payer_iban", "iban"),  # Parquet, partitioned
        (ERP, "ar", "ar_raw.remittance_advice.payer", "iban"),  # JSON lines
        (PROCUREMENT, "ap", "procurement_raw.vendor_master.contact_email", "email"),  # CSV
    ],
)
def test_every_format_of_the_sample_is_looked_into(
    scan: Scan, mesh: Path, producer: str, domain: str, column: str, kind: str
) -> None:
    result = scan(producer)
    assert result.exit_code == 0, result.output
    entries = found(mesh, domain)
    assert column in entries, [name for name in entries if name.rpartition(".")[0] == column.rpartition(".")[0]]
    entry = entries[column]
    assert (entry["kind"], entry["basis"], entry["sensitive"]) == (kind, "samples", True)
    assert "samples" in entry


def test_most_customers_of_the_sample_are_firms_and_some_are_persons(scan: Scan, mesh: Path) -> None:
    scan(ERP)
    entry = found(mesh, "ar")["ar_curated.invoice.customer_name"]
    assert (entry["sensitivity"], entry["basis"], entry["kind"]) == ("confidential", "samples", "person-name")


def test_a_view_is_judged_by_its_metadata_and_that_is_said(scan: Scan, mesh: Path) -> None:
    result = scan(ERP)
    assert "ar_curated.invoice_aging by its metadata alone: a view has no files of its own" in result.output
    entries = found(mesh, "ar")
    assert {entry["basis"] for name, entry in entries.items() if "invoice_aging" in name} == {"metadata"}


def test_only_the_tables_that_were_asked_for_are_looked_into(scan: Scan, mesh: Path) -> None:
    result = scan(ERP, "--table", "ar_raw.*")
    assert "Looked into 1 of 1 tables" in result.output
    bases = {name.rpartition(".")[0]: entry["basis"] for name, entry in found(mesh, "ar").items()}
    assert bases["ar_raw.remittance_advice"] == "samples"
    assert bases["ar_curated.invoice"] == "metadata"


def test_scanning_again_changes_nothing(scan: Scan, mesh: Path) -> None:
    scan(ERP)
    assert "Nothing to write" in scan(ERP).output


def test_a_producer_without_unreviewed_columns_is_left_alone(scan: Scan) -> None:
    assert "Nothing to look at" in scan(ERP, "--table", "nothing_like_it").output


def test_another_account_is_refused_before_anything_is_read(scan: Scan, mesh: Path, accounts: dict[str, str]) -> None:
    result = scan(ERP, account=accounts[PROCUREMENT])
    assert result.exit_code == 1
    assert "Nothing was read" in result.stderr
    assert not (mesh / "recommendations").exists()


def test_an_unknown_producer_is_misuse(scan: Scan) -> None:
    result = scan("erpp", account="000000000001")
    assert result.exit_code == 2


def test_what_is_denied_is_named_with_the_statement_to_add(
    scan: Scan, seeded: Clients, mesh: Path, accounts: dict[str, str]
) -> None:
    iam, account = seeded.root("iam", accounts[ERP]), accounts[ERP]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="Poor", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    result = scan(ERP, "--role", f"arn:aws:iam::{account}:role/Poor")
    assert result.exit_code == 1
    assert "LakemeshScan" in result.stderr
    assert "glue:GetTable" in result.stderr
    assert not (mesh / "recommendations").exists()


def test_without_the_libraries_the_mend_is_said(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LIBRARIES", ("pyarrow", "pyiceberg_that_is_not_there"))
    result = scan(ERP)
    assert result.exit_code == 1
    assert "pip install 'lakemesh[local]'" in result.stderr


# ------------------------------------------------------------------------------------------------- nothing comes out
def parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"payer": [f"Anna {CANARY}"] * 50, "advice_id": [CANARY] * 50}), stream)
    return stream.getvalue()


BODIES = {
    "parquet": parquet(),
    "parquet that is torn": parquet()[:-9] + CANARY.encode(),
    "parquet of junk": CANARY.encode() * 1000,
    "csv": f"{CANARY},{ADDRESS},Anna {CANARY}\n".encode() * 50,
    "csv with other columns in each line": f'{CANARY}\n{CANARY},{CANARY}\n"{CANARY},\n'.encode() * 50,
    "csv in one line": CANARY.encode() * 200_000,
    "csv that is no text": b"\xff\xfe\x00" + CANARY.encode() * 50 + b"\n",
    "csv in gzip": gzip.compress(f"{CANARY},{ADDRESS}\n".encode() * 50),
    "csv in torn gzip": gzip.compress(f"{CANARY},{ADDRESS}\n".encode() * 50)[:40],
    "json": (json.dumps({"channel": ADDRESS, "payer": {CANARY: CANARY}, "headers": [CANARY]}) + "\n").encode() * 50,
    "json that is torn": ('{"channel": "' + ADDRESS + '\n[[[["' + CANARY).encode() * 50,
    "json that is deep": ("[" * 100_000 + CANARY).encode(),
    "empty": b"\n",
}


@pytest.mark.parametrize("body", BODIES)
def test_no_value_is_in_anything_that_is_written(
    scan: Scan, seeded: Clients, mesh: Path, accounts: dict[str, str], caplog: pytest.LogCaptureFixture, body: str
) -> None:
    form = body.split(maxsplit=1)[0]
    account = accounts[ERP]
    owner = f"arn:aws:iam::{account}:role/LakeAdministrator"
    try:
        glue = seeded.role("glue", owner)
        table = glue.get_table(DatabaseName="ar_raw", Name="remittance_advice")["Table"]
    except Exception:  # noqa: BLE001 - a producer that IAM alone governs has no such role
        glue = seeded.root("glue", account)
        table = glue.get_table(DatabaseName="ar_raw", Name="remittance_advice")["Table"]
    before = {key: table[key] for key in ("Name", "StorageDescriptor", "PartitionKeys", "Parameters", "TableType")}
    location = f"{before['StorageDescriptor']['Location'].rstrip('/')}-{body.replace(' ', '-')}/"
    bucket, _, key = location.removeprefix("s3://").partition("/")
    name = f"{key}part-0.{'gz' if 'gzip' in body else form}"
    seeded.root("s3", account).put_object(Bucket=bucket, Key=name, Body=BODIES[body])
    serdes = {
        "parquet": "a.ParquetHiveSerDe",
        "csv": "a.OpenCSVSerde",
        "json": "a.JsonSerDe",
        "empty": "a.OpenCSVSerde",
    }
    descriptor = {
        **before["StorageDescriptor"],
        "Location": location,
        "SerdeInfo": {"SerializationLibrary": serdes[form], "Parameters": {"separatorChar": ","}},
    }
    glue.update_table(DatabaseName="ar_raw", TableInput={**before, "Parameters": {}, "StorageDescriptor": descriptor})
    try:
        with caplog.at_level(logging.DEBUG):  # of every library too
            result = scan(ERP, "--table", "remittance_advice")
    finally:
        glue.update_table(DatabaseName="ar_raw", TableInput=before)
    assert result.exit_code == 0, result.output
    written = "".join(path.read_text() for path in mesh.rglob("*") if path.is_file())
    everything = written + result.output + result.stderr + caplog.text
    assert CANARY.lower() not in everything.lower()
    if body in {"parquet", "csv", "csv in gzip", "json"}:
        assert "Looked into 1 of 1 tables" in result.output, "there was nothing to leak"
    assert "7@post" not in everything


def test_no_more_of_a_table_is_read_than_agreed(
    seeded: Clients, sample: Declarations, accounts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", seeded.endpoint)
    session = boto3.Session(aws_access_key_id=accounts[ERP], aws_secret_access_key="local", region_name=seeded.region)
    tables = list(due(sample, ERP, []))
    looked = look(Account(session, "root", accounts[ERP]), tables, Limits(rows=10, bytes=300))
    assert looked.bytes <= 300 * len(tables)
    assert all("300 bytes would have to be read" in why or "no rows" in why for why in looked.notes.values()), (
        looked.notes
    )


def test_what_was_looked_at_does_not_show_itself(seeded: Clients) -> None:
    """Tracebacks and logs print objects."""
    assert CANARY not in repr(Looked(samples={("a", "b"): {"c": [CANARY]}}))
