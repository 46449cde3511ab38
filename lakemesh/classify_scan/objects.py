"""S3 as the scan reads it: a few objects of a table, a few ranges of an object, and never more bytes than agreed.

Values are held in memory alone. No error from here quotes what an object holds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, HTTPClientError

from lakemesh.onboard.account import Account
from lakemesh.onboard.errors import OnboardError

_S3: Final = re.compile(r"^s3[an]?://(?P<bucket>[^/]+)/?(?P<key>.*)$", re.IGNORECASE | re.DOTALL)
LISTED: Final = 1000
"""Objects of a table that are listed: S3's first page."""


class BudgetError(Exception):
    """The table's bytes are used up."""


class UnreadableError(Exception):
    """An object cannot be read; `str()` says why, and nothing of what it holds."""


@dataclass
class Budget:
    """Bytes that may still be read of one table."""

    left: int
    used: int = 0

    def take(self, size: int) -> None:
        if size > self.left:
            raise BudgetError
        self.left -= size
        self.used += size


@dataclass(frozen=True)
class Object:
    bucket: str
    key: str
    size: int


def place(location: str) -> tuple[str, str]:
    """Bucket and key of an S3 location. Raises UnreadableError for another one."""
    match = _S3.match(location.strip())
    if match is None:
        raise UnreadableError("its location is not in S3")
    return match["bucket"], match["key"]


def listed(account: Account, location: str) -> list[Object]:
    """Data objects below a location, of the first page that S3 lists: none that Hive and Spark hide, none empty."""
    bucket, key = place(location)
    prefix = f"{key.rstrip('/')}/" if key else ""
    answer = account.read(
        "s3", "ListObjectsV2", f"the objects of {location}", resource=f"arn:aws:s3:::{bucket}",
        absent=("NoSuchBucket",), Bucket=bucket, Prefix=prefix, MaxKeys=LISTED,
    )  # fmt: skip
    found = (Object(bucket, str(one["Key"]), int(one["Size"])) for one in (answer or {}).get("Contents", ()))
    return [one for one in found if one.size and not _hidden(one.key.removeprefix(prefix))]


def _hidden(key: str) -> bool:
    return any(part.startswith(("_", ".")) for part in key.split("/")) or key.endswith("/")


def spread(objects: list[Object], most: int) -> Iterator[Object]:
    """At most `most` of some objects, spread over them: partitions differ."""
    size = min(most, len(objects))
    for number in range(size):
        yield objects[number * (len(objects) - 1) // max(1, size - 1)]


def ranged(account: Account, what: Object, start: int, size: int, budget: Budget) -> bytes:
    """`size` bytes of an object from `start` on, fewer at its end."""
    size = min(size, what.size - start)
    if size <= 0:
        return b""
    budget.take(size)
    answer = account.read(
        "s3", "GetObject", f"objects of s3://{what.bucket}", resource=f"arn:aws:s3:::{what.bucket}/*",
        absent=("NoSuchKey", "InvalidObjectState"), Bucket=what.bucket, Key=what.key,
        Range=f"bytes={start}-{start + size - 1}",
    )  # fmt: skip
    if answer is None:
        raise UnreadableError("an object is archived, gone, or may not be read")
    try:
        return bytes(answer["Body"].read())
    except (BotoCoreError, HTTPClientError, OSError) as error:
        raise OnboardError(f"Reading objects of s3://{what.bucket} failed: {type(error).__name__}.") from None


def sized(account: Account, location: str) -> Object:
    """One object by its location."""
    bucket, key = place(location)
    answer = account.read(
        "s3", "HeadObject", f"objects of s3://{bucket}", resource=f"arn:aws:s3:::{bucket}/*",
        absent=("404", "NoSuchKey"), Bucket=bucket, Key=key,
    )  # fmt: skip
    if answer is None:
        raise UnreadableError("an object is gone, or may not be read")
    return Object(bucket, key, int(answer["ContentLength"]))


class RangeFile(io.RawIOBase):
    """An object as a file that can be read anywhere; each read is one call for just those bytes."""

    def __init__(self, account: Account, what: Object, budget: Budget) -> None:
        super().__init__()
        self._account, self._what, self._budget = account, what, budget
        self._at = 0

    def size(self) -> int:
        return self._what.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._what.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        wanted = self._what.size - self._at if size is None or size < 0 else size
        data = ranged(self._account, self._what, self._at, wanted, self._budget)
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
