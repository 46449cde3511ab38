"""`lakemesh` for the tutorial: the command itself, with a person's answer given and AWS replaced by the local one.

* What asks "… to real accounts? [y/N]" is answered with yes: a test has no terminal.
* State and secrets are in a folder under a passphrase (`Machine.environment`), so `--secrets-provider` is left out: the
  local AWS does not know `kms:ResourceAliases`, by which the deploying role may use the state's key.
* Where there is no Pulumi CLI, deployments are `--local`: the in-process engine, which prepares the accounts itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tests.docs.world import REAL_PULUMI

DEPLOYMENTS = {"up", "preview", "destroy"}
ASK = {"up", "destroy", "onboard"}


def arguments_of(given: Sequence[str], *, cli: bool) -> list[str]:
    """The arguments that are run instead of a person's."""
    made = without_option(given, "--secrets-provider")
    command = made[0] if made else ""
    if command in ASK and "--yes" not in made:
        made.append("--yes")
    if command in DEPLOYMENTS and not cli:
        made.append("--local")
    return made


def without_option(given: Sequence[str], option: str) -> list[str]:
    """`given` without an option and its value."""
    made, words = [], iter(given)
    for word in words:
        if word == option:
            next(words)
        else:
            made.append(word)
    return made


if __name__ == "__main__":
    from lakemesh.cli.main import main

    sys.argv[1:] = arguments_of(sys.argv[1:], cli=bool(os.environ.get(REAL_PULUMI)))
    main()
