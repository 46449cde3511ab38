"""What checks build: databases, tables, LF-Tags, grants, links and roles, all named after the run and undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.aws_conformance.accounts import EVERYTHING, Account, Accounts, trust
from tests.aws_conformance.made import Names, Undo
from tests.aws_conformance.waiting import code_of, eventually, patiently

IAM_ALLOWED_PRINCIPALS = "IAM_ALLOWED_PRINCIPALS"
COLUMNS = ("id", "amount", "iban")
KEYS = ("day",)
CLOCKS_DIFFER = dt.timedelta(minutes=5)
ON_TABLES = ("ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT")
Resource = dict[str, Any]


def who(principal: str) -> dict[str, str]:
    return {"DataLakePrincipalIdentifier": principal}


class Roles:
    """Roles that IAM lets do everything, so that Lake Formation decides. Kept for the run: IAM takes its time."""

    def __init__(self, names: Names, undo: Undo) -> None:
        self._names, self._undo = names, undo
        self._made: dict[tuple[str, str], Account] = {}

    def __call__(self, account: Account, what: str) -> Account:
        if (account.id, what) not in self._made:
            self._made[account.id, what] = self.fresh(account, what, self._undo)
        return self._made[account.id, what]

    def fresh(self, account: Account, what: str, undo: Undo) -> Account:
        """A role that nothing was granted to yet."""
        return account.become(account.role(undo, self._names(what), trust(account.root), EVERYTHING))


class Lake:
    """One check's view of the accounts. `undo` is run when the check is over, however it ends."""

    def __init__(self, accounts: Accounts, names: Names, roles: Roles, undo: Undo) -> None:
        self.accounts, self.names, self.undo, self._roles = accounts, names, undo, roles
        self.owner, self.recipient = accounts.owner, accounts.recipient
        self.local = accounts.local
        self.glue, self.lf = self.owner("glue"), self.owner("lakeformation")

    # ------------------------------------------------------------------------------------------------- who
    @property
    def reader(self) -> Account:
        """A role of the recipient."""
        return self._roles(self.recipient, "reader")

    @property
    def local_reader(self) -> Account:
        """A role of the owner."""
        return self._roles(self.owner, "reader")

    def stranger(self, account: Account | None = None) -> Account:
        """A role made for this check alone: what it holds and made is this check's."""
        return self._roles.fresh(account or self.owner, "stranger", self.undo)

    # ------------------------------------------------------------------------------------------------- catalog
    def database(self, account: Account | None = None, name: str = "", **more: Any) -> str:
        """A governed database: nothing of it, nor of its tables, is IAM_ALLOWED_PRINCIPALS'."""
        account, name = account or self.owner, name or self.names("sales")
        glue = account("glue")
        self.undo.later(glue.delete_database, Name=name)
        given = {"Name": name, "CreateTableDefaultPermissions": [], **more}
        patiently(glue.create_database, DatabaseInput=given)
        self._govern(account, {"Database": {"CatalogId": account.id, "Name": name}})
        return name

    def _govern(self, account: Account, resource: Resource) -> None:
        try:
            patiently(
                account("lakeformation").revoke_permissions,
                Principal=who(IAM_ALLOWED_PRINCIPALS), Resource=resource, Permissions=["ALL"],
            )  # fmt: skip
        except ClientError as error:
            if "No permissions revoked" not in str(error):
                raise

    def table(self, database: str, name: str = "orders", by: Account | None = None, **more: Any) -> str:
        """A table. Its database's deletion takes it along."""
        glue = (by or self.owner)("glue")
        patiently(glue.create_table, DatabaseName=database, TableInput=self.table_input(name, **more))
        return name

    def table_input(
        self, name: str = "orders", columns: Sequence[str] = COLUMNS, keys: Sequence[str] = KEYS, **more: Any
    ) -> dict[str, Any]:
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": "string"} for column in columns],
                "Location": f"s3://{self.names.prefix}-nowhere/{name}/",
            },
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            **more,
        }

    def partition(self, *values: str, **more: Any) -> dict[str, Any]:
        location = f"s3://{self.names.prefix}-nowhere/orders/{'/'.join(values)}/"
        columns = [{"Name": column, "Type": "string"} for column in COLUMNS]
        return {"Values": list(values), "StorageDescriptor": {"Columns": columns, "Location": location}, **more}

    def link(self, database: str, name: str = "", account: Account | None = None) -> str:
        """A resource link to a database of the owner, in the recipient's account, of the same name where none is given."""
        account, name = account or self.recipient, name or database
        glue = account("glue")
        self.undo.later(glue.delete_database, Name=name)
        target = {"CatalogId": self.owner.id, "DatabaseName": database}
        patiently(glue.create_database, DatabaseInput={"Name": name, "TargetDatabase": target})
        self._govern(account, {"Database": {"CatalogId": account.id, "Name": name}})
        return name

    # ------------------------------------------------------------------------------------------------- resources
    def on_database(self, name: str, account: Account | None = None) -> Resource:
        return {"Database": {"CatalogId": (account or self.owner).id, "Name": name}}

    def on_table(self, database: str, name: str = "orders") -> Resource:
        return {"Table": {"CatalogId": self.owner.id, "DatabaseName": database, "Name": name}}

    def on_all_tables(self, database: str) -> Resource:
        return {"Table": {"CatalogId": self.owner.id, "DatabaseName": database, "TableWildcard": {}}}

    def on_columns(self, database: str, *names: str, table: str = "orders") -> Resource:
        named = {"CatalogId": self.owner.id, "DatabaseName": database, "Name": table}
        return {"TableWithColumns": {**named, "ColumnNames": list(names)}}

    def on_tag(self, key: str, *values: str) -> Resource:
        return {"LFTag": {"CatalogId": self.owner.id, "TagKey": key, "TagValues": list(values)}}

    def by_tags(self, tags: Mapping[str, Sequence[str]], kind: str = "TABLE") -> Resource:
        members = [{"TagKey": key, "TagValues": list(values)} for key, values in tags.items()]
        return {"LFTagPolicy": {"CatalogId": self.owner.id, "ResourceType": kind, "Expression": members}}

    # ------------------------------------------------------------------------------------------------- LF-Tags
    def tag(self, *values: str, what: str = "level", by: Account | None = None) -> str:
        """An LF-Tag of the owner; its key."""
        key, lf = self.names(what), (by or self.owner)("lakeformation")
        self.undo.later(self.lf.delete_lf_tag, TagKey=key)
        patiently(lf.create_lf_tag, TagKey=key, TagValues=list(values))
        return key

    def assign(self, resource: Resource, by: Account | None = None, **tags: str) -> list[dict[str, Any]]:
        """Assign LF-Tags; what failed."""
        lf = (by or self.owner)("lakeformation")
        given = [{"TagKey": key, "TagValues": [value]} for key, value in tags.items()]
        return list(patiently(lf.add_lf_tags_to_resource, Resource=resource, LFTags=given).get("Failures", ()))

    def tags(self, resource: Resource, *, assigned: bool) -> dict[str, Any]:
        """{"database": {key: value}, "table": …, "columns": {column: {key: value}}}; empty levels are left out."""
        answer = self.lf.get_resource_lf_tags(Resource=resource, ShowAssignedLFTags=assigned)
        found: dict[str, Any] = {
            "database": _pairs(answer.get("LFTagOnDatabase", ())),
            "table": _pairs(answer.get("LFTagsOnTable", ())),
            "columns": {each["Name"]: _pairs(each["LFTags"]) for each in answer.get("LFTagsOnColumns", ())},
        }
        return {level: tags for level, tags in found.items() if tags}

    # ------------------------------------------------------------------------------------------------- grants
    def grant(
        self, principal: Account | str, resource: Resource, *permissions: str,
        option: bool = False, by: Account | None = None,
    ) -> None:  # fmt: skip
        """A grant that is part of the preparation, taken back at the end."""
        lf, to = (by or self.owner)("lakeformation"), principal if isinstance(principal, str) else principal.arn
        given = {"Principal": who(to), "Resource": resource, "Permissions": list(permissions)}
        options = {"PermissionsWithGrantOption": list(permissions)} if option else {}
        self.undo.later(lf.revoke_permissions, **given)
        patiently(lf.grant_permissions, **given, **options)

    def revoke(
        self, principal: Account | str, resource: Resource, *permissions: str, by: Account | None = None
    ) -> None:
        lf, to = (by or self.owner)("lakeformation"), principal if isinstance(principal, str) else principal.arn
        patiently(lf.revoke_permissions, Principal=who(to), Resource=resource, Permissions=list(permissions))

    def granting(
        self, principal: Account | str, resource: Resource, *permissions: str, option: bool = False
    ) -> dict[str, Any]:
        """Parameters of a grant that is itself the question; it is taken back at the end should it succeed."""
        to = principal if isinstance(principal, str) else principal.arn
        given: dict[str, Any] = {"Principal": who(to), "Resource": resource, "Permissions": list(permissions)}
        self.undo.later(self._take_back, **given)
        return {**given, "PermissionsWithGrantOption": list(permissions)} if option else given

    def _take_back(self, **given: Any) -> None:
        """From whichever side gave it: the recipient's own grants are its own to revoke."""
        for side in (self.recipient, self.owner):
            try:
                side("lakeformation").revoke_permissions(**given)
            except ClientError as error:
                if code_of(error) not in {"InvalidInputException", "EntityNotFoundException", "AccessDeniedException"}:
                    raise

    def held(self, principal: Account | str, resource: Resource, by: Account | None = None) -> dict[str, set[str]]:
        """Permissions that are listed of a principal on a resource: by kind of resource; "…" for the grant option."""
        to = principal if isinstance(principal, str) else principal.arn
        lf = (by or self.owner)("lakeformation")
        answer = patiently(lf.list_permissions, Principal=who(to), Resource=resource)["PrincipalResourcePermissions"]
        found: dict[str, set[str]] = {}
        for line in answer:
            (kind,) = line["Resource"]
            found.setdefault(kind, set()).update(line["Permissions"])
            found.setdefault("with grant option", set()).update(line["PermissionsWithGrantOption"])
        return {kind: permissions for kind, permissions in found.items() if permissions}

    # ------------------------------------------------------------------------------------------------- sharing
    def invitations(self) -> list[dict[str, Any]]:
        """Invitations to shares of Lake Formation that the owner sent in this run, and that wait for the recipient."""
        since = self.accounts.started - CLOCKS_DIFFER
        pages = self.recipient("ram").get_paginator("get_resource_share_invitations").paginate()
        return [
            found
            for page in pages
            for found in page["resourceShareInvitations"]
            if found["status"] == "PENDING"
            and found["senderAccountId"] == self.owner.id
            and found["resourceShareName"].startswith("LakeFormation")
            and found["invitationTimestamp"] >= since
        ]

    def accept(self) -> list[str]:
        """Accept what waits; the names of the shares."""
        names = []
        for waiting in self.invitations():
            arn = self.accounts.guard.made(waiting["resourceShareInvitationArn"])
            self.recipient("ram").accept_resource_share_invitation(resourceShareInvitationArn=arn)
            names.append(waiting["resourceShareName"])
        return names

    def shared(self, database: str) -> None:
        """Database shared by name with the recipient, who has a link to it; its reader may describe both."""
        self.grant(self.recipient.id, self.on_database(database), "DESCRIBE", option=True)
        self.link(database)
        self.accepting(self.reader, self.on_database(database), "DESCRIBE")
        self.grant(self.reader, self.on_database(database, self.recipient), "DESCRIBE", by=self.recipient)

    def accepting(self, principal: Account, resource: Resource, *permissions: str) -> None:
        """The recipient passes on, as soon as the share has arrived: invitations come a little after the grant."""
        given = self.granting(principal, resource, *permissions)

        def pass_on() -> None:
            self.accept()
            self.recipient("lakeformation").grant_permissions(**given)

        eventually(pass_on)

    # ------------------------------------------------------------------------------------------------- seeing
    def shown(self, account: Account, database: str, table: str = "orders") -> list[str]:
        """Columns, partition keys last, that Glue shows somebody. ClientError where it is refused."""
        found = account("glue").get_table(DatabaseName=database, Name=table)["Table"]
        return [column["Name"] for column in (*found["StorageDescriptor"]["Columns"], *found.get("PartitionKeys", ()))]

    def shows(self, account: Account, database: str, *columns: str, table: str = "orders") -> None:
        """Wait until Glue shows exactly these columns. AssertionError where it never does."""

        def look() -> None:
            found = self.shown(account, database, table)
            assert sorted(found) == sorted(columns), f"{found} instead of {list(columns)}"

        eventually(look)

    def hides(self, account: Account, database: str, table: str = "orders") -> None:
        """Wait until Glue refuses a table. AssertionError where it never does."""

        def look() -> None:
            found = self.sees(account, database, table)
            assert not found, f"the table still shows, with {found}"

        eventually(look)

    def sees(self, account: Account, database: str, table: str = "orders") -> list[str]:
        """What Glue shows when nothing is expected: [] where it refuses the table."""
        try:
            return sorted(self.shown(account, database, table))
        except ClientError as error:
            if code_of(error) not in {"AccessDeniedException", "EntityNotFoundException"}:
                raise
            return []

    def until(self, look: Any, wanted: Any) -> Any:
        """What `look` says as soon as it says `wanted`, or else in the end: an answer that nobody knows beforehand."""
        try:
            eventually(partial(_equal, look, wanted))
        except AssertionError:
            return look()
        return wanted


def _equal(look: Any, wanted: Any) -> None:
    assert look() == wanted


def _pairs(tags: Any) -> dict[str, str]:
    return {tag["TagKey"]: tag["TagValues"][0] for tag in tags}
