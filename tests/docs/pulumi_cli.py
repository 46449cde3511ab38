"""`pulumi` for the tutorial: Pulumi's own CLI where there is one, with what a test's machine lacks made up for.

* State and secrets are in a folder under a passphrase (`Machine.environment`), so `pulumi login` does nothing and
  `--secrets-provider` is left out: the local AWS does not know `kms:ResourceAliases`, by which the deploying role may
  use the state's key, and Go's SDK asks AWS's own address for a profile's session, whatever AWS_ENDPOINT_URL says.
* A CLI that was built from its Go module comes without `pulumi-language-python`, which runs programs for `pulumi up`:
  then a person's `pulumi up --stack X` becomes `lakemesh up X`, which has the same CLI do the same with the program in
  its own process. Where the language host is installed, `pulumi up` is `pulumi up`.
* Without any CLI, `pulumi up --stack X` is `lakemesh up X --local`, and `pulumi stack init` does nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from tests.docs.lakemesh_cli import without_option
from tests.docs.world import REAL_PULUMI

PROGRAMS = {"up", "preview"}
"""Commands that run the program."""


def command_of(given: Sequence[str], *, cli: str | None, language_host: bool) -> list[str]:
    """What is run instead of a person's `pulumi …`; empty: nothing."""
    if any(word.startswith(("--client", "--exec-kind")) for word in given):
        return [str(cli), *given]  # `lakemesh up` drives the CLI
    if given[:1] == ["login"]:
        return []
    if given[:1] and given[0] in PROGRAMS and not (cli and language_host):
        if len(given) < 3 or given[1] != "--stack" or set(given[3:]) - {"--yes"}:
            raise SystemExit(f"pulumi (stand-in): of `pulumi {given[0]}` only `--stack <stack> [--yes]` is known here")
        return ["lakemesh", given[0], *given[2:]]
    if cli is None:
        return []
    return [cli, *without_option(given, "--secrets-provider")]


if __name__ == "__main__":
    command = command_of(
        sys.argv[1:],
        cli=os.environ.get(REAL_PULUMI) or None,
        language_host=shutil.which("pulumi-language-python") is not None,
    )
    if command:
        os.execvp(command[0], command)  # noqa: S606 - the page's own command
