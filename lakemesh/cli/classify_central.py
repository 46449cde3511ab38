"""Findings of the functions in the cloud, for `lakemesh classify recommend --from-central`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from lakemesh.cli.classify_review import Session, fail

if TYPE_CHECKING:
    from lakemesh.onboard.account import Account
    from lakemesh.review.central import Central
    from lakemesh.review.findings import Findings


def findings(work: Session, profile: str | None, role: str | None) -> Central:
    """Everything that is kept in the governance account. Exit code 1 with the mend where it cannot be read."""
    from lakemesh.declarations.naming import Naming
    from lakemesh.onboard.account import open_account
    from lakemesh.onboard.errors import MissingPermissionsError, OnboardError
    from lakemesh.review.central import Central, by_table
    from lakemesh.review.findings import METADATA, SAMPLES

    mesh, bucket = work.declarations.mesh, Naming(work.declarations.mesh).reviews_bucket
    try:
        account = open_account(mesh.central.account, mesh.region, profile, role)
        if not _there(account, bucket):
            fail(
                f"There is no bucket {bucket}: nothing in the cloud judges columns yet.\nSwitch it on in mesh.yaml "
                "(classification.afterSync, producers.<p>.scan), and deploy."
            )
        metadata, samples = (list(_kept(account, bucket, f"{folder}/")) for folder in (METADATA, SAMPLES))
        account.complete()
    except MissingPermissionsError as error:
        fail("\n".join(f"{one.action} on {one.resource}: {one.what}" for one in error.missing))
    except OnboardError as error:
        fail(str(error))
    return Central(by_table(metadata), by_table(samples))


def say_undeclared(work: Session, domain: str, central: Central) -> None:
    """Columns of the domain's tables that no contract names: there is nothing yet that could be decided."""
    from lakemesh.declarations.errors import printable
    from lakemesh.review.central import undeclared

    found = list(undeclared(work.declarations, domain, central))
    for table, column, one in found:
        typer.echo(
            f"  {printable(f'{table}.{column}')} is in no contract: {printable(one.kind)}, {one.sensitivity} "
            f"({one.confidence:.2f})"
        )
    if found:
        typer.echo("  Add them to the contract (lakemesh onboard producer does); until then nobody can read them.")


def _there(account: Account, bucket: str) -> bool:
    answer = account.read(
        "s3", "ListObjectsV2", f"bucket {bucket}", resource=f"arn:aws:s3:::{bucket}",
        absent=("NoSuchBucket",), Bucket=bucket, MaxKeys=1,
    )  # fmt: skip
    account.complete()
    return answer is not None


def _kept(account: Account, bucket: str, prefix: str) -> Iterator[Findings]:
    """What is kept below a prefix; objects of another version of lakemesh are left out, with a word about it."""
    from lakemesh.review.findings import FindingsError, parse

    token: dict[str, Any] = {}
    while True:
        page = account.read(
            "s3", "ListObjectsV2", f"bucket {bucket}", resource=f"arn:aws:s3:::{bucket}",
            Bucket=bucket, Prefix=prefix, **token,
        )  # fmt: skip
        for one in (page or {}).get("Contents", ()):
            answer = account.read(
                "s3", "GetObject", "findings", resource=f"arn:aws:s3:::{bucket}/*",
                absent=("NoSuchKey",), Bucket=bucket, Key=one["Key"],
            )  # fmt: skip
            try:
                if answer is not None:
                    yield parse(json.loads(answer["Body"].read()))
            except (ValueError, FindingsError) as error:
                why = str(error) if isinstance(error, FindingsError) else "it is no JSON"
                typer.echo(f"{one['Key']} is left out: {why}", err=True)
        following = (page or {}).get("NextContinuationToken")
        if not following:
            return
        token = {"ContinuationToken": str(following)}
