"""Ask Lake Formation, as a producer's reader role, what that role sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sync_handlers import clients
from sync_handlers.glue_access import DeniedError

if TYPE_CHECKING:
    from mypy_boto3_lakeformation.client import LakeFormationClient


@dataclass(frozen=True)
class ReaderPermissions:
    """Permissions on all tables of one database, in its producer's account."""

    client: LakeFormationClient
    account: str
    database: str
    role: str
    """ARN of the reader role, which asks about itself."""

    def on_all_tables(self) -> frozenset[str]:
        """Raises DeniedError when the role may not ask."""
        resource: Any = {
            "Table": {"CatalogId": self.account, "DatabaseName": self.database, "TableWildcard": {}}
        }  # fmt: skip
        found: set[str] = set()
        more: Any = {}
        while True:
            try:
                answer = self.client.list_permissions(
                    CatalogId=self.account,
                    Principal={"DataLakePrincipalIdentifier": self.role},
                    Resource=resource,
                    **more,
                )
            except ClientError as error:
                if clients.denied(error):
                    raise DeniedError(clients.text(error)) from error
                raise
            for line in answer["PrincipalResourcePermissions"]:
                held: Any = line.get("Resource") or {}
                # Only what is on all tables counts, whatever else an answer may hold.
                if "TableWildcard" in (held.get("Table") or {}):
                    found.update(line.get("Permissions") or ())
            if not answer.get("NextToken"):
                return frozenset(found)
            more = {"NextToken": answer["NextToken"]}
