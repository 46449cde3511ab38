"""parliament, which lints IAM documents, made to load: it asks `pkg_resources`, which setuptools gave up, for two paths."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from types import ModuleType


def load() -> ModuleType:
    """The module `parliament`."""
    if importlib.util.find_spec("pkg_resources") is None:
        stand_in = types.ModuleType("pkg_resources")
        stand_in.resource_filename = _resource_filename
        sys.modules["pkg_resources"] = stand_in
        try:
            return importlib.import_module("parliament")
        finally:
            del sys.modules["pkg_resources"]
    return importlib.import_module("parliament")


def _resource_filename(package: str, resource: str) -> str:
    return str(Path(str(sys.modules[package].__file__)).parent / resource)
