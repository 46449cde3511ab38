"""The list of checks: `python -m tests.aws_conformance.listing` prints it, with a path it is written into that file."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

from tests.aws_conformance.assumptions import Assumption, Confidence, every, url

BEGIN, END = (
    "<!-- generated: python -m tests.aws_conformance.listing docs/conformance.md -->",
    "<!-- end of generated -->",
)


def table() -> str:
    """How many checks there are, and each: what is assumed, where it was read, how sure we are."""
    found = every()
    lines = ["| about | " + " | ".join(Confidence) + " |", "|---|" + "---:|" * len(Confidence)]
    for service, checks in groupby(found, key=lambda each: each.service):
        counts = Counter(check.confidence for check in checks)
        lines.append(f"| {service} | " + " | ".join(str(counts[each]) for each in Confidence) + " |")
    total = Counter(check.confidence for check in found)
    lines.append("| **all** | " + " | ".join(f"**{total[each]}**" for each in Confidence) + " |")
    for service, checks in groupby(found, key=lambda each: each.service):
        lines += ["", f"### {service.capitalize()}", ""]
        if service == "open questions":
            lines += ["| open | page | why lakemesh holds either way |", "|---|---|---|"]
            lines += [f"| {check.text} | {_link(check)} | {check.rest} |" for check in checks]
        else:
            lines += ["| assumption | page | confidence |", "|---|---|---|"]
            lines += [f"| {check.text} | {_link(check)} | {check.confidence} |" for check in checks]
    return "\n".join(lines)


def _link(check: Assumption) -> str:
    return f"[{check.page}]({url(check.page)})"


def written(text: str) -> str:
    """The document with the list of now. Raises ValueError where its markers are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no list to write anew: it is between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    if len(sys.argv) < 2:
        sys.stdout.write(table() + "\n")
        return
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text()))


if __name__ == "__main__":
    main()
