"""A Pulumi project on disk: its program, and its stacks' configuration as the CLI would pass it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class ProjectError(Exception):
    """A project file that is missing or does not say what it should."""


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


@dataclass(frozen=True)
class Project:
    """`Pulumi.yaml` and the directory it lies in."""

    name: str
    root: Path
    declared: Mapping[str, Any]
    """The `config:` section, by full key."""

    @staticmethod
    def load(root: Path) -> Project:
        """The project in a directory. Raises ProjectError."""
        found = _read(root / "Pulumi.yaml")
        if found is None:
            raise ProjectError(f"{root} has no Pulumi.yaml")
        name = str(found["name"])
        declared = {_full(name, key): value for key, value in (found.get("config") or {}).items()}
        return Project(name, root.resolve(), declared)

    def config(self, stack: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
        """The configuration of a stack as text by full key: defaults, then `Pulumi.<stack>.yaml`, then `overrides`.

        Raises ProjectError for a value of the wrong type, a required key without value, a secret.
        """
        file = self.root / f"Pulumi.{stack}.yaml"
        given = (_read(file) or {}).get("config") or {}
        values = {_full(self.name, key): value for key, value in given.items()} | dict(overrides or {})
        for key, value in values.items():
            if isinstance(value, dict) and "secure" in value:
                raise ProjectError(
                    f"Pulumi.{stack}.yaml: {key} is encrypted; the in-process engine decrypts no secrets."
                )
        for key, declaration in self.declared.items():
            if not isinstance(declaration, dict):
                values.setdefault(key, declaration)
                continue
            values.setdefault(key, declaration.get("default", declaration.get("value")))
            kind = str(declaration.get("type"))
            if values[key] is None:
                raise ProjectError(
                    f"Stack {stack} is missing the configuration value {key}: set it in Pulumi.{stack}.yaml."
                )
            if kind in _TYPES and not _TYPES[kind](values[key]):
                raise ProjectError(
                    f"Stack {stack}: the configuration value {key} must be of type {kind}: {values[key]!r}"
                )
        return {key: _text(value) for key, value in values.items()}


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ProjectError(f"{path}: {error}") from error
