"""See plugin.py, which is apart so that its own tests can load it into a pytest of theirs."""

from __future__ import annotations

from tests.aws_conformance.plugin import *  # noqa: F403 - hooks and fixtures
