"""Write docs/policies.md and policies/profiles/ anew from the metadata of the rules."""

# ruff: noqa: INP001 - a script of the pack, which is a directory and no package
from __future__ import annotations

from pathlib import Path

from guardrails.catalogue import page, profile_text
from guardrails.profiles import PROFILES

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write the files."""
    (HERE.parent / "docs" / "policies.md").write_text(page(), encoding="utf-8")
    for profile in PROFILES:
        (HERE / "profiles" / f"{profile}.json").write_text(profile_text(profile), encoding="utf-8")


if __name__ == "__main__":
    main()
