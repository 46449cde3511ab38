"""Where the mesh's files are kept, and how a change of them is proposed. The portal grants nothing: `up` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class UnreachableError(Exception):
    """The repository did not answer; it is asked again later. The text says why."""


class RefusedByRepositoryError(Exception):
    """The change cannot be made as things are: a conflict, or a decision of people. The text says what to do."""


@dataclass(frozen=True)
class Change:
    """Files that a proposal writes, given what they hold where it will land."""

    branch: str
    """A name that is the same whenever the same change is proposed."""
    title: str
    body: str
    files: Mapping[str, Callable[[str], str]]
    """By path in the mesh directory: the new text, from the present one (empty where there is no such file).

    Each may raise EditConflictError.
    """


class Repository(Protocol):
    """One place where the mesh's files are kept."""

    def propose(self, change: Change) -> str:
        """Propose a change and return its name; that of the one there is where it was proposed before.

        Raises UnreachableError, RefusedByRepositoryError, and what the change's files raise.
        """

    def merged(self, proposal: str) -> bool:
        """Whether a proposal is part of what is deployed.

        Raises UnreachableError, and RefusedByRepositoryError where people closed it without merging.
        """
