"""From accounts that nobody prepared to the first query, by commands alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.demo.queries import Workgroup
from lakemesh.demo.seed import LAKE_ADMINISTRATOR, seed
from lakemesh.deploy.prepare import prepare
from lakemesh.onboard.account import PRODUCER_READS
from tests.onboard.conftest import Lakemesh, text
from tests.onboard.unprepared import (
    ANALYST,
    CATALOG_KEY,
    CENTRAL,
    CONSUMER,
    CONSUMER_READER,
    DATA_KEY,
    LAKE,
    PRODUCER,
    READER,
    Unprepared,
)

pytestmark = pytest.mark.e2e

HARVEST = (
    "onboard", "producer", "orchards", "--account", PRODUCER, "--role", READER, "--domain", "harvest",
    "--owner", "@example/orchards", "--domain-owner", "@example/harvest", "--approver", "olga@example.com",
)  # fmt: skip
READERS = (
    "onboard", "consumer", "reporting", "--account", CONSUMER, "--role", CONSUMER_READER, "--owner", "@example/reporting",
)  # fmt: skip


def test_a_producer_that_nobody_prepared_is_onboarded_by_commands_alone(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    mesh = ("--mesh", str(empty))
    assert_done(lakemesh(CONSUMER, *READERS, *mesh, "--yes"))
    onboarded = lakemesh(PRODUCER, *HARVEST, "--database", "harvest", *mesh, "--yes")
    assert_done(onboarded)
    declarations = load_mesh(empty)
    producer = declarations.mesh.producers["orchards"]
    assert producer.governance == "lake-formation"
    assert producer.catalog_key == CATALOG_KEY
    assert producer.buckets[LAKE].kms_key == DATA_KEY
    (source,) = declarations.mesh.domains["harvest"].sources
    assert source.prefixes == (f"s3://{LAKE}/curated/harvest/", "s3://orchard-landing/sensors/")
    assert len(declarations.products) == 59, "the table in another account's bucket is refused, and no other"
    assert "borrowed: s3://stranger-lake/theirs/ lies in bucket stranger-lake" in onboarded.output
    assert_done(lakemesh(CENTRAL, "validate", *mesh))

    review(empty)
    assert_done(lakemesh(CENTRAL, "up", "--local", *mesh))
    naming = Naming(load_mesh(empty).mesh)
    athena = accounts.clients.role("athena", ANALYST)
    workgroup = Workgroup(athena, naming.workgroup("reporting", "harvest-analyst"))
    readable = workgroup.run("SELECT * FROM shipments ORDER BY 1", "harvest")
    assert readable.ok, readable.reason
    assert readable.columns == ("shipment_id", "shipped_on")
    assert readable.rows[0][0] == "S1"
    assert workgroup.run("SELECT customer_email FROM shipments", "harvest").refused
    assert kept_policies(accounts), "the producer's own statements are all there"


def review(mesh: Path) -> None:
    """What people do: classify columns (one that is sensitive by its name must be), complete the grant that was found, assign it."""
    contract = mesh / "products/harvest/shipments.odcs.yaml"
    reviewed = contract.read_text()
    for column, sensitivity in (
        ("shipment_id", "internal"),
        ("shipped_on", "public"),
        ("customer_email", "confidential"),
    ):
        head, name, tail = reviewed.partition(f"name: {column}\n")
        reviewed = head + name + tail.replace("unreviewed", sensitivity, 1)
    contract.write_text(reviewed)
    grants = mesh / "grants/harvest.yaml"
    entry = grants.read_text()
    identifier = entry.partition("- id: ")[2].partition("\n")[0]
    assert identifier == "imported-shipments-reporting-read"
    block = entry.partition("# - id: ")[2].partition("\n\n")[0]
    completed = "# - id: " + block
    for gap, value in (
        ("<public, internal>", "public, internal"), ("<what the data is used for>", "Weekly report."),
        ("<who asks>", "rita@example.com"), ("<an approver of this domain, not who asks>", "olga@example.com"),
        ("<day, as 2026-03-09>", "2025-03-09"), ("<where it was decided>", "H-1"),
    ):  # fmt: skip
        assert gap in completed
        completed = completed.replace(gap, value)
    entry = entry.replace("grants: []", "grants:").replace(
        "# - id: " + block, "\n".join(line.removeprefix("# ") for line in completed.splitlines())
    )
    grants.write_text(entry)
    consumer = mesh / "consumers/reporting.yaml"
    assignment = f"assignments:\n  - grant: {identifier}\n    principals: [harvest-analyst]"
    consumer.write_text(consumer.read_text().replace("assignments: []", assignment))


def kept_policies(accounts: Unprepared) -> bool:
    s3, kms = accounts.root("s3", PRODUCER), accounts.root("kms", PRODUCER)
    documents = [
        s3.get_bucket_policy(Bucket=LAKE)["Policy"],
        *(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] for key in (DATA_KEY, CATALOG_KEY)),
    ]
    return all("Jobs" in {one.get("Sid") for one in json.loads(each)["Statement"]} for each in documents)


def assert_done(result: object) -> None:
    assert result.exit_code == 0, f"{result.output}\n{result.stderr}\n{result.exception!r}"  # type: ignore[attr-defined]


def test_a_second_run_with_nothing_new_changes_nothing_and_says_so(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    for command, account in ((READERS, CONSUMER), (HARVEST, PRODUCER)):
        assert_done(lakemesh(account, *command, "--mesh", str(empty), "--yes"))
        before = text(empty)
        again = lakemesh(account, *command, "--mesh", str(empty), "--yes")
        assert_done(again)
        assert "Nothing new" in again.output
        assert text(empty) == before


def may(actions: Sequence[str]) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_the_samples_own_producers_change_nothing_that_people_wrote(
    lakemesh: Lakemesh, mesh: Path, sample: Declarations, local_aws_process: LocalAwsProcess
) -> None:
    clients = Clients(local_aws_process.endpoint, sample.mesh.region)
    prepare(sample, local_aws_process.endpoint)
    seed(sample, clients, data.tables(sample))
    before = text(mesh)
    erp = sample.mesh.producers["erp"].account
    reader = f"arn:aws:iam::{erp}:role/{LAKE_ADMINISTRATOR}"
    given = ("onboard", "producer", "erp", "--account", erp, "--role", reader, "--mesh", str(mesh), "--yes")
    clients.root("iam", erp).put_role_policy(
        RoleName=LAKE_ADMINISTRATOR, PolicyName="reading", PolicyDocument=may(PRODUCER_READS)
    )
    for domain in ("ar", "ap"):
        owned = [source.database for source in sample.mesh.domains[domain].sources if source.producer == "erp"]
        patterns = [part for database in owned for part in ("--database", database)]
        assert_done(lakemesh(erp, *given, "--domain", domain, *patterns))
    after = text(mesh)
    for name, written in before.items():
        lines = iter(after[name].splitlines())
        assert all(line in lines for line in written.splitlines()), f"{name} lost or changed a line"
    assert after["mesh.yaml"] == before["mesh.yaml"], "the account is what the sample says of it"
    load_mesh(mesh)
