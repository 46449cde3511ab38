"""Text that nobody has reviewed, shown in Markdown as the text it is: no markup, no HTML, no mention."""

from __future__ import annotations

import re
from typing import Final

from lakemesh.declarations.errors import printable

LIMIT: Final = 65_536
"""Characters of a comment or an issue that GitHub takes."""


def code(text: str) -> str:
    """Text as inline code, whatever it holds: a longer fence than any run of backticks in it."""
    flat = printable(" ".join(text.split())).replace("|", "\\|")
    runs = [len(run) for run in re.findall(r"`+", flat)]
    fence = "`" * (max(runs, default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def fenced(text: str) -> list[str]:
    runs = [len(run) for run in re.findall(r"`+", text)]
    fence = "`" * max(3, max(runs, default=0) + 1)
    return [f"{fence}text", *text.splitlines(), fence]


def html(text: str) -> str:
    """Text inside an HTML element: no markup, and no Markdown either."""
    return re.sub(r"[^\w\s./:,()-]", lambda match: f"&#{ord(match.group())};", " ".join(text.split()))


def cut(text: str) -> str:
    """At most what GitHub takes, with what is missing said."""
    if len(text) <= LIMIT:
        return text
    tail = "\n\nCut here: the rest is in the run's log.\n"
    kept = text[: LIMIT - len(tail) - 100]
    kept = kept[: kept.rfind("\n")]
    # Whatever stood open is closed, or the tail would be part of it.
    opened = re.findall(r"^(`{3,})", kept, flags=re.MULTILINE)
    closing = f"\n{opened[-1]}" if len(opened) % 2 else ""
    details = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
    return kept + closing + details + tail
