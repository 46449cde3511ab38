"""The local provider: every resource type against the local AWS, through the messages that an engine sends."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from botocore.exceptions import ClientError
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc

from local_aws.provider import resource, schema
from local_aws.provider.connection import Credentials, ProviderError
from local_aws.provider.provider import LocalProvider
from local_aws.provider.values import (
    ARCHIVE,
    ASSET,
    SIGNATURE,
    UNKNOWN,
    Unknown,
    has_unknown,
    properties,
    struct,
    with_hashes,
    without_contents,
    zip_bytes,
)
from local_aws.server import LocalAws
from tests.local_aws.conftest import ACCOUNT, REGION, Clients

OTHER = "444455556666"
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}],
})  # fmt: skip
LAMBDA_TRUST = TRUST.replace(f'"AWS": "arn:aws:iam::{ACCOUNT}:root"', '"Service": "lambda.amazonaws.com"')
ALLOW = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
ALLOW_LESS = ALLOW.replace("s3:GetObject", "s3:ListBucket")


class Cloud:
    """A configured provider, with an engine's messages as methods."""

    def __init__(self, endpoint: str, **config: Any) -> None:
        self.provider = LocalProvider(endpoint, Credentials(ACCOUNT, "local"))
        self.provider.Configure(pb.ConfigureRequest(args=struct({"region": REGION, **config})))

    def urn(self, kind: str, name: str) -> str:
        return f"urn:pulumi:s::p::{kind}::{name}"

    def check(self, kind: str, news: dict[str, Any], olds: dict[str, Any] | None = None, name: str = "thing") -> Any:
        return self.provider.Check(
            pb.CheckRequest(urn=self.urn(kind, name), news=struct(news), olds=struct(olds or {}), randomSeed=b"seed")
        )

    def problems(self, kind: str, news: dict[str, Any]) -> dict[str, str]:
        return {failure.property: failure.reason for failure in self.check(kind, news).failures}

    def create(self, kind: str, name: str = "thing", **news: Any) -> Made:
        checked = self.check(kind, news, name=name)
        assert not checked.failures
        answer = self.provider.Create(pb.CreateRequest(urn=self.urn(kind, name), properties=checked.inputs))
        return Made(self, kind, name, answer.id, properties(checked.inputs), properties(answer.properties))


class Made:
    """A resource that was created."""

    def __init__(self, cloud: Cloud, kind: str, name: str, identifier: str, inputs: Any, outputs: Any) -> None:
        self.cloud, self.kind, self.name, self.id, self.inputs, self.outputs = (
            cloud,
            kind,
            name,
            identifier,
            inputs,
            outputs,
        )

    @property
    def urn(self) -> str:
        return self.cloud.urn(self.kind, self.name)

    def diff(self, **changes: Any) -> Any:
        news = {key: value for key, value in {**self.given(), **changes}.items() if value is not None}
        checked = self.cloud.check(self.kind, news, self.inputs, self.name)
        assert not checked.failures
        self.checked = properties(checked.inputs)
        return self.cloud.provider.Diff(
            pb.DiffRequest(
                urn=self.urn, id=self.id, olds=struct(self.outputs), old_inputs=struct(self.inputs), news=checked.inputs
            )
        )

    def given(self) -> dict[str, Any]:
        chosen = self.inputs.get("__defaults", [])
        return {key: value for key, value in self.inputs.items() if key not in chosen and not key.startswith("__")}

    def update(self, **changes: Any) -> None:
        diff = self.diff(**changes)
        assert list(diff.diffs) == sorted(changes)
        assert not diff.replaces, list(diff.replaces)
        answer = self.cloud.provider.Update(
            pb.UpdateRequest(
                urn=self.urn,
                id=self.id,
                olds=struct(self.outputs),
                old_inputs=struct(self.inputs),
                news=struct(self.checked),
            )
        )
        self.inputs, self.outputs = self.checked, properties(answer.properties)
        assert not self.diff().diffs, "an update leaves nothing to change"

    def replaces(self, **changes: Any) -> list[str]:
        return list(self.diff(**changes).replaces)

    def read(self) -> dict[str, Any] | None:
        answer = self.cloud.provider.Read(
            pb.ReadRequest(urn=self.urn, id=self.id, properties=struct(self.outputs), inputs=struct(self.inputs))
        )
        return properties(answer.properties) if answer.id else None

    def delete(self) -> None:
        request = pb.DeleteRequest(urn=self.urn, id=self.id, properties=struct(self.outputs))
        self.cloud.provider.Delete(request)
        self.cloud.provider.Delete(request)  # what is gone is deleted


@pytest.fixture
def cloud(aws: LocalAws) -> Cloud:
    return Cloud(aws.endpoint, defaultTags=json.dumps({"tags": {"mesh": "orchard"}}))


def settle(made: Made) -> None:
    """What holds for every resource right after its creation: nothing to change, and it can be read."""
    assert not made.diff().diffs
    assert made.read() is not None


# ---------------------------------------------------------------------------------------------------- the provider
def test_a_type_that_nobody_modelled_is_an_error_that_names_it(cloud: Cloud) -> None:
    with pytest.raises(ProviderError, match="aws:ec2/vpc:Vpc"):
        cloud.check("aws:ec2/vpc:Vpc", {})


@pytest.mark.parametrize("kind", sorted(resource.TYPES))
def test_every_type_exists_in_pulumi_aws_with_the_inputs_that_are_modelled(kind: str) -> None:
    model = resource.TYPES[kind]
    known = schema.arguments_of(kind)
    assert model.supported <= known
    assert model.immutable <= model.supported
    assert set(model.defaults) <= model.supported


def test_a_misspelt_input_is_refused_with_the_known_ones(cloud: Cloud) -> None:
    problems = cloud.problems("aws:iam/role:Role", {"assumeRolePolicy": TRUST, "descripton": "x"})
    assert "description" in problems["descripton"]


def test_a_misspelt_key_of_a_nested_input_is_refused(cloud: Cloud) -> None:
    problems = cloud.problems(
        "aws:lakeformation/permissions:Permissions",
        {"principal": OTHER, "permissions": ["DESCRIBE"], "database": {"nam": "ar"}},
    )
    assert "database.nam" in problems
    assert "Missing required" in problems["database.name"]


def test_an_input_that_the_real_provider_has_and_this_one_not_is_refused_by_name(cloud: Cloud) -> None:
    problems = cloud.problems("aws:iam/role:Role", {"assumeRolePolicy": TRUST, "inlinePolicies": []})
    assert "not modelled" in problems["inlinePolicies"]


def test_a_missing_input_and_a_document_that_is_no_json_are_refused(cloud: Cloud) -> None:
    assert "assumeRolePolicy" in cloud.problems("aws:iam/role:Role", {})
    assert "invalid JSON" in cloud.problems("aws:iam/role:Role", {"assumeRolePolicy": "{"})["assumeRolePolicy"]


def test_unknown_values_of_a_preview_pass_every_check(cloud: Cloud) -> None:
    for kind, news in {
        "aws:iam/role:Role": {"assumeRolePolicy": UNKNOWN},
        "aws:lambda/invocation:Invocation": {"functionName": UNKNOWN, "input": UNKNOWN, "lifecycleScope": "CRUD"},
        "aws:kms/alias:Alias": {"name": UNKNOWN, "targetKeyId": UNKNOWN},
        "aws:lakeformation/permissions:Permissions": {"principal": UNKNOWN, "permissions": ["ALL"], "database": {"name": UNKNOWN}},
        "aws:glue/catalogDatabase:CatalogDatabase": {"name": UNKNOWN},
    }.items():  # fmt: skip
        assert not cloud.check(kind, news).failures, kind


def test_a_preview_says_inputs_leaves_outputs_unknown_and_calls_nothing(cloud: Cloud, client: Clients) -> None:
    inputs = cloud.check("aws:iam/role:Role", {"name": "reader", "assumeRolePolicy": TRUST}).inputs
    request = pb.CreateRequest(urn=cloud.urn("aws:iam/role:Role", "r"), properties=inputs, preview=True)
    answer = cloud.provider.Create(request)
    assert answer.id == ""
    assert properties(answer.properties)["name"] == "reader"
    assert client("iam").list_roles()["Roles"] == []


def test_a_generated_name_is_stable_and_another_one_for_another_seed(cloud: Cloud) -> None:
    first = properties(cloud.check("aws:iam/role:Role", {"assumeRolePolicy": TRUST}).inputs)
    again = properties(cloud.check("aws:iam/role:Role", {"assumeRolePolicy": TRUST}, first).inputs)
    assert first["name"].startswith("thing-")
    assert again["name"] == first["name"]
    assert again["__defaults"] == first["__defaults"]


def test_a_chosen_name_that_stays_is_deleted_before_it_is_created_again(cloud: Cloud) -> None:
    chosen = cloud.create("aws:iam/role:Role", name="chosen", assumeRolePolicy=TRUST)
    generated = cloud.create("aws:iam/role:Role", name="other", assumeRolePolicy=TRUST)
    assert chosen.outputs["name"].startswith("chosen-"), "`name` of create() is the logical name"
    assert not generated.diff(path="/x/").deleteBeforeReplace
    role = cloud.check("aws:iam/role:Role", {"name": "fixed", "assumeRolePolicy": TRUST, "path": "/a/"})
    news = cloud.check("aws:iam/role:Role", {"name": "fixed", "assumeRolePolicy": TRUST, "path": "/b/"})
    diff = cloud.provider.Diff(
        pb.DiffRequest(
            urn=cloud.urn("aws:iam/role:Role", "r"), olds=role.inputs, old_inputs=role.inputs, news=news.inputs
        )
    )
    assert diff.deleteBeforeReplace
    assert list(diff.replaces) == ["path"]


def test_provider_arguments_that_are_misspelt_are_refused(aws: LocalAws) -> None:
    provider = LocalProvider(aws.endpoint)
    news = {"region": REGION, "profil": "x", "assumeRoles": json.dumps([{"role_arn": "arn:aws:iam::1:role/x"}])}
    failures = {
        failure.property: failure.reason
        for failure in provider.CheckConfig(pb.CheckRequest(news=struct(news))).failures
    }
    assert "profil" in failures
    assert "role_arn" in failures["assumeRoles"]


def test_another_region_or_account_replaces_the_provider_and_other_tags_do_not(aws: LocalAws) -> None:
    provider = LocalProvider(aws.endpoint)
    old = {"region": REGION, "assumeRoles": "[]", "defaultTags": "{}"}

    def replaces(**changes: str) -> list[str]:
        request = pb.DiffRequest(old_inputs=struct(old), news=struct({**old, **changes}))
        return list(provider.DiffConfig(request).replaces)

    assert replaces(region="us-east-1") == ["region"]

    def role(account: str, name: str) -> str:
        return json.dumps([{"roleArn": f"arn:aws:iam::{account}:role/{name}"}])

    assert replaces(assumeRoles=role(OTHER, "deployer")) == ["assumeRoles"]
    old["assumeRoles"] = role(OTHER, "deployer")
    assert replaces(assumeRoles=role(OTHER, "other")) == [], (
        "another role of the same account reaches the same resources"
    )
    assert replaces(assumeRoles=role("111122223333", "deployer")) == ["assumeRoles"]
    assert replaces(defaultTags='{"tags":{}}') == []


def test_roles_are_assumed_and_the_account_is_checked(aws: LocalAws, client: Clients) -> None:
    arn = client("iam", OTHER).create_role(RoleName="deployer", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client("iam", OTHER).put_role_policy(
        RoleName="deployer", PolicyName="all", PolicyDocument=ALLOW.replace("s3:GetObject", "*")
    )
    roles = json.dumps([{"roleArn": arn, "sessionName": "test"}])
    cloud = Cloud(aws.endpoint, assumeRoles=roles, allowedAccountIds=json.dumps([OTHER]))
    made = cloud.create("aws:iam/role:Role", assumeRolePolicy=TRUST)
    assert made.outputs["arn"].split(":")[4] == OTHER
    with pytest.raises(ProviderError, match=f"AWS account ID not allowed: {OTHER}"):
        Cloud(aws.endpoint, assumeRoles=roles, allowedAccountIds=json.dumps([ACCOUNT]))


def test_a_role_that_may_not_be_assumed_fails_the_provider_with_its_arn(aws: LocalAws) -> None:
    with pytest.raises(ProviderError, match=r"Cannot assume IAM Role arn:aws:iam::444455556666:role/nobody"):
        Cloud(aws.endpoint, assumeRoles=json.dumps([{"roleArn": f"arn:aws:iam::{OTHER}:role/nobody"}]))


def test_changed_default_tags_update_a_resource(aws: LocalAws, cloud: Cloud, client: Clients) -> None:
    made = cloud.create("aws:iam/role:Role", assumeRolePolicy=TRUST, tags={"own": "1"})
    assert made.outputs["tagsAll"] == {"mesh": "orchard", "own": "1"}
    made.cloud = Cloud(aws.endpoint, defaultTags=json.dumps({"tags": {"mesh": "meadow"}}))
    diff = made.diff()
    assert list(diff.diffs) == ["tagsAll"]
    made.cloud.provider.Update(
        pb.UpdateRequest(urn=made.urn, id=made.id, olds=struct(made.outputs), news=struct(made.checked))
    )
    tags = client("iam").get_role(RoleName=made.id)["Role"]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"mesh": "meadow", "own": "1"}


TAGGED: dict[str, dict[str, Any]] = {
    "aws:iam/role:Role": {"assumeRolePolicy": TRUST},
    "aws:iam/policy:Policy": {"policy": ALLOW},
    "aws:kms/key:Key": {},
    "aws:cloudwatch/logGroup:LogGroup": {},
    "aws:glue/catalogDatabase:CatalogDatabase": {},
    "aws:s3/bucket:Bucket": {},
    "aws:athena/workgroup:Workgroup": {},
}


@pytest.mark.parametrize("kind", sorted(TAGGED))
def test_tags_come_change_and_go(cloud: Cloud, kind: str) -> None:
    made = cloud.create(kind, **TAGGED[kind], tags={"team": "one", "old": "x"})
    made.update(tags={"team": "two"})
    assert made.outputs["tagsAll"] == {"mesh": "orchard", "team": "two"}
    made.update(tags=None)
    assert made.outputs["tagsAll"] == {"mesh": "orchard"}


def test_what_aws_refuses_is_told_with_the_operation_and_its_error(cloud: Cloud) -> None:
    with pytest.raises(
        ProviderError, match=r"creating RolePolicy: operation error PutRolePolicy, api error NoSuchEntity"
    ):
        cloud.create("aws:iam/rolePolicy:RolePolicy", role="nobody", policy=ALLOW)


def test_the_same_object_serves_over_grpc(aws: LocalAws) -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        type("Served", (LocalProvider, provider_pb2_grpc.ResourceProviderServicer), {})(aws.endpoint), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        news = struct({"assumeRolePolicy": TRUST})
        checked = stub.Check(pb.CheckRequest(urn="urn:pulumi:s::p::aws:iam/role:Role::reader", news=news))
        assert properties(checked.inputs)["name"].startswith("reader-")
    finally:
        server.stop(None).wait()


# --------------------------------------------------------------------------------------------------------- values
def test_values_survive_the_way_through_protobuf() -> None:
    values = {"n": 3, "f": 0.5, "s": "x", "b": True, "l": [1, {"k": "v"}], "u": UNKNOWN, "e": []}
    decoded = properties(struct(values))
    assert decoded == values
    assert isinstance(decoded["n"], int)
    assert isinstance(decoded["u"], Unknown)
    assert has_unknown({"a": [decoded["u"]]})


def test_equal_contents_make_equal_zip_bytes_whatever_the_order_and_the_files_age(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")

    def archive(*names: str) -> dict[str, Any]:
        contents = {
            "a.py": {SIGNATURE: ASSET, "path": "a.py"},
            "manifest.json": {SIGNATURE: ASSET, "text": "{}"},
        }
        return {SIGNATURE: ARCHIVE, "assets": {name: contents[name] for name in names}}

    first = zip_bytes(archive("a.py", "manifest.json"), tmp_path)
    (tmp_path / "a.py").touch()
    assert zip_bytes(archive("manifest.json", "a.py"), tmp_path) == first
    with zipfile.ZipFile(io.BytesIO(first)) as bundle:
        assert bundle.namelist() == ["a.py", "manifest.json"]
    hashed = with_hashes({"code": archive("a.py")}, tmp_path)
    assert hashed["code"]["assets"]["a.py"]["path"] == str(tmp_path / "a.py")
    assert without_contents(hashed) == {"code": {SIGNATURE: ARCHIVE, "hash": hashed["code"]["hash"]}}


# ------------------------------------------------------------------------------------------------------------ iam
def test_role(cloud: Cloud, client: Clients) -> None:
    made = cloud.create("aws:iam/role:Role", assumeRolePolicy=TRUST, description="reads")
    settle(made)
    assert made.outputs["arn"] == f"arn:aws:iam::{ACCOUNT}:role/{made.id}"
    assert made.outputs["uniqueId"].startswith("AROA")
    assert not made.diff(assumeRolePolicy=json.dumps(json.loads(TRUST), indent=4)).diffs, "the same document"
    made.update(description="reads more", maxSessionDuration=7200)
    assert client("iam").get_role(RoleName=made.id)["Role"]["MaxSessionDuration"] == 7200
    assert made.replaces(path="/lakemesh/") == ["path"]
    made.delete()
    assert made.read() is None


def test_policies_of_a_role(cloud: Cloud, client: Clients) -> None:
    role = cloud.create("aws:iam/role:Role", assumeRolePolicy=TRUST)
    inline = cloud.create("aws:iam/rolePolicy:RolePolicy", role=role.id, policy=ALLOW)
    settle(inline)
    assert inline.id == f"{role.id}:{inline.outputs['name']}"
    inline.update(policy=ALLOW_LESS)
    managed = cloud.create("aws:iam/policy:Policy", policy=ALLOW, description="d")
    settle(managed)
    attachment = cloud.create(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role.id, policyArn=managed.outputs["arn"]
    )
    settle(attachment)
    assert attachment.replaces(role="other") == ["role"]
    for _ in range(3):  # more versions than a policy may have
        managed.update(policy=ALLOW_LESS)
        managed.update(policy=ALLOW)
    document = managed.read()
    assert document is not None
    assert json.loads(document["policy"]) == json.loads(ALLOW)
    with pytest.raises(ProviderError, match="DeleteConflict"):
        role.delete()
    for made in (attachment, managed, inline, role):
        made.delete()
        assert made.read() is None
    assert client("iam").list_roles()["Roles"] == []


# ------------------------------------------------------------------------------------------------------------ kms
def test_key_and_alias(cloud: Cloud, client: Clients) -> None:
    key = cloud.create("aws:kms/key:Key", description="catalog", enableKeyRotation=True, deletionWindowInDays=7)
    settle(key)
    assert key.outputs["arn"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key.id}"
    assert client("kms").get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"]
    key.update(description="the catalog's", enableKeyRotation=False)
    alias = cloud.create("aws:kms/alias:Alias", targetKeyId=key.outputs["keyId"])
    settle(alias)
    assert alias.id.startswith("alias/thing-")
    assert alias.outputs["targetKeyArn"] == key.outputs["arn"]
    other = cloud.create("aws:kms/key:Key")
    alias.update(targetKeyId=other.id)
    assert "alias/" in cloud.problems("aws:kms/alias:Alias", {"name": "x", "targetKeyId": key.id})["name"]
    for made in (alias, key, other):
        made.delete()
        assert made.read() is None
    assert client("kms").describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "PendingDeletion"


# ----------------------------------------------------------------------------------------------------------- logs
def test_log_group(cloud: Cloud, client: Clients) -> None:
    made = cloud.create("aws:cloudwatch/logGroup:LogGroup", retentionInDays=30)
    settle(made)
    assert made.outputs["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{made.id}"
    made.update(retentionInDays=365)
    made.update(retentionInDays=None)
    assert "retentionInDays" not in client("logs").describe_log_groups()["logGroups"][0]
    made.delete()
    assert made.read() is None


# --------------------------------------------------------------------------------------------------------- lambda
def bundle(code: str) -> dict[str, Any]:
    archive = {SIGNATURE: ARCHIVE, "assets": {"app.py": {SIGNATURE: ASSET, "text": code}}}
    return dict(with_hashes({"code": archive}, Path())["code"])


ECHO = "def handler(event, context):\n    return event\n"
FAILS = (
    "def handler(event, context):\n    raise ValueError('deploy stack central first\\n(pulumi up --stack central)')\n"
)


@pytest.fixture
def function(cloud: Cloud) -> Callable[..., Made]:
    def make(code: str) -> Made:
        role = cloud.create("aws:iam/role:Role", assumeRolePolicy=LAMBDA_TRUST)
        return cloud.create(
            "aws:lambda/function:Function",
            role=role.outputs["arn"],
            handler="app.handler",
            runtime="python3.13",
            code=bundle(code),
            architectures=["arm64"],
            environment={"variables": {"some_name": "kept"}},
            timeout=30,
        )

    return make


def test_function(cloud: Cloud, client: Clients, function: Callable[..., Made]) -> None:
    made = function(ECHO)
    settle(made)
    assert made.outputs["arn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{made.id}"
    found = client("lambda").get_function(FunctionName=made.id)["Configuration"]
    assert found["Environment"]["Variables"] == {"some_name": "kept"}
    before = made.outputs["codeSha256"]
    made.update(code=bundle(ECHO + "# more\n"))
    assert made.outputs["codeSha256"] != before
    made.update(timeout=60, memorySize=256)
    made.update(tags={"team": "one"})
    made.update(tags=None)
    made.update(reservedConcurrentExecutions=5)
    made.update(reservedConcurrentExecutions=None)
    assert client("lambda").get_function(FunctionName=made.id)["Configuration"]["Timeout"] == 60
    problems = cloud.problems("aws:lambda/function:Function", {"role": "r", "packageType": "Image"})
    assert {"packageType", "code", "handler", "runtime"} <= problems.keys()
    made.delete()
    assert made.read() is None


def test_an_invocation_with_crud_scope_is_told_what_is_done_and_what_it_was_told_last(
    cloud: Cloud, client: Clients, function: Callable[..., Made]
) -> None:
    name = function(ECHO).id
    made = cloud.create(
        "aws:lambda/invocation:Invocation", functionName=name, input='{"twin":"a"}', lifecycleScope="CRUD"
    )
    assert json.loads(made.outputs["result"]) == {"twin": "a", "tf": {"action": "create", "prev_input": None}}
    assert not made.diff(input='{ "twin": "a" }').replaces
    made.update(input='{"twin":"b"}')
    assert json.loads(made.outputs["result"]) == {"twin": "b", "tf": {"action": "update", "prev_input": {"twin": "a"}}}
    planned = cloud.provider.Update(
        pb.UpdateRequest(
            urn=made.urn,
            id=made.id,
            olds=struct(made.outputs),
            news=struct({**made.inputs, "input": "{}"}),
            preview=True,
        )
    )
    assert isinstance(properties(planned.properties)["result"], Unknown)
    made.delete()


def test_an_invocation_at_creation_only_is_replaced_by_another_input(
    cloud: Cloud, function: Callable[..., Made]
) -> None:
    made = cloud.create("aws:lambda/invocation:Invocation", functionName=function(ECHO).id, input="[1]")
    assert made.outputs["result"].replace(" ", "") == "[1]"
    assert made.replaces(input="[2]") == ["input"]
    assert "JSON object" in cloud.problems(
        "aws:lambda/invocation:Invocation", {"functionName": "f", "input": "[1]", "lifecycleScope": "CRUD"}
    )["input"]  # fmt: skip


def test_a_failing_function_fails_the_resource_with_its_whole_message(
    cloud: Cloud, function: Callable[..., Made]
) -> None:
    made = function(FAILS)
    with pytest.raises(ProviderError) as error:
        cloud.create("aws:lambda/invocation:Invocation", functionName=made.id, input="{}")
    assert f"invoking Lambda Function ({made.id}): ValueError: deploy stack central first\n(pulumi up" in str(
        error.value
    )


# ----------------------------------------------------------------------------------------------------------- glue
def test_database_and_link(cloud: Cloud, client: Clients) -> None:
    made = cloud.create("aws:glue/catalogDatabase:CatalogDatabase", name="Sales", description="d")
    settle(made)
    assert made.outputs["name"] == f"sales-{made.outputs['name'][-7:]}", "generated names are lower-case"
    assert made.id == f"{ACCOUNT}:{made.outputs['name']}"
    made.update(description="sales", parameters={"k": "v"})
    assert client("glue").get_database(Name=made.outputs["name"])["Database"]["Description"] == "sales"
    assert "uppercase" in cloud.problems("aws:glue/catalogDatabase:CatalogDatabase", {"name": "Sales"})["name"]
    link = cloud.create(
        "aws:glue/catalogDatabase:CatalogDatabase",
        name="link",
        targetDatabase={"catalogId": OTHER, "databaseName": "far"},
    )
    settle(link)
    assert client("glue").get_database(Name=link.outputs["name"])["Database"]["TargetDatabase"]["CatalogId"] == OTHER
    for one in (link, made):
        one.delete()
        assert one.read() is None


def test_an_update_of_a_database_keeps_its_default_permissions(cloud: Cloud, client: Clients) -> None:
    made = cloud.create("aws:glue/catalogDatabase:CatalogDatabase", createTableDefaultPermissions=[])
    kept = client("glue").get_database(Name=made.outputs["name"])["Database"]["CreateTableDefaultPermissions"]
    made.update(description="x")
    found = client("glue").get_database(Name=made.outputs["name"])["Database"]["CreateTableDefaultPermissions"]
    assert found == kept == []


def test_catalog_encryption(cloud: Cloud, client: Clients) -> None:
    key = cloud.create("aws:kms/key:Key")
    settings = {
        "connectionPasswordEncryption": {"returnConnectionPasswordEncrypted": True, "awsKmsKeyId": key.outputs["arn"]},
        "encryptionAtRest": {"catalogEncryptionMode": "SSE-KMS", "sseAwsKmsKeyId": key.outputs["arn"]},
    }
    made = cloud.create(
        "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings", dataCatalogEncryptionSettings=settings
    )
    settle(made)
    found = client("glue").get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    assert found["EncryptionAtRest"]["SseAwsKmsKeyId"] == key.outputs["arn"]
    made.delete()
    found = client("glue").get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    assert found["EncryptionAtRest"]["CatalogEncryptionMode"] == "DISABLED"


# -------------------------------------------------------------------------------------------------- lakeformation
@pytest.fixture
def governed(cloud: Cloud, client: Clients) -> Cloud:
    """An account whose administrator is a data lake administrator, with a database."""
    client("lakeformation").put_data_lake_settings(
        DataLakeSettings={"DataLakeAdmins": [{"DataLakePrincipalIdentifier": f"arn:aws:iam::{ACCOUNT}:root"}]}
    )
    client("iam").create_role(RoleName="analyst", AssumeRolePolicyDocument=TRUST)
    client("glue").create_database(DatabaseInput={"Name": "ar"})
    return cloud


ANALYST = f"arn:aws:iam::{ACCOUNT}:role/analyst"


def test_settings_are_one_object_and_their_deletion_empties_them(governed: Cloud, client: Clients) -> None:
    made = governed.create(
        "aws:lakeformation/dataLakeSettings:DataLakeSettings",
        admins=[ANALYST],
        parameters={"CROSS_ACCOUNT_VERSION": "4"},
        trustedResourceOwners=[OTHER],
    )
    settle(made)
    found = client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    assert [admin["DataLakePrincipalIdentifier"] for admin in found["DataLakeAdmins"]] == [ANALYST]
    assert found["CreateTableDefaultPermissions"] == []
    made.update(trustedResourceOwners=None)
    made.delete()
    found = client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    assert found["DataLakeAdmins"] == []
    assert found["Parameters"]["CROSS_ACCOUNT_VERSION"] == "1"


def test_lf_tag_with_more_values_than_one_call_takes(governed: Cloud, client: Clients) -> None:
    values = [f"v{n:03}" for n in range(120)]
    made = governed.create("aws:lakeformation/lfTag:LfTag", key="product", values=values)
    settle(made)
    assert made.id == f"{ACCOUNT}:product"
    assert sorted(client("lakeformation").get_lf_tag(TagKey="product")["TagValues"]) == values
    assert not made.diff(values=list(reversed(values))).diffs, "values are a set"
    made.update(values=[*values[60:], "new"])
    assert sorted(client("lakeformation").get_lf_tag(TagKey="product")["TagValues"]) == sorted([*values[60:], "new"])
    made.delete()
    assert made.read() is None


def test_registered_location_cannot_change_in_place(governed: Cloud, client: Clients) -> None:
    made = governed.create("aws:lakeformation/resource:Resource", arn="arn:aws:s3:::lake/raw", roleArn=ANALYST)
    settle(made)
    assert made.id == "arn:aws:s3:::lake/raw"
    assert made.replaces(roleArn=f"{ANALYST}2") == ["roleArn"]
    made.delete()
    assert made.read() is None


def test_tag_of_a_database(governed: Cloud, client: Clients) -> None:
    governed.create("aws:lakeformation/lfTag:LfTag", key="domain", values=["ar", "ap"])
    made = governed.create(
        "aws:lakeformation/resourceLfTag:ResourceLfTag", database={"name": "ar"}, lfTag={"key": "domain", "value": "ar"}
    )
    settle(made)
    assert made.replaces(lfTag={"key": "domain", "value": "ap"}) == ["lfTag"]
    made.delete()
    assert made.read() is None
    two = {
        "database": {"name": "ar"},
        "table": {"databaseName": "ar", "name": "t"},
        "lfTag": {"key": "k", "value": "v"},
    }
    assert "exactly one" in governed.problems("aws:lakeformation/resourceLfTag:ResourceLfTag", two)[""]


@pytest.mark.parametrize(
    ("where", "permissions"),
    [
        ({"database": {"name": "ar", "catalogId": ACCOUNT}}, ["CREATE_TABLE", "DESCRIBE"]),
        ({"table": {"databaseName": "ar", "wildcard": True}}, ["DESCRIBE"]),
        ({"lfTag": {"key": "domain", "values": ["ar"]}}, ["DESCRIBE"]),
        (
            {"lfTagPolicy": {"resourceType": "TABLE", "expressions": [{"key": "domain", "values": ["ar", "ap"]}]}},
            ["SELECT"],
        ),
        ({"catalogResource": True}, ["CREATE_DATABASE"]),
        ({"dataLocation": {"arn": "arn:aws:s3:::lake/raw"}}, ["DATA_LOCATION_ACCESS"]),
    ],
)
def test_permissions_are_granted_read_back_and_revoked(
    governed: Cloud, client: Clients, where: dict[str, Any], permissions: list[str]
) -> None:
    governed.create("aws:lakeformation/lfTag:LfTag", key="domain", values=["ar", "ap"])
    governed.create("aws:lakeformation/resource:Resource", arn="arn:aws:s3:::lake/raw", roleArn=ANALYST)
    made = governed.create(
        "aws:lakeformation/permissions:Permissions", principal=ANALYST, permissions=permissions, **where
    )
    settle(made)
    assert made.replaces(principal=f"{ANALYST}2") == ["principal"]
    made.delete()
    assert made.read() is None


DATA = {"tableCatalogId": ACCOUNT, "databaseName": "ar", "tableName": "invoice", "name": "f"}


@pytest.mark.parametrize(
    "shown",
    [
        {"columnNames": ["id"], "rowFilter": {"filterExpression": "id > 3"}},
        {"columnWildcard": {"excludedColumnNames": ["name"]}, "rowFilter": {"allRowsWildcard": {}}},
    ],
)
def test_a_data_cells_filter_and_a_grant_on_it(governed: Cloud, client: Clients, shown: dict[str, Any]) -> None:
    columns = [{"Name": "id", "Type": "int"}, {"Name": "name", "Type": "string"}]
    client("glue").create_table(
        DatabaseName="ar", TableInput={"Name": "invoice", "StorageDescriptor": {"Columns": columns}}
    )
    made = governed.create("aws:lakeformation/dataCellsFilter:DataCellsFilter", tableData={**DATA, **shown})
    settle(made)
    assert made.id == f"ar,f,{ACCOUNT},invoice"
    granted = governed.create(
        "aws:lakeformation/permissions:Permissions", principal=ANALYST, permissions=["SELECT"], dataCellsFilter=DATA
    )
    settle(granted)
    granted.delete()
    assert granted.read() is None
    assert made.replaces(tableData={**DATA, **shown, "name": "g"}) == ["tableData"]
    made.delete()
    assert made.read() is None


def test_a_data_cells_filter_says_columns_and_rows_in_one_way_each(governed: Cloud) -> None:
    kind = "aws:lakeformation/dataCellsFilter:DataCellsFilter"
    rows = {"allRowsWildcard": {}}
    assert (
        "columnNames,columnWildcard" in governed.problems(kind, {"tableData": {**DATA, "rowFilter": rows}})["tableData"]
    )
    both = {**DATA, "columnNames": ["id"], "rowFilter": {**rows, "filterExpression": "id > 3"}}
    assert "allRowsWildcard" in governed.problems(kind, {"tableData": both})["tableData.rowFilter"]


def test_permissions_have_no_update_and_sets_have_no_order(governed: Cloud) -> None:
    governed.create("aws:lakeformation/lfTag:LfTag", key="domain", values=["ar", "ap"])
    expression = {"resourceType": "TABLE", "expressions": [{"key": "domain", "values": ["ar", "ap"]}]}
    made = governed.create(
        "aws:lakeformation/permissions:Permissions", principal=ANALYST, permissions=["SELECT"], lfTagPolicy=expression
    )
    turned = {"resourceType": "TABLE", "expressions": [{"key": "domain", "values": ["ap", "ar"]}]}
    assert not made.diff(lfTagPolicy=turned).diffs
    assert made.replaces(permissions=["SELECT", "DESCRIBE"]) == ["permissions"]


# ------------------------------------------------------------------------------------------------------------- s3
def test_bucket_and_what_is_set_on_it(cloud: Cloud, client: Clients) -> None:
    bucket = cloud.create("aws:s3/bucket:Bucket", forceDestroy=True)
    settle(bucket)
    assert bucket.outputs["arn"] == f"arn:aws:s3:::{bucket.id}"
    assert client("s3").get_bucket_location(Bucket=bucket.id)["LocationConstraint"] == REGION
    bucket.update(tags={"own": "1"})
    closed = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
    policy = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{bucket.outputs['arn']}/x/*"}],
    })  # fmt: skip
    default = {"sseAlgorithm": "AES256"}
    rule = {"id": "expire", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 30},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1}}  # fmt: skip
    parts = [
        cloud.create("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket=bucket.id, **closed),
        cloud.create(
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            bucket=bucket.id,
            rule={"objectOwnership": "BucketOwnerEnforced"},
        ),
        cloud.create(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            bucket=bucket.id,
            rules=[{"applyServerSideEncryptionByDefault": default}],
        ),
        cloud.create(
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket=bucket.id, rules=[rule]
        ),
        cloud.create("aws:s3/bucketPolicy:BucketPolicy", bucket=bucket.id, policy=policy),
    ]
    for part in parts:
        settle(part)
        assert part.id == bucket.id
    parts[0].update(blockPublicAcls=False)
    parts[3].update(rules=[{**rule, "expiration": {"days": 7}}])
    found = client("s3").get_bucket_lifecycle_configuration(Bucket=bucket.id)["Rules"][0]
    assert found["Expiration"]["Days"] == 7
    client("s3").put_object(Bucket=bucket.id, Key="a", Body=b"1")
    for part in parts:
        part.delete()
    bucket.delete()
    assert bucket.read() is None


def test_a_bucket_that_is_not_empty_is_not_deleted_unless_it_is_forced(cloud: Cloud, client: Clients) -> None:
    bucket = cloud.create("aws:s3/bucket:Bucket")
    client("s3").put_object(Bucket=bucket.id, Key="a", Body=b"1")
    with pytest.raises(ProviderError, match="BucketNotEmpty"):
        bucket.delete()


# --------------------------------------------------------------------------------------------------------- athena
def test_workgroup(cloud: Cloud, client: Clients) -> None:
    results = {
        "outputLocation": "s3://results/analyst/",
        "encryptionConfiguration": {"encryptionOption": "SSE_S3"},
        "expectedBucketOwner": ACCOUNT,
    }
    made = cloud.create(
        "aws:athena/workgroup:Workgroup",
        configuration={"enforceWorkgroupConfiguration": True, "resultConfiguration": results},
        forceDestroy=True,
    )
    settle(made)
    assert made.outputs["arn"] == f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{made.id}"
    found = client("athena").get_work_group(WorkGroup=made.id)["WorkGroup"]["Configuration"]
    assert found["ResultConfiguration"]["OutputLocation"] == "s3://results/analyst/"
    made.update(configuration={"resultConfiguration": {**results, "outputLocation": "s3://results/other/"}})
    found = client("athena").get_work_group(WorkGroup=made.id)["WorkGroup"]["Configuration"]
    assert found["ResultConfiguration"]["OutputLocation"] == "s3://results/other/"
    low = {"configuration": {"bytesScannedCutoffPerQuery": 100}}
    assert cloud.problems("aws:athena/workgroup:Workgroup", low)
    made.delete()
    with pytest.raises(ClientError):
        client("athena").get_work_group(WorkGroup=made.id)
    assert made.read() is None
