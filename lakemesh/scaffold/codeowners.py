"""CODEOWNERS from the owners in mesh.yaml: a domain has products, grants and columns, a consumer its file. Pure text.

GitHub takes the last pattern that fits, so what is general stands first (GitHub documentation, "About code owners").
Only the block between the two marks is generated; what people wrote around it stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lakemesh.declarations.models import Mesh

BEGIN: Final = "# lakemesh codeowners: begin (generated from owners in mesh.yaml; change them there)"
END: Final = "# lakemesh codeowners: end"
PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order."""
MAX_BYTES: Final = 3 * 1024 * 1024
"""GitHub ignores a larger file."""
_OWNER: Final = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9_.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+")


class CodeownersError(Exception):
    """No CODEOWNERS can be made; the text says why and what to change."""


def block(mesh: Mesh, folder: str, platform: str) -> str:
    """The generated block. `folder`: the mesh directory from the repository's root; `platform` owns the rest."""
    if not platform:
        raise CodeownersError("Who owns the rest of the repository? Say so once with --platform @organization/team.")
    owners: list[tuple[str, str, str]] = [("*", platform, "--platform"), (f"/{folder}/", platform, "--platform")]
    for name, domain in sorted(mesh.domains.items()):
        where = f"domains.{name}.owner"
        owners.append((f"/{folder}/products/{name}/", domain.owner, where))
        owners.append((f"/{folder}/grants/{name}.yaml", domain.owner, where))
        owners.append((f"/{folder}/recommendations/{name}.yaml", domain.owner, where))
    for name, producer in sorted(mesh.producers.items()):
        owners.append((f"/{folder}/onboarding/{name}.md", producer.owner, f"producers.{name}.owner"))
    for name, consumer in sorted(mesh.consumers.items()):
        owners.append((f"/{folder}/consumers/{name}.yaml", consumer.owner, f"consumers.{name}.owner"))
    _check(owners)
    width = max(len(_escaped(pattern)) for pattern, _, _ in owners)
    lines = [f"{_escaped(pattern).ljust(width)}  {owner}" for pattern, owner, _ in owners]
    text = "\n".join([BEGIN, *lines, END]) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise CodeownersError(
            f"The file would have {len(text.encode()):,} bytes; GitHub ignores more than {MAX_BYTES:,}."
        )
    return text


def _check(owners: Sequence[tuple[str, str, str]]) -> None:
    """GitHub skips a line that names what is no owner, and everybody may change what stands in it."""
    wrong = sorted({(where, owner) for _, owner, where in owners if not all(map(_OWNER.fullmatch, owner.split()))})
    if wrong:
        said = "\n".join(f'  {where}: "{owner}"' for where, owner in wrong)
        raise CodeownersError(
            f"GitHub knows owners as @user, @organization/team or an e-mail address, and skips other lines:\n{said}"
        )


def _escaped(pattern: str) -> str:
    return pattern.replace(" ", "\\ ")


def merged(existing: str, generated: str) -> str:
    """A CODEOWNERS file with its generated block replaced, or with the block in front where it has none.

    In front, so that the lines that people wrote go on deciding where both fit.
    """
    if BEGIN not in existing:
        return f"{generated}\n{existing.lstrip()}" if existing.strip() else generated
    before, _, rest = existing.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise CodeownersError(
            f'The line "{END}" is missing after the generated block; put it back, or remove the block.'
        )
    return before + generated.rstrip("\n") + after


def platform_of(existing: str) -> str:
    """Who owns the rest, as the generated block has it; empty where there is none."""
    rest = existing.partition(BEGIN)[2].partition(END)[0]
    found = re.search(r"^\*[ \t]+(.+?)[ \t]*$", rest, re.MULTILINE)
    return found[1] if found else ""


def root_of(mesh: Path) -> Path:
    """The repository's root above a mesh directory: where `.git` is, or else the directory that the mesh lies in."""
    start = mesh.resolve().parent
    return next((parent for parent in (start, *start.parents) if (parent / ".git").exists()), start)
