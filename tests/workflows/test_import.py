"""The import file of a stack whose state is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from lakemesh.deploy.import_file import IDS, REMADE, Place, UnlistedTypeError, build, computed
from lakemesh.deploy.parts import Part, account, parts
from lakemesh.deploy.recording import RecordingError, Registered, record
from tests.conftest import ROOT, SAMPLE

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
MAPPING = "0e2c4f6a-5b7d-4c1e-9a8b-7f6e5d4c3b2a"
GIVEN = {"central-catalog-key-key": KEY, "central-queue-key": KEY, "central-queue-mapping": MAPPING}
CONFIG = {"lakemesh:mesh": str(SAMPLE)}


def place(sample: Declarations, stack: str) -> Place:
    return Place(account(Part.parse(stack, sample), sample), sample.mesh.region, Naming(sample.mesh).partition)


def recorded(sample: Declarations, stack: str) -> tuple[Registered, ...]:
    return record(ROOT, "lakemesh", stack, CONFIG, computed(place(sample, stack)))


def document(sample: Declarations, stack: str) -> list[dict[str, Any]]:
    made = build(recorded(sample, stack), place(sample, stack), GIVEN)
    resources = made.document["resources"]
    assert isinstance(resources, list)
    return resources


def urns(resources: list[dict[str, Any]], stack: str) -> set[str]:
    """URNs that Pulumi makes of an import file: pkg/cmd/pulumi/operations/import.go, parseImportFile."""
    by_name = {each["name"]: each for each in resources}
    assert len(by_name) == len(resources), "names are unique in the file"

    def qualified(each: dict[str, Any]) -> str:
        parent = by_name[each["parent"]] if "parent" in each else None
        return f"{qualified(parent)}${each['type']}" if parent else str(each["type"])

    return {f"urn:pulumi:{stack}::lakemesh::{qualified(each)}::{each['logicalName']}" for each in resources}


@pytest.mark.parametrize("stack", ["central", "producer-erp", "domain-ar", "consumer-treasury"])
def test_what_is_imported_has_the_urns_that_the_program_registers(sample: Declarations, stack: str) -> None:
    registered = recorded(sample, stack)
    made = build(registered, place(sample, stack), GIVEN)
    assert urns(made.document["resources"], stack) <= {each.urn for each in registered}
    assert {each.urn for each in made.imported} <= urns(made.document["resources"], stack)


@pytest.mark.parametrize("stack", ["central", "producer-erp", "domain-ar", "consumer-treasury"])
def test_nothing_is_lost_between_what_is_imported_and_what_is_made_once_more(sample: Declarations, stack: str) -> None:
    registered = recorded(sample, stack)
    made = build(registered, place(sample, stack), GIVEN)
    remade = sum(len(names) for names in made.remade.values())
    custom = [each for each in registered if each.custom and not each.type.startswith("pulumi:providers:")]
    assert len(made.imported) + remade == len(custom)


def test_every_type_of_the_program_is_listed_with_its_id_or_why_it_is_made_once_more(sample: Declarations) -> None:
    types = {
        each.type
        for part in parts(sample)
        for each in recorded(sample, part.stack)
        if each.custom and not each.type.startswith("pulumi:providers:")
    }
    assert types <= IDS.keys() | REMADE.keys() | {"aws:kms/key:Key", "aws:lambda/eventSourceMapping:EventSourceMapping"}
    assert not IDS.keys() & REMADE.keys()


def test_ids_are_those_of_awss_provider(sample: Declarations) -> None:
    found = {
        each["type"]: each["id"]
        for stack in ("central", "consumer-treasury")
        for each in document(sample, stack)
        if "id" in each
    }
    bucket = "lakemesh-results-treasury-555566667777-eu-central-1"
    # The "Import" section of each type's page in the registry (pulumi-aws 7).
    assert found == {
        "aws:athena/workgroup:Workgroup": "lakemesh-treasury.payments",
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": "lakemesh-unhealthy",
        "aws:cloudwatch/dashboard:Dashboard": "lakemesh",
        "aws:cloudwatch/eventBus:EventBus": "lakemesh",
        "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "lakemesh",
        "aws:cloudwatch/logGroup:LogGroup": "/aws/lambda/lakemesh-accept-shares-treasury",
        "aws:glue/catalogDatabase:CatalogDatabase": "555566667777:procurement_raw",
        "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings": "111122223333",
        "aws:iam/policy:Policy": "arn:aws:iam::111122223333:policy/lakemesh-tag-1",
        "aws:iam/role:Role": "lakemesh-accept-shares-treasury",
        "aws:iam/rolePolicy:RolePolicy": "lakemesh-accept-shares-treasury:lakemesh-accept-shares-treasury",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "lakemesh-tag/arn:aws:iam::111122223333:policy/lakemesh-tag-1",
        "aws:kms/key:Key": KEY,
        "aws:lakeformation/lfTag:LfTag": "111122223333:sensitivity",
        "aws:lambda/eventSourceMapping:EventSourceMapping": MAPPING,
        "aws:lambda/function:Function": "lakemesh-accept-shares-treasury",
        "aws:s3/bucket:Bucket": bucket,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": bucket,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": bucket,
        "aws:s3/bucketPolicy:BucketPolicy": bucket,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": bucket,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": bucket,
        "aws:sns/topic:Topic": "arn:aws:sns:eu-central-1:111122223333:lakemesh-operators",
        "aws:sns/topicPolicy:TopicPolicy": "arn:aws:sns:eu-central-1:111122223333:lakemesh-operators",
    } | {key: found[key] for key in _UNORDERED}


# Of several of a type the last registered stands above, and registrations come from several threads.
_UNORDERED = (
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:dynamodb/table:Table",
    "aws:kms/alias:Alias",
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:athena/workgroup:Workgroup",
    "aws:glue/catalogDatabase:CatalogDatabase",
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:lakeformation/lfTag:LfTag",
)


def test_ids_of_rules_targets_and_queues_say_where_they_are(sample: Declarations) -> None:
    found = {each["logicalName"]: each["id"] for each in document(sample, "central") if "id" in each}
    queue = "https://sqs.eu-central-1.amazonaws.com/111122223333/lakemesh-sync"
    assert found["central-intake-rule"] == "lakemesh/lakemesh-glue"
    assert found["central-intake-refresh"] == "default/lakemesh-refresh"
    assert found["central-intake-target"] == "lakemesh/lakemesh-glue/sync-queue"
    assert found["central-queue-queue"] == found["central-intake-queue-policy"] == queue


def test_the_provider_comes_along_with_its_configuration(sample: Declarations) -> None:
    providers = [each for each in document(sample, "domain-ar") if each["type"] == "pulumi:providers:aws"]
    assert len(providers) == 1
    assert json.loads(providers[0]["inputs"]["allowedAccountIds"]) == ["111122223333"]
    assert all(each["provider"] == providers[0]["name"] for each in document(sample, "domain-ar") if "id" in each)


def test_what_aws_does_not_tell_comes_along_without_files_and_unknowns(sample: Declarations) -> None:
    buckets = [each for each in document(sample, "consumer-treasury") if each["type"] == "aws:s3/bucket:Bucket"]
    assert buckets[0]["inputs"]["forceDestroy"] is True
    functions = [each for each in document(sample, "central") if each["type"] == "aws:lambda/function:Function"]
    assert all("code" not in each["inputs"] and each["inputs"]["handler"] for each in functions)
    alias = next(each for each in document(sample, "central") if each["type"] == "aws:kms/alias:Alias")
    assert "targetKeyId" not in alias["inputs"], "the key's id is AWS's"
    json.dumps(document(sample, "central"))


def test_a_type_that_nobody_listed_is_an_error_with_the_mend(sample: Declarations) -> None:
    unlisted = Registered("urn:pulumi:s::p::aws:ec2/vpc:Vpc::q", "aws:ec2/vpc:Vpc", "q", True, "", "", {})
    with pytest.raises(UnlistedTypeError, match=r"--id q=<id>"):
        build((unlisted,), place(sample, "central"), {})


def test_a_program_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import pulumi\nraise pulumi.RunError('mesh.yaml:3:5 not so')\n")
    with pytest.raises(RecordingError, match=r"mesh\.yaml:3:5 not so"):
        record(tmp_path, "lakemesh", "central", {}, lambda type_, inputs: {})


def test_a_program_that_asks_aws_is_refused(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import pulumi_aws as aws\naws.get_caller_identity()\n")
    with pytest.raises(RecordingError, match="getCallerIdentity"):
        record(tmp_path, "lakemesh", "central", {}, lambda type_, inputs: {})


# ------------------------------------------------------------------------------------------------------- command
def run(commands: typer.Typer, *arguments: str) -> Any:
    return CliRunner().invoke(commands, ["import", "--mesh", str(SAMPLE), *arguments])


def test_the_command_writes_the_file_and_says_what_to_type_next(commands: typer.Typer, tmp_path: Path) -> None:
    out = tmp_path / "file.json"
    result = run(commands, "--stack", "domain-ar", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert json.loads(out.read_text())["resources"]
    assert f"pulumi import --stack domain-ar --file {out} --generate-code=false --protect=false --yes" in result.stdout
    for type_ in ("Permissions", "ResourceLfTag", "Invocation", "aws:lakeformation/resource:Resource"):
        assert type_ in result.stdout


def test_an_id_that_aws_made_up_is_asked_for_with_the_command_that_finds_it(
    commands: typer.Typer, tmp_path: Path
) -> None:
    result = run(commands, "--stack", "central", "--out", str(tmp_path / "file.json"))
    assert result.exit_code == 1
    assert '--id central-catalog-key-key="$(aws kms describe-key --key-id alias/lakemesh-catalog' in result.stderr
    assert '--id central-queue-key="$(aws kms describe-key --key-id alias/lakemesh-sync' in result.stderr
    assert "aws lambda list-event-source-mappings --function-name lakemesh-sync" in result.stderr
    assert not (tmp_path / "file.json").exists(), "no half a file"


def test_an_id_that_is_given_is_used(commands: typer.Typer, tmp_path: Path) -> None:
    out = tmp_path / "file.json"
    ids = [text for name, known in GIVEN.items() for text in ("--id", f"{name}={known}")]
    result = run(commands, "--stack", "central", "--out", str(out), *ids)
    assert result.exit_code == 0, result.stderr
    assert KEY in {each.get("id") for each in json.loads(out.read_text())["resources"]}


@pytest.mark.parametrize("arguments", [["--stack", "domain-arr"], ["--stack", "central", "--id", "nonsense"]])
def test_misuse_ends_with_2(commands: typer.Typer, arguments: list[str]) -> None:
    assert run(commands, *arguments).exit_code == 2
