"""May this location be published under this source? Pure.

Lake Formation hands out credentials for whatever location a table names under a registered prefix. If one producer's
table could name a location of another, it would publish the other's data. So a location counts only if it lies under
the prefixes that the mesh declares for its source, compared as whole path segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Hadoop's names for S3; engines treat the three alike (Athena user guide, "tables-location-format", writes s3:// only).
_S3 = re.compile(r"^s3[an]?://(?P<bucket>[^/]+)(?:/(?P<key>.*))?$", re.IGNORECASE | re.DOTALL)
_S3_START = re.compile(r"^\s*s3[an]?:/", re.IGNORECASE)
# Partition projection fills `${column}` into it at query time (Athena user guide, "partition-projection-setting-up").
# Compared as written: only what stands before the first placeholder is certain, and that must reach into a prefix.
_TEMPLATE = "storage.location.template"


def outside(location: str, prefixes: Iterable[str]) -> str | None:
    """Why `location` is not under any of the prefixes (each `s3://bucket/…/`); None when it is."""
    parts = _S3.match(location)
    if parts is None:
        return f"location {location!r} is not an S3 location"
    bucket, key = parts["bucket"], parts["key"] or ""
    # S3 keys have no `..`, but Hadoop's Path resolves it: what is read then is not what was compared.
    if any(segment in {".", ".."} for segment in key.split("/")):
        return f"location {location!r} has `.` or `..` in its path"
    under = f"s3://{bucket}/{key}"
    if any(under.startswith(prefix) or f"{under}/" == prefix for prefix in prefixes):
        return None
    return f"location {location!r} lies outside the source's prefixes ({', '.join(sorted(prefixes))})"


def refusal(value: Mapping[str, Any], prefixes: tuple[str, ...]) -> str | None:
    """Why a Glue Table or Partition must not be published: the first of its locations that is outside; None when all
    are inside."""
    for label, location in locations(value):
        reason = outside(location, prefixes)
        if reason:
            return f"{label}: {reason}"
    return None


def locations(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every location that a Table or Partition names, with where it stands.

    Besides `Location`, engines follow locations in parameters: Iceberg's `metadata_location`, projection's
    `storage.location.template`, Spark's `path`, Avro's `avro.schema.url`. So each parameter value that is an S3
    location counts.
    """
    descriptor = value.get("StorageDescriptor") or {}
    if descriptor.get("Location"):
        yield "Location", descriptor["Location"]
    for location in descriptor.get("AdditionalLocations") or ():
        yield "AdditionalLocations", location
    holders = {
        "parameter": value.get("Parameters"),
        "storage parameter": descriptor.get("Parameters"),
        "SerDe parameter": (descriptor.get("SerdeInfo") or {}).get("Parameters"),
    }
    for label, parameters in holders.items():
        for key, text in sorted((parameters or {}).items()):
            if key == _TEMPLATE or _S3_START.match(text):
                yield f"{label} {key}", text
    skewed = (descriptor.get("SkewedInfo") or {}).get("SkewedColumnValueLocationMaps") or {}
    for location in skewed.values():
        yield "SkewedColumnValueLocationMaps", location
