"""What accounts have before any mesh: an organization, the roles that declarations name, and what bootstrap makes.

A company's platform team has made all this long before; on the local AWS `prepare` stands in for it. The deploying
roles have the policies, boundaries and trust of `lakemesh bootstrap`'s templates, and nothing more: what deploys here
has the permissions that it needs on AWS. It touches nothing that the mesh's own stacks own, and running it again
changes nothing.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.config import Config

from lakemesh.bootstrap.documents import Statement, pack
from lakemesh.bootstrap.templates import Template, templates
from lakemesh.declarations.models import Declarations, Governance
from lakemesh.declarations.naming import Naming
from lakemesh.deploy.bootstrapped import apply, granted

POLICY = "before-lakemesh"
"""Name of the inline policy that each of these roles gets."""

# What people who query hold on the IAM side; Lake Formation decides what they see (Lake Formation developer guide,
# "Lake Formation personas and IAM permissions reference", data analyst permissions).
QUERY_ACTIONS = (
    "glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:SearchTables",
    "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition", "glue:GetTableVersions",
    "lakeformation:GetDataAccess",
    "athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:StopQueryExecution",
    "athena:ListQueryExecutions", "athena:GetWorkGroup", "athena:ListWorkGroups", "athena:ListDataCatalogs",
    "athena:GetDataCatalog", "athena:ListDatabases", "athena:ListTableMetadata", "athena:GetTableMetadata",
    "athena:GetDatabase", "kms:Decrypt",
)  # fmt: skip
# The same guide, data lake administrator permissions.
ADMINISTRATOR_ACTIONS = (
    "lakeformation:*",
    "glue:*",
    "athena:*",
    "ram:*",
    "iam:GetRole",
    "iam:ListRoles",
    "kms:Decrypt",
)


@dataclass(frozen=True)
class ExistingRole:
    """A role that is there before the mesh, and the actions that its policy allows."""

    arn: str
    actions: tuple[str, ...]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """The role's path: what stands between `role/` and the name."""
        return self.arn.split(":role", 1)[1].removesuffix(self.name)


def roles(declarations: Declarations) -> tuple[ExistingRole, ...]:
    """Every role that people have and the declarations name, each once. The deploying roles are bootstrap's."""
    found: dict[str, ExistingRole] = {}
    administrators = (
        *declarations.mesh.central.administrators,
        *(arn for consumer in declarations.consumers.values() for arn in consumer.administrators),
    )
    for arn in administrators:
        found.setdefault(arn, ExistingRole(arn, ADMINISTRATOR_ACTIONS))
    for consumer in declarations.consumers.values():
        for principal in consumer.principals.values():
            found.setdefault(principal.role, ExistingRole(principal.role, QUERY_ACTIONS))
    return tuple(found.values())


def deploy_roles(declarations: Declarations) -> tuple[Template, ...]:
    """Bootstrap's template of every account. On the local AWS, which knows no identity provider, the person who
    administers the governance account stands in for the pipeline. Raises BootstrapError."""
    partition, central = Naming(declarations.mesh).partition, declarations.mesh.central.account
    return templates(declarations, trusted=(f"arn:{partition}:iam::{central}:root",))


def prepare(declarations: Declarations, endpoint: str) -> None:
    """Make what real accounts have before the first deployment, as each account's own root. Idempotent."""
    _Preparer(declarations, endpoint).run()


def _widened(template: Template, before: list[Statement]) -> Template:
    """`template`, whose deploying role keeps what it may do to what left the mesh: it is about to delete that.

    As docs/bootstrap.md has it for real accounts: deploy a removal first, run bootstrap's templates after it.
    """
    kept = {statement["Sid"]: list(statement["Resource"]) for statement in before}
    statements = [statement for document in template.policies for statement in document["Statement"]]
    wider = [{**each, "Resource": sorted({*each["Resource"], *kept.get(each["Sid"], ())})} for each in statements]
    return replace(template, policies=tuple(pack(wider)))


class _Preparer:
    def __init__(self, declarations: Declarations, endpoint: str) -> None:
        self._declarations, self._endpoint = declarations, endpoint
        self._partition = Naming(declarations.mesh).partition
        self._session = boto3.Session(region_name=declarations.mesh.region)

    def run(self) -> None:
        self._organization()
        for account, made in self._by_account():
            iam = self._client("iam", account)
            for role in made:
                self._role(iam, role)
        for template in deploy_roles(self._declarations):
            iam = self._client("iam", template.place.account)
            apply(_widened(template, granted(template, iam)), iam)
        for name, producer in self._declarations.mesh.producers.items():
            if producer.governance is Governance.LAKE_FORMATION:
                arn = Naming(self._declarations.mesh).deploy_role_arn("producer", name)
                self._administrator(producer.account, arn)

    def _by_account(self) -> Iterator[tuple[str, list[ExistingRole]]]:
        every = roles(self._declarations)
        for account in dict.fromkeys(role.account for role in every):
            yield account, [role for role in every if role.account == account]

    def _client(self, service: str, account: str) -> Any:
        session: Any = self._session
        return session.client(
            service,
            endpoint_url=self._endpoint,
            # On the local AWS an account's id as access key is its administrator.
            aws_access_key_id=account,
            aws_secret_access_key="local",  # noqa: S106 - nothing there verifies signatures
            config=Config(retries={"max_attempts": 3}, proxies={}),
        )

    def _organization(self) -> None:
        mesh = self._declarations.mesh
        accounts = [entry.account for group in (mesh.producers, mesh.consumers) for entry in group.values()]
        body = {
            "id": mesh.organization.id,
            "management": mesh.central.account,
            "members": sorted({mesh.central.account, *accounts}),
            "ramSharing": mesh.organization.ram_sharing,
        }
        request = urllib.request.Request(  # noqa: S310 - the endpoint is http(s)
            f"{self._endpoint}/_local/organization",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        # Loopback is never reached through a proxy.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30):
            pass

    def _role(self, iam: Any, role: ExistingRole) -> None:
        own = f"arn:{self._partition}:iam::{role.account}:root"
        trust = _document({"Action": "sts:AssumeRole", "Principal": {"AWS": [own]}})
        try:
            iam.get_role(RoleName=role.name)
        except iam.exceptions.NoSuchEntityException:
            iam.create_role(RoleName=role.name, Path=role.path, AssumeRolePolicyDocument=trust)
        if POLICY not in iam.list_role_policies(RoleName=role.name)["PolicyNames"]:
            document = _document({"Action": list(role.actions), "Resource": "*"})
            iam.put_role_policy(RoleName=role.name, PolicyName=POLICY, PolicyDocument=document)

    def _administrator(self, account: str, arn: str) -> None:
        """Make `arn` a data lake administrator beside those there are: only one can grant on a governed catalog."""
        client = self._client("lakeformation", account)
        settings: dict[str, Any] = client.get_data_lake_settings()["DataLakeSettings"]
        administrators: list[Mapping[str, str]] = settings.get("DataLakeAdmins", [])
        if not any(one["DataLakePrincipalIdentifier"] == arn for one in administrators):
            settings["DataLakeAdmins"] = [*administrators, {"DataLakePrincipalIdentifier": arn}]
            client.put_data_lake_settings(DataLakeSettings=settings)


def _document(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
