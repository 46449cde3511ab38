"""The table of what is modelled: `python -m local_aws.modelled docs/local-aws.md` writes it anew."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from local_aws import server
from local_aws.services import calls

BEGIN, END = "<!-- generated: python -m local_aws.modelled -->", "<!-- end of generated -->"


def table() -> str:
    """A line a service: operations answered by this extension, and those where moto's answer is good enough."""
    server.load_services()
    rows: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for service, operation in sorted(calls.modelled()):
        rows[service][0 if calls.find(service, operation) else 1].append(operation)
    lines = ["| service | answered here | answered by moto |", "|---|---|---|"]
    lines += [f"| {service} | {', '.join(own)} | {', '.join(motos)} |" for service, (own, motos) in rows.items()]
    return "\n".join(lines)


def written(document: str) -> str:
    """The document with the table of now. Raises ValueError where its markers are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no table to write anew: it is between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text()))


if __name__ == "__main__":
    main()
