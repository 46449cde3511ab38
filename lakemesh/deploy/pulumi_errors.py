"""What Pulumi's CLI says when it cannot begin, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakemesh.deploy.troubles import mend

if TYPE_CHECKING:
    from pulumi.automation.errors import CommandError

_STDERR = re.compile(r"\n stderr: (?P<text>.*)\Z", re.DOTALL)
_STDOUT = re.compile(r"\n stdout: (?P<text>.*?)\n stderr: ", re.DOTALL)
_LOCK = re.compile(r"created by (?P<who>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")

_KNOWN = {
    "PULUMI_CONFIG_PASSPHRASE": """\
    This stack's secrets are encrypted with a passphrase. Set PULUMI_CONFIG_PASSPHRASE, or put it into a file and name
    that in PULUMI_CONFIG_PASSPHRASE_FILE. A key of AWS needs none: --secrets-provider awskms://alias/…""",
    "incorrect passphrase": """\
    The passphrase is not the one that this stack's secrets were encrypted with: see PULUMI_CONFIG_PASSPHRASE.""",
    "PULUMI_ACCESS_TOKEN": """\
    No backend is logged in to. State can live in the mesh's own bucket: pulumi login s3://<state bucket>, or
    --backend s3://<state bucket>. For Pulumi Cloud: pulumi login, or set PULUMI_ACCESS_TOKEN.""",
    "NoSuchBucket": """\
    The backend's bucket is not there. `lakemesh bootstrap` makes it, in the central account.""",
}
"""What to do, by a word of the CLI's error."""


def explained(error: CommandError) -> str:
    """The CLI's own last words, with what to do where we know."""
    text = str(error)
    said = _said(text)
    for sign, advice in _KNOWN.items():
        if sign in text:
            return f"{said}\n{advice}"
    advice_of_aws = mend(text)
    return f"{said}\n{advice_of_aws}" if advice_of_aws else said


def locked(stack: str, error: CommandError) -> str:
    """Who is changing the stack, and what to do where nobody is any more."""
    found = _LOCK.search(str(error))
    who = f"{found['who']} (process {found['pid']}, since {found['since']})" if found else "somebody else"
    return (
        f"Stack {stack} is being changed by {who}. Nothing was begun; wait until that is done.\n"
        f"    If that process is gone, it left its lock behind: pulumi cancel --stack {stack}, then run this again."
    )


def _said(text: str) -> str:
    """Lines of stderr from the first `error:` on; all of it where there is none."""
    found = _STDERR.search(text)
    said = (found["text"] if found else text).strip()
    if not said and (out := _STDOUT.search(text)):
        said = out["text"].strip()
    start = said.find("error: ")
    return said[start + len("error: ") :].strip() if start >= 0 else said or "Pulumi ended without saying why."
