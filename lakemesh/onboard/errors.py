"""Why an onboarding ended without writing anything. Each says what happened and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


class OnboardError(Exception):
    """Nothing was written; `str()` says why and what to do."""


class WrongAccountError(OnboardError):
    """The credentials are another account's."""


class ExpiredCredentialsError(OnboardError):
    """The credentials are missing, wrong, or ended half-way."""


@dataclass(frozen=True, order=True)
class Missing:
    """One call that was denied."""

    action: str
    resource: str
    what: str
    """What could not be read, in words."""


class MissingPermissionsError(OnboardError):
    """Some of the reads were denied; `statement` is what an IAM policy has to add."""

    def __init__(self, who: str, missing: Iterable[Missing]) -> None:
        self.missing = tuple(sorted(set(missing)))
        self.statement = {
            "Sid": "LakemeshOnboarding",
            "Effect": "Allow",
            "Action": sorted({one.action for one in self.missing}),
            "Resource": "*",
        }
        lines = "\n".join(f"  {one.action} on {one.resource}: {one.what}" for one in self.missing)
        super().__init__(
            f"{who} may not read everything that onboarding needs:\n{lines}\n"
            "Nothing was written. Add this statement to its policy (or find the deny that overrules it), then run the "
            f"same command again:\n{json.dumps(self.statement, indent=2)}"
        )
