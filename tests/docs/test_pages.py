"""Every Markdown page of the repository: its links, the commands it shows, the variables and files that it names."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer.main

from lakemesh.cli.main import app
from tests.conftest import ROOT
from tests.docs.pages import anchors, blocks, inline_code, links, looks_like, pages

PAGES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in pages()}
# Newer versions of Typer bring a Click of their own: its base class is the one that Typer's own error has.
REFUSED: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
COMMAND: Any = typer.main.get_command(app)
SHELLS = {"", "sh", "sh fails", "shell", "bash", "console"}
"""Kinds of blocks whose lines are commands."""
PLACEHOLDER = re.compile(r"<[^<>|]+>")
SPOKEN = re.compile(r"[…\[\]]|\\\|")
"""An ellipsis or a synopsis: its command and its options are looked up, and no value."""
HISTORY = {"CHANGELOG.md"}
"""Pages about the past name what is gone."""
every_page = pytest.mark.parametrize("page", sorted(PAGES))


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not listed:
        pytest.skip("this is no git checkout: what belongs to it cannot be told from what was made in it")
    return listed


# ------------------------------------------------------------------------------------------------------------- links
@every_page
def test_links_lead_somewhere(page: str) -> None:
    here, lost = ROOT / page, []
    for link in links(PAGES[page]):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        path = (here.parent / target).resolve() if target else here
        if not path.exists():
            lost.append(f"{link}: there is no {target}")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
            lost.append(f"{link}: {path.name} has no such heading")
    assert not lost, f"{page}: {lost}"


def test_every_page_of_docs_is_reached_from_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index.read_text(encoding="utf-8"))}
    there = {path.resolve() for path in (ROOT / "docs").glob("*.md")} - {index.resolve()}
    assert there - listed == set(), "docs/README.md names every page for whom it is"


def test_the_rooms_of_the_house_are_on_its_page() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tracked = [Path(name).parts for name in _tracked()]
    rooms = {f"{parts[0]}/" for parts in tracked if len(parts) > 1 and not parts[0].startswith(".")}
    inside = {f"lakemesh/{parts[1]}/" for parts in tracked if parts[0] == "lakemesh" and len(parts) > 2}
    told_elsewhere = {"lakemesh/", "docs/", "schemas/", "examples/", "benchmarks/", "tools/"}
    missing = {room for room in (rooms | inside) - told_elsewhere if f"| `{room}` |" not in text}
    assert not missing, "docs/architecture.md has a row for each"


# ---------------------------------------------------------------------------------------------------------- commands
def commands(text: str) -> Iterator[tuple[str, bool]]:
    """Command lines of `lakemesh` that a page shows, each in one line, and whether they stand in a sentence."""
    for block in blocks(text):
        if block.info in SHELLS:
            for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
                yield from ((command, False) for command in within(line))
    for code in inline_code(text):
        if code.startswith("lakemesh "):
            yield code, True


def within(line: str) -> Iterator[str]:
    """Commands of one line: at its start, after `&&` or `|`, or in `$(…)`."""
    for part in re.split(r"&&|\|\|?|;|\$\(", line):
        words = re.sub(r"^\s*\$ |^(\s*\w+=\S+\s+)+", "", part).strip()
        if words.startswith("lakemesh "):
            yield re.sub(r"\)\"?$", "", words)


def problem(line: str, *, spoken: bool = False) -> str | None:
    """What the command would say to a command line; None: it would take it. Nothing is run.

    `spoken`: it stands in a sentence, where `lakemesh onboard producer` is the command's name.
    """
    plain = PLACEHOLDER.sub("1", re.split(r"\s+#", line)[0])
    plain = re.sub(r"\s*[<>]+\s*\S+\s*$", "", plain)
    try:
        _, *words = shlex.split(plain)
        if not words or SPOKEN.search(plain) or "--help" in words or (spoken and not _options(words)):
            _found(COMMAND, [word for word in re.sub(r"[…\[\]|]", " ", " ".join(words)).split() if word != "--help"])
        else:
            _parse(COMMAND, "lakemesh", words, None)
    except REFUSED as error:
        return str(error.format_message())
    except ValueError as error:
        return str(error)
    return None


def _options(words: list[str]) -> list[str]:
    return [word for word in words if word.startswith("-")]


def _parse(command: Any, name: str, words: list[str], parent: Any) -> None:
    """Parse a command line down to its last subcommand, without calling anything."""
    with command.make_context(name, words, parent=parent) as context:
        if not hasattr(command, "commands"):
            return
        rest = [*context._protected_args, *context.args]
        if not rest:
            return  # `lakemesh local`: the command as a whole
        found, inner, after = command.resolve_command(context, rest)
        assert inner is not None
        if after or not hasattr(inner, "commands"):
            _parse(inner, str(found), after, context)


def _found(command: Any, words: list[str]) -> None:
    """The command and every option named are there; values are not looked at."""
    for place, word in enumerate(words):
        if hasattr(command, "commands") and not word.startswith("-"):
            inner = command.commands.get(word)
            if inner is None:
                raise ValueError(f"there is no command {word}")
            _found(inner, words[place + 1 :])
            return
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("--") and word.partition("=")[0] not in known:
            raise ValueError(f"there is no option {word}")


@every_page
def test_commands_are_ones_that_lakemesh_takes(page: str) -> None:
    if page in HISTORY:
        pytest.skip(f"{page} tells what was; commands of the past are not run")
    wrong = {}
    for line, spoken in commands(PAGES[page]):
        named = line.split()[1:]
        # `lakemesh up|preview|destroy`: each of them.
        for choice in named[0].split("|") if named and "|" in named[0] else [""]:
            tried = f"lakemesh {choice} {' '.join(named[1:])}" if choice else line
            if said := problem(tried, spoken=spoken):
                wrong[tried] = said
    assert not wrong, f"{page}: {wrong}"


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, text in PAGES.items():
        shown = [line for block in blocks(text) if block.info in SHELLS for line in block.text.splitlines()]
        for code in (*inline_code(text), *shown):
            if named := re.match(r"make ([a-z]+)\b", code):
                assert named[1] in targets, f"{page}: make {named[1]}"


# ------------------------------------------------------------------------------------------------ variables and files
VARIABLE = re.compile(r"\b(?:LAKEMESH|PULUMI|AWS)_[A-Z][A-Z_]+\b")
NOT_OURS = {
    "AWS_ENDPOINT_URL": "https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html",
    "AWS_PROFILE": "https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html",
}
"""Variables that others read, each with the page that has it; ours stand in code."""
LOCAL_ONLY = ("bootstrap/", ".lakemesh/", ".pulumi/", ".venv/", ".tools/", "dist/")
"""What commands make, and a fresh checkout has not."""
PATH = re.compile(r"(?:[\w.@-]+/)+[\w.*<>{}@-]*|[\w-]+\.(?:md|py|yaml|yml|toml|json)")


@cache
def sources() -> str:
    """Everything that could read a variable."""
    paths = [ROOT / name for name in _tracked() if not name.endswith((".md", ".lock", ".csv"))]
    return "\n".join(path.read_text(encoding="utf-8", errors="ignore") for path in paths if path.is_file())


@every_page
def test_variables_are_ones_that_something_reads(page: str) -> None:
    named = set(VARIABLE.findall(PAGES[page])) - NOT_OURS.keys()
    unknown = {name for name in named if name not in sources()}
    assert not unknown, f"{page}: nothing here reads {unknown}"


def _exists(page: str, name: str) -> bool:
    shape = re.sub(r"<[^>]*>|\{[^}]*\}", "*", name.rstrip("/"))
    return any(
        next(base.glob(shape), None) is not None for base in (ROOT, (ROOT / page).parent, ROOT / "docs") if shape
    )


@every_page
def test_files_of_the_repository_that_are_named_are_there(page: str) -> None:
    """Names in code of the repository's own folders; others are examples, or made by a command."""
    if page in HISTORY:
        pytest.skip(f"{page} tells what was; files of the past are not looked for")
    roots = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"mesh"}
    lost = []
    for code in inline_code(PAGES[page]):
        if not PATH.fullmatch(code) or code.startswith(LOCAL_ONLY):
            continue
        first = code.partition("/")[0]
        if first in roots and "/" in code and not _exists(page, code):
            lost.append(code)
    assert not lost, f"{page}: {lost}"


# ---------------------------------------------------------------------------------------------- the checks themselves
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lakemesh up --local domain-ar", None),
        ("lakemesh destroy --local producer-<p>", None),
        ("lakemesh ci up --secrets-provider <key> --summary <file>  # and a comment", None),
        ("lakemesh", None),
        ("lakemesh deploy", "No such command"),
        ("lakemesh up --locl", "No such option"),
        ("lakemesh onboard producer erp", "Missing option"),
        ("lakemesh up …", None),
        ("lakemesh upp …", "no command"),
    ],
)
def test_a_command_line_is_parsed_and_not_run(line: str, said: str | None) -> None:
    found = problem(line)
    assert (found is None) if said is None else (said in str(found)), found


def test_commands_are_found_wherever_a_line_has_them() -> None:
    assert list(within('eval "$(lakemesh local env --account 1)"')) == ["lakemesh local env --account 1"]
    assert list(within("make x && AWS_PROFILE=p lakemesh up | tail")) == ["lakemesh up"]
    text = "```sh\nlakemesh up \\\n  --local\n```\nor `lakemesh preview`, not `pip`\n```yaml\nlakemesh: x\n```\n"
    assert list(commands(text)) == [("lakemesh up --local", False), ("lakemesh preview", True)]


def test_anchors_are_githubs() -> None:
    text = "# A page\n## What `sync` does *not* do\n## products/&lt;domain&gt;/x.yaml\n## Twice\n## Twice\n```\n# no\n```\n"
    assert anchors(text) == {"a-page", "what-sync-does-not-do", "productsdomainxyaml", "twice", "twice-1"}


def test_an_output_is_what_a_page_shows_but_for_what_is_left_out() -> None:
    assert looks_like("a  b\n…\nd", "a b\nc c\nd\n")
    assert looks_like("a…", "abc")
    assert not looks_like("a b", "a b c")
    assert not looks_like("b…", "abc")
    assert Path(ROOT / "docs").is_dir()
