"""Launchers that Pulumi's engine looks for on PATH. They run this interpreter, whichever is active."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / ".tools" / "local-aws"
"""Not .tools/bin, which belongs on a person's PATH: there this provider would stand in for AWS's own."""
PROVIDER = "pulumi-resource-aws"
ANALYZER = "pulumi-analyzer-policy-python"


def install(directory: Path) -> Path:
    """Write the provider's launcher and, for a CLI that came without language hosts, the policy packs'."""
    provider(directory)
    analyzer(directory)
    return directory.resolve()


def provider(directory: Path) -> Path:
    """The launcher of `python -m local_aws.engine`."""
    found = f"PYTHONPATH={shlex.quote(str(ROOT))}${{PYTHONPATH:+:$PYTHONPATH}}; export PYTHONPATH\n"
    return _launcher(directory / PROVIDER, found, '-u -m local_aws.engine "$@"')


def analyzer(directory: Path) -> Path:
    """The launcher of Pulumi's own host of Python policy packs: (engine address, pack directory).

    Without this project on its path: a pack that is published runs alone.
    """
    return _launcher(directory / ANALYZER, "", '-u -m pulumi.policy "$1" "$2"')


def _launcher(path: Path, before: str, rest: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # `exec`, so that the process that the engine started is the one that serves, and is ended with it.
    text = f"#!/bin/sh\n{before}exec {shlex.quote(sys.executable)} {rest}\n"
    if not path.is_file() or path.read_text() != text:
        # Replaced whole: another run may be starting the old one right now.
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_text(text)
        new.chmod(0o755)
        new.replace(path)
    return path
