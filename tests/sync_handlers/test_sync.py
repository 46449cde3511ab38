"""The `sync` handler: what it refuses before it reads a table, and what it says then."""

from __future__ import annotations

import ast
import datetime as dt
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.hooks import HierarchicalEmitter
from moto import mock_aws

import sync_handlers
from sync_handlers import clients, manifest, settings, sync
from sync_handlers.errors import IncompleteError, NotDeployedError, RefusedError
from sync_handlers.observability import logger
from sync_handlers.opening import Sides
from tests.sync_handlers.fakes import FakeGlue, error
from tests.sync_handlers.tables import CENTRAL, PRODUCER, document, orders_contract, parquet, partition

PACKAGE = Path(sync_handlers.__file__).parent
EVENT = {"action": "reconcile", "twin": "sales_raw", "digest": "source-digest"}


class Context(SimpleNamespace):
    """What Lambda passes beside the event, as far as handlers and Powertools read it."""

    def __init__(self) -> None:
        super().__init__(
            function_name="mesh-sync", memory_limit_in_mb=512, aws_request_id="request-1",
            invoked_function_arn=f"arn:aws:lambda:eu-west-3:{CENTRAL}:function:mesh-sync",
            get_remaining_time_in_millis=lambda: 900_000,
        )  # fmt: skip


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.twin, self.source = FakeGlue(CENTRAL, "sales_raw"), FakeGlue(PRODUCER, "sales_raw")
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(document(orders_contract())), encoding="utf-8")
        monkeypatch.setenv("LAKEMESH_MANIFEST", str(path))
        monkeypatch.setattr(clients, "catalog", lambda: self.twin)
        monkeypatch.setattr(clients, "reader", lambda _: self.source)
        settings.settings.cache_clear()
        manifest.bundled.cache_clear()

    def run(self, **more: Any) -> dict[str, Any]:
        return sync.handler({**EVENT, **more}, Context())  # type: ignore[arg-type]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    yield World(monkeypatch, tmp_path)
    settings.settings.cache_clear()
    manifest.bundled.cache_clear()


def test_the_handler_reads_the_bundled_manifest_and_returns_json(world: World) -> None:
    world.source.put("sales_raw", parquet())
    world.source.put_partitions("sales_raw", "orders", partition(parquet(), "2026-01-01"))
    result = world.run()
    assert json.loads(json.dumps(result)) == result
    assert result["tables"]["created"] == 1
    assert result["partitions"]["created"] == 1


def test_logs_hold_names_and_counts_and_nothing_of_the_tables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    table = parquet()
    table["Parameters"]["owner_password"] = "hunter2"
    table["StorageDescriptor"]["Columns"][1]["Comment"] = "customer mail, e.g. ada@example.org"
    world.source.put("sales_raw", table)
    world.run()
    logged = stream.getvalue()
    assert '"table":"orders"' in logged
    assert "hunter2" not in logged
    assert "ada@example.org" not in logged


def test_removal_calls_nothing_for_the_twin_goes_with_its_stack(world: World) -> None:
    assert world.run(tf={"action": "delete"}) == {"twin": "sales_raw", "deleted": False}
    assert world.twin.calls == world.source.calls == []


def test_a_digest_of_another_manifest_is_refused_before_any_call(world: World) -> None:
    with pytest.raises(NotDeployedError, match=r"pulumi up --stack central"):
        world.run(digest="newer")
    assert world.twin.calls == world.source.calls == []


def test_a_twin_that_is_not_there_names_the_stack_that_makes_it(world: World) -> None:
    world.twin.databases.clear()
    with pytest.raises(NotDeployedError, match=r"Twin sales_raw.*pulumi up --stack domain-sales"):
        world.run()


def test_a_twin_that_gives_tables_away_by_default_is_refused(world: World) -> None:
    """Settings after the database: its tables would be open to IAM_ALLOWED_PRINCIPALS."""
    world.twin.databases["sales_raw"]["CreateTableDefaultPermissions"] = [
        {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
    ]
    with pytest.raises(RefusedError, match=r"(?s)IAM_ALLOWED_PRINCIPALS.*past every grant"):
        world.run()
    assert world.twin.writes == []


@pytest.mark.parametrize("member", ["TargetDatabase", "FederatedDatabase"])
@pytest.mark.parametrize("side", ["twin", "source"])
def test_a_database_that_is_a_link_is_refused_on_either_side(world: World, side: str, member: str) -> None:
    getattr(world, side).databases["sales_raw"][member] = {"x": "y"}
    with pytest.raises(RefusedError, match="resource link"):
        world.run()


def test_a_source_database_that_is_not_seen_names_both_causes(world: World) -> None:
    world.source.databases.clear()
    with pytest.raises(
        RefusedError, match=r"(?s)does not exist or is hidden.*mesh\.yaml.*pulumi up --stack producer-shop"
    ):
        world.run()


def test_a_refusal_at_the_source_is_no_deletion(world: World) -> None:
    world.source.fail["get_database"] = [error("AccessDeniedException", "Insufficient Lake Formation permission(s)")]
    with pytest.raises(NotDeployedError, match=r"a refusal is no deletion.*producer-shop"):
        world.run()
    assert world.twin.writes == []


@pytest.mark.parametrize("operation", ["get_tables", "get_database"])
def test_an_error_that_nobody_expected_still_says_where_and_what_to_do(world: World, operation: str) -> None:
    world.source.fail[operation] = [error("GlueEncryptionException", "User is not authorized to perform: kms:Decrypt")]
    with pytest.raises(IncompleteError, match=r"Twin sales_raw: GlueEncryptionException.*catalog key.*run up again"):
        world.run()


# ------------------------------------------------------------------------------------------------- the reader
def shop() -> manifest.Producer:
    return manifest.parse(document()).producers["shop"]


def test_the_reader_acts_in_the_producers_account_with_its_external_id(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class Sts:
        meta = SimpleNamespace(events=HierarchicalEmitter())

        def assume_role(self, **params: Any) -> dict[str, Any]:
            asked.append(params)
            return {"Credentials": {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "SessionToken": "t",
                                    "Expiration": dt.datetime.now(dt.UTC)}}  # fmt: skip

    made: list[tuple[str, dict[str, Any]]] = []

    def client(service: str, **options: Any) -> Any:
        made.append((service, options))
        return Sts()

    monkeypatch.setattr(boto3, "client", client)
    clients.reader(shop())
    assert asked == [{"RoleArn": f"arn:aws:iam::{PRODUCER}:role/reader", "RoleSessionName": "lakemesh-sync",
                      "ExternalId": "shop-of-the-mesh", "DurationSeconds": 1800}]  # fmt: skip
    assert made[1][0] == "glue"
    assert made[1][1]["aws_session_token"] == "t"


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity"])
def test_a_reader_role_that_cannot_be_assumed_names_the_producers_stack(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    class Sts:
        def assume_role(self, **_: Any) -> dict[str, Any]:
            raise error(code, "User is not authorized to perform: sts:AssumeRole", 403)

    monkeypatch.setattr(boto3, "client", lambda *_, **__: Sts())
    with pytest.raises(NotDeployedError, match=r"deploy stack producer-shop first \(pulumi up --stack producer-shop\)"):
        clients.reader(shop())


def test_clients_back_off_adaptively_when_throttled() -> None:
    assert clients.CONFIG.retries["mode"] == "adaptive"  # type: ignore[attr-defined]
    assert clients.CONFIG.retries["total_max_attempts"] == 10  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------- a real client
@mock_aws
def test_a_database_is_copied_through_real_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's Glue, which parses and answers as the protocol does; its own limits are tested elsewhere."""
    from sync_handlers.glue_access import Database
    from tests.sync_handlers.fakes import budget

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    glue = boto3.client("glue")
    for name in ("sales_raw", "copy"):
        glue.create_database(DatabaseInput={"Name": name})
    glue.create_table(DatabaseName="sales_raw", TableInput=parquet())
    glue.batch_create_partition(
        DatabaseName="sales_raw", TableName="orders",
        PartitionInputList=[partition(parquet(), f"2026-01-{day:02d}") for day in range(1, 29)],
    )  # fmt: skip
    read = manifest.parse(document())
    source, twin = Database(glue, "123456789012", "sales_raw"), Database(glue, "123456789012", "copy")
    first = sync.reconcile(Sides(source, twin), read.sources["sales_raw"], read, budget())
    assert first["partitions"]["created"] == 28
    second = sync.reconcile(Sides(source, twin), read.sources["sales_raw"], read, budget())
    assert second["tables"]["unchanged"] == 1
    assert second["partitions"]["unchanged"] == 28
    assert second["sourceDigest"] == second["twinDigest"] == first["twinDigest"]


# ------------------------------------------------------------------------------------------------- the bundle
def test_handlers_import_only_what_the_bundle_and_the_runtime_have() -> None:
    allowed = {"sync_handlers", "boto3", "botocore", "aws_lambda_powertools"} | set(sys.stdlib_module_names)
    for path in PACKAGE.glob("*.py"):
        guarded: set[ast.AST] = set()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                guarded |= set(ast.walk(node))
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert node in guarded or name.partition(".")[0] in allowed, f"{path.name}: {name}"


def test_a_handler_starts_from_an_unpacked_bundle_alone(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "sync_handlers", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "manifest.json").write_text(json.dumps(document()), encoding="utf-8")
    program = (
        "from sync_handlers import sync, tag, policy_statements, accept_shares\n"
        "from sync_handlers.manifest import bundled\n"
        "print(bundled().mesh, sync.__file__)"
    )
    environment = {key: value for key, value in os.environ.items() if key not in {"LAKEMESH_MANIFEST", "PYTHONPATH"}}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["shopmesh", str(tmp_path / "sync_handlers" / "sync.py")]
