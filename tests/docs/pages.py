"""The repository's Markdown as data: code blocks, headings, links, and what a shown output has to look like."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`+([^`\n]+(?:\n[^`\n]+)?)`+")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")


@dataclass(frozen=True)
class Block:
    """One code block: the words after its fence, its text without the indentation of a list, its line on the page."""

    info: str
    text: str
    line: int


def pages() -> list[Path]:
    """Every Markdown file of the repository, but those of broken meshes in tests."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    found = [ROOT / name for name in listed] or [
        path for path in ROOT.rglob("*.md") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    return sorted(path for path in found if path.is_file() and "bad" not in path.relative_to(ROOT).parts)


def blocks(text: str) -> Iterator[Block]:
    for found in _FENCE.finditer(text):
        plain = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        yield Block(found["info"].strip(), plain, text[: found.start()].count("\n") + 1)


def prose(text: str) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", text)


def inline_code(text: str) -> list[str]:
    return [" ".join(found.split()) for found in _INLINE.findall(prose(text))]


def links(text: str) -> list[str]:
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(text)))


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(text)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        shown = shown.replace("&lt;", "<").replace("&gt;", ">")
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        number = 0
        while (made := anchor if not number else f"{anchor}-{number}") in found:
            number += 1
        found.add(made)
    return found


def looks_like(shown: str, said: str) -> bool:
    """Whether an output is what a page shows: `…` stands for anything, and spaces are as wide as they like."""
    words = [re.escape(" ".join(piece.split())) for piece in shown.strip().split("…")]
    return re.fullmatch(r".*?".join(words), " ".join(said.split()), re.DOTALL) is not None
