"""Write the configuration of the pack: `python policies/configure.py --profile strict --manifest manifest.json`.

What it prints goes into a file for `pulumi preview --policy-pack policies --policy-pack-config <file>`.
"""

# ruff: noqa: INP001 - a script of the pack, which is a directory and no package
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from guardrails.profiles import LEVELS, PROFILES, configuration


def main(arguments: list[str] | None = None) -> int:
    """Print the configuration, or what is wrong with what was asked for."""
    parser = argparse.ArgumentParser(prog="configure.py", description="Write the configuration of the policy pack.")
    parser.add_argument(
        "--profile", choices=PROFILES, default="standard", help="which rules refuse; standard if left out"
    )
    parser.add_argument("--manifest", type=Path, help="file with the compiled declarations")
    parser.add_argument("--exceptions", type=Path, help="JSON file with a list of exceptions")
    parser.add_argument("--approvals", type=Path, help="JSON file with what was found of each grant's approval, by id")
    parser.add_argument(
        "--override", action="append", default=[], metavar="RULE=LEVEL", help=f"another level: {', '.join(LEVELS)}"
    )
    given = parser.parse_args(arguments)
    try:
        made = configuration(
            given.profile,
            manifest=_read(given.manifest),
            exceptions=_read(given.exceptions) or (),
            approvals=_read(given.approvals),
            overrides=dict(_override(each) for each in given.override),
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"configure.py: {error}\n")
        return 2
    sys.stdout.write(json.dumps(made, indent=2, sort_keys=True) + "\n")
    return 0


def _read(path: Path | None) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path is not None else None


def _override(text: str) -> tuple[str, str]:
    rule, separator, level = text.partition("=")
    if not separator:
        raise ValueError(f"--override {text}: write RULE=LEVEL, for example alarms-have-a-runbook=disabled.")
    return rule, level


if __name__ == "__main__":
    sys.exit(main())
