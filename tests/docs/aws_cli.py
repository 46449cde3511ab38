"""`aws` for the tutorial: the AWS CLI's command lines, parsed against the services' own models and called by boto3.

The CLI itself is no dependency of this project, and a machine's own would be another version on each machine. This one
knows what botocore's models know, so a misspelt operation, option or member fails; and of the CLI's own conveniences
exactly those that the pages use: `--query`, `--output text|json`, `--profile`, `--region`, `file://`, shorthand for
structures of plain values, and `cloudformation deploy` (`cloudformation.py`).

    python -m tests.docs.aws_cli athena get-work-group --work-group primary
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import jmespath
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel, Shape
from botocore.session import Session

_BOOLEANS = {"True": True, "true": True, "False": False, "false": False}
_GLOBAL = ("query", "output", "profile", "region")


class UsageError(Exception):
    """A command line that the AWS CLI would not take, or that this translator does not know."""


@dataclass
class Call:
    """One command line, understood."""

    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    """`query`, `output`, `profile`, `region`."""


def parse(arguments: Sequence[str]) -> Call:
    """Understand a command line. Calls nothing, but reads `file://`. Raises UsageError."""
    if len(arguments) < 2:
        raise UsageError("aws <service> <operation> …")
    service, operation, *rest = arguments
    given = _options(rest)
    settings = {name: _one(name, given.pop(name)) for name in _GLOBAL if name in given}
    if settings.get("output", "text") not in {"text", "json"}:
        raise UsageError(f"--output {settings['output']}: the pages use text and json")
    if query := settings.get("query"):
        try:
            jmespath.compile(query)
        except jmespath.exceptions.JMESPathError as error:
            raise UsageError(f"--query {query}: {error}") from error
    if (service, operation) == ("cloudformation", "deploy"):
        return Call(service, operation, _deploy(given), settings)
    model = _model(service, operation)
    members = {xform_name(name, "-"): (name, shape) for name, shape in _members(model).items()}
    unknown = given.keys() - members.keys()
    if unknown:
        raise UsageError(f"{service} {operation} has no option --{min(unknown)}")
    values = {members[option][0]: _value(members[option][1], words, option) for option, words in given.items()}
    required = model.input_shape.required_members if model.input_shape else []
    missing = [f"--{xform_name(name, '-')}" for name in required if name not in values]
    if missing:
        raise UsageError(f"{service} {operation} needs {', '.join(missing)}")
    return Call(service, operation, values, settings)


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--")
            if name in found:
                raise UsageError(f"--{name} stands twice")
            found[name] = []
        elif not name:
            raise UsageError(f'"{word}" belongs to no option')
        else:
            found[name].append(word)
    return found


def _one(name: str, words: list[str]) -> str:
    if len(words) != 1:
        raise UsageError(f"--{name} takes one value, not {len(words)}")
    return words[0]


def _deploy(given: dict[str, list[str]]) -> dict[str, Any]:
    """Options of the CLI's own command (AWS CLI reference, "cloudformation deploy") that the pages use."""
    takes = {"stack-name", "template-file", "capabilities", "parameter-overrides"}
    if unknown := given.keys() - takes:
        raise UsageError(f"cloudformation deploy: the pages do not use --{min(unknown)}")
    if given.get("capabilities") != ["CAPABILITY_NAMED_IAM"]:
        raise UsageError("cloudformation deploy: roles with names need --capabilities CAPABILITY_NAMED_IAM")
    overrides = dict(word.split("=", 1) for word in given.get("parameter-overrides", []))
    names = {name: _one(name, given.get(name, [])) for name in ("stack-name", "template-file")}
    return {**names, "parameter-overrides": overrides}


def _model(service: str, operation: str) -> OperationModel:
    session = Session()
    if service not in session.get_available_services():
        raise UsageError(f"AWS has no service {service}")
    model = session.get_service_model(service)
    for name in model.operation_names:
        if xform_name(name, "-") == operation:
            return model.operation_model(name)
    raise UsageError(f"{service} has no operation {operation}")


def _members(model: OperationModel) -> dict[str, Shape]:
    return dict(model.input_shape.members) if model.input_shape else {}


# ------------------------------------------------------------------------------------------------------------ values
def _value(shape: Shape, words: list[str], option: str) -> Any:
    if shape.type_name == "boolean" and not words:
        return True
    if shape.type_name == "list" and not (len(words) == 1 and _is_document(words[0])):
        return [_value(shape.member, [word], option) for word in words]  # type: ignore[attr-defined]
    word = _one(option, words)
    if shape.type_name in {"string", "blob"}:
        return _content(word)
    if shape.type_name in {"integer", "long"}:
        return int(word)
    if shape.type_name == "boolean":
        return _BOOLEANS[word]
    if _is_document(word):
        return _checked(json.loads(_content(word)), shape, option)
    if shape.type_name in {"structure", "map"}:
        return _checked(_shorthand(word), shape, option)
    raise UsageError(f"--{option}: this translator does not read a {shape.type_name} from {word!r}")


def _is_document(word: str) -> bool:
    return word.startswith(("file://", "{", "["))


def _content(word: str) -> str:
    if not word.startswith("file://"):
        return word
    try:
        return Path(word.removeprefix("file://")).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{word}: {error.strerror}") from error


def _shorthand(word: str) -> dict[str, str]:
    """`A=1,B=2` (AWS CLI user guide, "Using shorthand syntax with the AWS CLI"), one level deep."""
    pairs = [pair.partition("=") for pair in word.split(",")]
    if not all(sign for _, sign, _ in pairs):
        raise UsageError(f"{word!r} is neither JSON nor Key=value,Key=value")
    return {key: value for key, _, value in pairs}


def _checked(value: Any, shape: Shape, where: str) -> Any:
    """A structure's members are those of the model. Raises UsageError."""
    if shape.type_name == "structure":
        known = shape.members  # type: ignore[attr-defined]
        for name, inner in value.items():
            if name not in known:
                raise UsageError(f"{where}: {shape.name} has no member {name}; it has {', '.join(sorted(known))}")
            _checked(inner, known[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            _checked(inner, shape.member, where)  # type: ignore[attr-defined]
    return value


# ------------------------------------------------------------------------------------------------------------- calls
def run(call: Call) -> str:
    """Do it, with the credentials of the environment; what the CLI prints. Raises ClientError, BotoCoreError."""
    session: Any = boto3.Session(profile_name=call.settings.get("profile"), region_name=call.settings.get("region"))
    if (call.service, call.operation) == ("cloudformation", "deploy"):
        from tests.docs.cloudformation import deploy

        return deploy(session, call.parameters)
    client = session.client(call.service, config=Config(s3={"addressing_style": "path"}))
    method = xform_name(_model(call.service, call.operation).name)
    if client.can_paginate(method):
        answer = client.get_paginator(method).paginate(**call.parameters).build_full_result()
    else:
        answer = getattr(client, method)(**call.parameters)
        answer.pop("ResponseMetadata", None)
    return shown(answer, call.settings)


def shown(answer: Any, settings: dict[str, str]) -> str:
    """An answer as the CLI prints it."""
    if query := settings.get("query"):
        answer = jmespath.search(query, answer)
    if settings.get("output", "json") == "json":
        return json.dumps(answer, indent=4, default=str) if answer not in ({}, None) else ""
    return _text(answer)


def _text(value: Any) -> str:
    """`--output text` of plain values and lists of them: a line a list, with tabs (AWS CLI, "Text output format")."""
    if isinstance(value, list) and any(isinstance(each, list) for each in value):
        return "\n".join(_text(each) for each in value)
    if isinstance(value, list):
        return "\t".join(_text(each) for each in value)
    if isinstance(value, dict):
        raise UsageError("--output text of a structure: choose its members with --query")
    return "None" if value is None else str(value)


def main(arguments: Sequence[str]) -> int:
    """The command. Exit codes as the CLI's: 252 usage, 253 no credentials or settings, 254 the service refused."""
    try:
        call = parse(arguments)
        said = "understood" if os.environ.get("LAKEMESH_DOCS_ONLY_PARSE") else run(call)
    except UsageError as error:
        sys.stderr.write(f"aws (translated): {error}\n")
        return 252
    except ClientError as error:
        sys.stderr.write(f"\n{error}\n")
        return 254
    except BotoCoreError as error:
        sys.stderr.write(f"\n{error}\n")
        return 253
    if said:
        sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
