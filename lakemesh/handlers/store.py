"""Where functions keep what they found: one JSON object a table, in the mesh's bucket of reviews."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lakemesh.review.findings import Findings, FindingsError, parse


@dataclass(frozen=True)
class Store:
    client: Any
    bucket: str
    owner: str = ""
    """Account that the bucket must belong to; empty: the caller's own, whatever it is called."""

    def read(self, key: str) -> Findings | None:
        """What is kept; None where there is nothing, or nothing that this version reads."""
        try:
            body = self.client.get_object(Bucket=self.bucket, Key=key, **self._owned())["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") in {"NoSuchKey", "404"}:
                return None
            raise
        try:
            return parse(json.loads(body))
        except (ValueError, FindingsError):
            return None  # written anew

    def write(self, key: str, findings: Findings) -> None:
        text = json.dumps(findings.document(), indent=1, ensure_ascii=False)
        self.client.put_object(
            Bucket=self.bucket, Key=key, Body=text.encode(), ContentType="application/json", **self._owned()
        )

    def _owned(self) -> dict[str, str]:
        return {"ExpectedBucketOwner": self.owner} if self.owner else {}
