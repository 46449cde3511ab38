"""The data behind a table, read with the rights of the role that its location is registered with.

Sources: Lake Formation developer guide, "Requirements for roles used to register locations", "Registering an Amazon S3
location in another AWS account", "Underlying data access control" (a location that nobody registered is read with the
caller's own S3 permissions; one that is registered, with credentials that lakeformation:GetDataAccess vends).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from local_aws.services import iam, identity, policy, s3
from local_aws.services.athena.sql import QueryError
from local_aws.services.calls import AwsError
from local_aws.services.identity import Identity

LAKE_FORMATION = "lakeformation.amazonaws.com"
_URI = re.compile(r"s3[an]?://([^/]+)/(.*)", re.DOTALL)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key. Raises QueryError."""
    parts = _URI.fullmatch(uri if uri.count("/") > 2 else f"{uri}/")
    if parts is None:
        raise QueryError(f"HIVE_METASTORE_ERROR: {uri or 'an empty location'} is no location in S3")
    return parts[1], parts[2]


@dataclass(frozen=True)
class Storage:
    """S3 as one query of `caller` sees it below the locations of a catalog."""

    caller: Identity
    catalog: str
    region: str

    def reader(self, uri: str) -> Identity:
        """Who reads `uri`: the registered role if it may be vended to the caller, else the caller."""
        from local_aws.services.lakeformation import decisions

        arn = decisions.registered_role(self.catalog, self.region, uri)
        if arn is None:
            return self.caller
        if not iam.permitted(self.caller, "lakeformation:GetDataAccess", "*"):
            denied = iam.denied(self.caller, "lakeformation:GetDataAccess", "*")
            raise QueryError(f"Access denied: {denied.message}")
        role = iam.role(arn)
        trust = policy.parse(role.assume_role_policy_document) if role else ()
        request = policy.Request("sts:AssumeRole", arn, {"aws:sourceaccount": self.catalog})
        if policy.decide(trust, request, LAKE_FORMATION) is not policy.Decision.ALLOW:
            raise QueryError(
                f"HIVE_METASTORE_ERROR: Lake Formation cannot assume {arn}, the role that {uri} is registered with."
            )
        return identity.role(arn, f"AWSLF-00-AT-{self.caller.account}")

    def objects(self, location: str) -> list[tuple[str, str]]:
        """(URI, etag) of each object of a table or partition. Hidden and empty marker objects are not data."""
        bucket, prefix = split(location)
        prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        try:
            found = s3.keys(self.reader(location), bucket, prefix)
        except AwsError as error:
            raise _refused(location, error) from error
        names = [(key, etag) for key, etag in found if not key.endswith("/")]
        return [(f"s3://{bucket}/{key}", etag) for key, etag in names if key.rsplit("/", 1)[-1][0] not in "._"]

    def check(self, uri: str) -> None:
        """Raise QueryError unless the object may be read."""
        try:
            s3.check_read(self.reader(uri), *split(uri))
        except AwsError as error:
            raise _refused(uri, error) from error

    def read(self, uri: str) -> bytes:
        try:
            return s3.read(self.reader(uri), *split(uri))
        except AwsError as error:
            raise _refused(uri, error) from error


def _refused(uri: str, error: AwsError) -> QueryError:
    code = f"(Service: Amazon S3; Status Code: {error.status}; Error Code: {error.code})"
    return QueryError(f"HIVE_CANNOT_OPEN_SPLIT: Error opening {uri}: {error.message} {code}")
