"""A small lake for the tests of Lake Formation and RAM: an owner with two tables, and a recipient."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

OWNER, RECIPIENT, REGION = "100000000001", "200000000002", "eu-west-1"
ADMIN_SETTINGS: dict[str, Any] = {"DataLakeAdmins": [], "Parameters": {"CROSS_ACCOUNT_VERSION": "4"}}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
COLUMNS = ["id", "amount", "iban"]


def role(client: Any, account: str, name: str) -> str:
    """A role that IAM lets do everything, so that Lake Formation decides."""
    iam = client("iam", account)
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ]
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    return str(arn)


class Lake:
    """`owner` and `recipient` are Lake Formation clients of the two accounts' administrators."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.owner, self.recipient = client("lakeformation", OWNER), client("lakeformation", RECIPIENT)
        self.glue = client("glue", OWNER)
        for each in (self.owner, self.recipient):
            each.put_data_lake_settings(DataLakeSettings=ADMIN_SETTINGS)
        self.glue.create_database(DatabaseInput={"Name": "sales"})
        for name in ("orders", "returns"):
            self.glue.create_table(DatabaseName="sales", TableInput=self.table(name))
        self.owner.create_lf_tag(TagKey="sensitivity", TagValues=["public", "internal", "unreviewed"])
        self.owner.create_lf_tag(TagKey="product", TagValues=["orders", "returns"])
        client("glue", RECIPIENT).create_database(
            DatabaseInput={"Name": "sales", "TargetDatabase": {"CatalogId": OWNER, "DatabaseName": "sales"}}
        )

    @staticmethod
    def table(name: str, columns: list[str] = COLUMNS) -> dict[str, Any]:
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": "string"} for column in columns],
                "Location": f"s3://lake/{name}/",
            },
            "PartitionKeys": [{"Name": "day", "Type": "string"}],
        }

    def role(self, account: str, name: str) -> str:
        return role(self.client, account, name)

    def tag_orders(self) -> None:
        """As the tag handler leaves a table: everything `unreviewed` but `id` and `day`."""
        for resource, tags in (
            (DATABASE, {"sensitivity": "unreviewed"}),
            (ORDERS, {"product": "orders"}),
            (columns("id", "day"), {"sensitivity": "internal"}),
        ):
            assert self.tag(resource, **tags) == []

    def tag(self, resource: dict[str, Any], client: Any = None, **tags: str) -> list[dict[str, Any]]:
        given = [{"TagKey": key, "TagValues": [value]} for key, value in tags.items()]
        return list((client or self.owner).add_lf_tags_to_resource(Resource=resource, LFTags=given)["Failures"])

    def tags(self, resource: dict[str, Any], *, assigned: bool = True) -> dict[str, Any]:
        """Tags by level: {"LFTagsOnTable": {key: value}, "LFTagsOnColumns": {column: {key: value}}, …}."""
        answer = self.owner.get_resource_lf_tags(Resource=resource, ShowAssignedLFTags=assigned)
        plain = lambda pairs: {pair["TagKey"]: pair["TagValues"][0] for pair in pairs}  # noqa: E731
        found = {level: plain(answer[level]) for level in ("LFTagOnDatabase", "LFTagsOnTable") if level in answer}
        if "LFTagsOnColumns" in answer:
            found["LFTagsOnColumns"] = {each["Name"]: plain(each["LFTags"]) for each in answer["LFTagsOnColumns"]}
        return found

    def lines(self, client: Any = None, **filters: Any) -> list[tuple[str, Any, list[str], list[str]]]:
        found = (client or self.owner).list_permissions(**filters)["PrincipalResourcePermissions"]
        return [
            (line["Principal"]["DataLakePrincipalIdentifier"], line["Resource"], line["Permissions"], line["PermissionsWithGrantOption"])
            for line in found
        ]  # fmt: skip

    def grant(
        self, principal: str, resource: dict[str, Any], *permissions: str, option: bool = False, client: Any = None
    ) -> None:
        (client or self.owner).grant_permissions(
            Principal=who(principal), Resource=resource, Permissions=list(permissions),
            PermissionsWithGrantOption=list(permissions) if option else [],
        )  # fmt: skip

    def revoke(self, principal: str, resource: dict[str, Any], *permissions: str, client: Any = None) -> None:
        (client or self.owner).revoke_permissions(
            Principal=who(principal), Resource=resource, Permissions=list(permissions)
        )

    def accept(self, account: str = RECIPIENT) -> list[str]:
        """Accept every invitation; the names of the shares."""
        ram = self.client("ram", account)
        waiting = [
            i for i in ram.get_resource_share_invitations()["resourceShareInvitations"] if i["status"] == "PENDING"
        ]
        for invitation in waiting:
            ram.accept_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
        return [invitation["resourceShareName"] for invitation in waiting]

    def shown(self, principal: str, table: str = "orders") -> list[str] | None:
        """Columns that Glue shows a role, in its own account; None: it is refused."""
        try:
            found = self.client.role(principal, "glue").get_table(DatabaseName="sales", Name=table)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            return None
        return [column["Name"] for column in (*found["StorageDescriptor"]["Columns"], *found["PartitionKeys"])]


def who(principal: str) -> dict[str, str]:
    return {"DataLakePrincipalIdentifier": principal}


DATABASE: dict[str, Any] = {"Database": {"CatalogId": OWNER, "Name": "sales"}}
ORDERS: dict[str, Any] = {"Table": {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders"}}
ALL_TABLES: dict[str, Any] = {"Table": {"CatalogId": OWNER, "DatabaseName": "sales", "TableWildcard": {}}}
LINK: dict[str, Any] = {"Database": {"CatalogId": RECIPIENT, "Name": "sales"}}


def columns(*names: str) -> dict[str, Any]:
    return {
        "TableWithColumns": {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders", "ColumnNames": list(names)}
    }


def policy(kind: str = "TABLE", **tags: list[str]) -> dict[str, Any]:
    members = [{"TagKey": key, "TagValues": values} for key, values in tags.items()]
    return {"LFTagPolicy": {"CatalogId": OWNER, "ResourceType": kind, "Expression": members}}


INTERNAL = policy(product=["orders"], sensitivity=["internal"])


def refused(code: str, match: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{match}")
