"""The functions under exactly the roles that the components make: nothing they ask for is refused to them, and nothing
is allowed to them that no scenario uses.

The sample is deployed to a local AWS that remembers every permission it was asked for (`tests.bootstrap.recording`);
then producers, people and time do what they do: events, refreshes, deletions, the guard, held schemas, failures.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakemesh.declarations.naming import Naming
from lakemesh.demo import process
from local_aws.services import policy
from local_aws.services.policy import Decision
from tests.bootstrap.conftest import Asked, ask, asked_of
from tests.e2e.conftest import SAMPLE, World
from tests.e2e.test_sync import LISTED, TABLE, TWIN, Followed, definition, table_input

pytestmark = pytest.mark.e2e

UNUSED = {
    "sync: CatalogKey: kms:Encrypt": "Glue's page asks for it beside the two that the local AWS knows to be asked",
}
"""`role: Sid: action` that no scenario asks for, each with its reason. The proof accepts nothing else."""


@dataclass(frozen=True)
class Role:
    """A role of a function, with the statements that its deployed policies hold."""

    kind: str
    arn: str
    statements: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Ran:
    """What came of the scenarios."""

    roles: tuple[Role, ...]
    asked: tuple[Asked, ...]
    seen: Mapping[str, Any]

    def of(self, role: Role) -> list[Asked]:
        return [each for each in self.asked if each.principal == role.arn]

    def used(self, kind: str) -> dict[tuple[str, str], bool]:
        """Whether a scenario used an action of a statement, for any role of this kind."""
        found: dict[tuple[str, str], bool] = {}
        for role in (role for role in self.roles if role.kind == kind):
            asked = self.of(role)
            for statement in allowing(role):
                by = {each.request.action for each in asked if allows([statement], each)}
                for action in statement["Action"]:
                    key = statement["Sid"], action
                    found[key] = found.get(key, False) or action in by
        return found


def allows(statements: Sequence[Mapping[str, Any]], asked: Asked) -> bool:
    return policy.decide(statements, asked.request) is Decision.ALLOW


def allowing(role: Role) -> list[Mapping[str, Any]]:
    return [statement for statement in role.statements if statement["Effect"] == "Allow"]


def role_of(world: World, kind: str, account: str, name: str) -> Role:
    """A role as IAM has it: its inline policies and the default versions of those attached."""
    iam = world.root("iam", account)
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    statements = [statement for document in documents for statement in document["Statement"]]
    return Role(kind, iam.get_role(RoleName=name)["Role"]["Arn"], tuple(statements))


def roles(world: World) -> tuple[Role, ...]:
    mesh, naming = world.declarations.mesh, Naming(world.declarations.mesh)
    central = mesh.central.account
    found = [role_of(world, "sync", central, naming.sync_role), role_of(world, "tag", central, naming.tag_role)]
    for name, producer in mesh.producers.items():
        found.append(role_of(world, "reader", producer.account, naming.reader_role(name)))
        found.append(role_of(world, "forwarding", producer.account, naming.forwarding_role(name)))
        if producer.policy_statements == "merge":
            found.append(role_of(world, "policy_statements", producer.account, naming.statements_role(name)))
    for name, consumer in mesh.consumers.items():
        found.append(role_of(world, "accept_shares", consumer.account, naming.shares_role(name)))
    return tuple(found)


# ---------------------------------------------------------------------------------------------------- the scenarios
def events(mesh: Followed) -> None:
    """A table that comes and changes, and partitions that come, change and go."""
    mesh.create("receipt_id")
    mesh.settle()
    mesh.add("2026-03-01", "2026-03-02")
    mesh.settle()
    changed = {"Values": ["2026-03-01"], "StorageDescriptor": table_input("receipt_id", "more")["StorageDescriptor"]}
    mesh.producer.update_partition(
        DatabaseName=TWIN, TableName=TABLE, PartitionValueList=["2026-03-01"], PartitionInput=changed
    )
    mesh.producer.delete_partition(DatabaseName=TWIN, TableName=TABLE, PartitionValues=["2026-03-02"])
    mesh.producer.update_table(DatabaseName=TWIN, TableInput=table_input("receipt_id", "warehouse"))
    mesh.settle()


def hold(mesh: Followed) -> None:
    """A breaking change of a table that consumers read is held and told; then it is taken back."""
    original = definition(mesh, *LISTED)
    narrower = json.loads(json.dumps(original))
    narrower["StorageDescriptor"]["Columns"].pop(0)
    mesh.producer.update_table(DatabaseName=LISTED[0], TableInput=narrower)
    mesh.settle()
    mesh.producer.update_table(DatabaseName=LISTED[0], TableInput=original)
    mesh.settle()


def tags(mesh: Followed) -> None:
    """A new column, and a tag that somebody set on it: the refresh takes it away."""
    original = definition(mesh, *LISTED)
    wider = json.loads(json.dumps(original))
    wider["StorageDescriptor"]["Columns"].append({"Name": "note", "Type": "string"})
    mesh.producer.update_table(DatabaseName=LISTED[0], TableInput=wider)
    mesh.settle()
    column = {"DatabaseName": LISTED[0], "Name": LISTED[1], "ColumnNames": ["note"]}
    mesh.world.root("lakeformation", mesh.central_account).add_lf_tags_to_resource(
        Resource={"TableWithColumns": column}, LFTags=[{"TagKey": "sensitivity", "TagValues": ["public"]}]
    )
    mesh.refresh()
    mesh.producer.update_table(DatabaseName=LISTED[0], TableInput=original)
    mesh.settle()


def guard(mesh: Followed) -> None:
    """Very many tables go at once: the guard holds them; then they come back and it is over."""
    tables = [{**table_input("id"), "Name": f"old_{number:02d}"} for number in range(14)]
    for table in tables:
        mesh.producer.create_table(DatabaseName=TWIN, TableInput=table)
    mesh.refresh()
    for table in tables:
        mesh.producer.delete_table(DatabaseName=TWIN, Name=table["Name"])
    mesh.refresh()
    mesh.refresh()
    for table in tables:
        mesh.producer.create_table(DatabaseName=TWIN, TableInput=table)
    mesh.refresh()
    mesh.advance(900)


def deletion(mesh: Followed) -> None:
    """A table that is gone leaves its twin, at a producer of each kind; one refresh later it is forgotten."""
    erp = mesh.world.root("glue", mesh.world.declarations.mesh.producers["erp"].account)
    table = {**table_input("id"), "Name": "retired"}
    table["StorageDescriptor"]["Location"] = "s3://acme-erp-lake/raw/ar/retired/"
    erp.create_table(DatabaseName="ar_raw", TableInput=table)
    mesh.refresh()
    assert mesh.twin("retired", "ar_raw") is not None
    mesh.drop()
    erp.delete_table(DatabaseName="ar_raw", Name="retired")
    for _ in range(3):
        mesh.refresh()


def rejected(mesh: Followed) -> None:
    """A consumer's administrator rejects one invitation; the function runs again and tells of it."""
    consumer = mesh.world.declarations.mesh.consumers["treasury"].account
    ram, lambda_ = (mesh.world.root(service, consumer) for service in ("ram", "lambda"))
    mesh.world.root("lakeformation", mesh.central_account).grant_permissions(
        Principal={"DataLakePrincipalIdentifier": consumer}, Permissions=["DESCRIBE"],
        Resource={"Table": {"DatabaseName": TWIN, "TableWildcard": {}}},
    )  # fmt: skip
    (waiting,) = [
        one for one in ram.get_resource_share_invitations()["resourceShareInvitations"] if one["status"] == "PENDING"
    ]
    ram.reject_resource_share_invitation(resourceShareInvitationArn=waiting["resourceShareInvitationArn"])
    event = {"action": "accept", "owner": mesh.central_account, "databases": [TWIN], "digest": "again"}
    answer = lambda_.invoke(FunctionName=mesh.naming.shares_function("treasury"), Payload=json.dumps(event).encode())
    assert [one["status"] for one in json.load(answer["Payload"])["unusable"]] == ["REJECTED"]


def failure(mesh: Followed) -> None:
    """A message that nobody can read, which comes back until it is put aside."""
    url = mesh.queue.get_queue_url(QueueName=mesh.naming.sync_queue)["QueueUrl"]
    mesh.queue.send_message(QueueUrl=url, MessageBody="{not json")
    for _ in range(6):
        mesh.advance(1000)


def impatient(folder: Path) -> Path:
    """The sample, whose tables leave their twins as soon as they are gone: functions keep the machine's time."""
    mesh = Path(shutil.copytree(SAMPLE, folder / "mesh"))
    text = (mesh / "mesh.yaml").read_text(encoding="utf-8")
    assert "gracePeriodHours: 24" in text
    (mesh / "mesh.yaml").write_text(text.replace("gracePeriodHours: 24", "gracePeriodHours: 0"), encoding="utf-8")
    return mesh


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "MODULE", "tests.bootstrap.recording")
        with process.LocalAwsProcess() as aws:
            world = World(aws.endpoint, impatient(tmp_path_factory.mktemp("roles"))).prepare()
            ask(aws.endpoint, "DELETE")
            world.up()
            made, mesh, seen = roles(world), Followed(world), dict[str, Any]()
            events(mesh)
            seen["columns"], seen["partitions"] = mesh.columns(), mesh.partitions()
            hold(mesh)
            seen["told"] = [one["topic"].rpartition(":")[2] for one in mesh.control("notifications")["notifications"]]
            tags(mesh)
            guard(mesh)
            seen["guard"] = mesh.metric("GuardTrips", domain="ap")
            deletion(mesh)
            rejected(mesh)
            seen["left"] = mesh.twin() is not None, mesh.twin("retired", "ar_raw") is not None
            seen["failed"] = mesh.metric("MessagesFailed", reason="work")
            failure(mesh)
            seen["poison"] = mesh.waiting(mesh.naming.dead_letter_queue)
            world.destroy(exclude_protected=True)
            yield Ran(made, tuple(map(asked_of, ask(aws.endpoint))), seen)


def test_the_scenarios_happened(ran: Ran) -> None:
    """What is proven below is worth what was done."""
    assert ran.seen["columns"] == ["receipt_id", "warehouse"]
    assert ran.seen["partitions"] == [["2026-03-01"]]
    assert any(topic.endswith("owner-ap") for topic in ran.seen["told"]), ran.seen["told"]
    assert ran.seen["guard"] > 0
    assert ran.seen["left"] == (False, False)
    assert ran.seen["failed"] == 0
    assert ran.seen["poison"] == 1


def test_nothing_is_refused_to_the_functions(ran: Ran) -> None:
    refused = [str(each) for role in ran.roles for each in ran.of(role) if not each.allowed]
    assert not refused, "\n".join(refused)


def test_every_role_was_used(ran: Ran) -> None:
    assert not [role.arn for role in ran.roles if not ran.of(role)]


def test_each_action_of_each_statement_is_used_or_named_with_the_reason_why_not(ran: Ran) -> None:
    unused = {
        f"{kind}: {sid}: {action}"
        for kind in sorted({role.kind for role in ran.roles})
        for (sid, action), yes in ran.used(kind).items()
        if not yes
    }
    assert not unused - UNUSED.keys(), "allowed, asked for by nothing, and not named with a reason:\n" + "\n".join(
        sorted(unused - UNUSED.keys())
    )
    assert not UNUSED.keys() - unused, f"used by now, or not allowed: take it off UNUSED: {UNUSED.keys() - unused}"


def test_without_any_one_statement_something_that_a_function_asks_for_is_refused(ran: Ran) -> None:
    spare = []
    for role in ran.roles:
        every, asked = allowing(role), ran.of(role)
        for statement in every:
            rest = [other for other in every if other is not statement]
            needed = [each for each in asked if allows([statement], each)]
            if needed and all(allows(rest, each) for each in needed):
                spare.append(f"{role.kind}: {statement['Sid']}")
    assert not spare, "another statement allows the same:\n" + "\n".join(spare)
