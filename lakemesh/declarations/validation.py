"""From plain values to models, with every mistake explained in the words of the file.

Pydantic says where and what kind; this module adds what was meant: known keys, known values, how the thing is written.
What is wrong is taken out and the rest is read, so that one mistake does not hide the ones in other places.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lakemesh.declarations import models, recommendations
from lakemesh.declarations.errors import Problem, did_you_mean, path_text
from lakemesh.declarations.places import Places
from lakemesh.declarations.yamlfile import Document, Path, Value

M = TypeVar("M", bound=BaseModel)


def _pattern(annotation: Any) -> str:
    """The pattern of one of the models' annotated strings."""
    return next(str(part.pattern) for part in annotation.__metadata__ if getattr(part, "pattern", None))


_SHAPES: Final[Mapping[str, str]] = {
    _pattern(models.AccountId): 'must be an account id: 12 digits in quotes, such as "111122223333"',
    _pattern(models.Slug): (
        'must be lower-case letters, digits, "-" and "_", begin with a letter and have at most 50 characters: it '
        "becomes "
        "part of role names and a value of an LF-Tag"
    ),
    _pattern(models.GrantId): 'must be lower-case letters and digits, with "-", "_" or "." between them',
    _pattern(models.GlueName): (
        "must be a Glue name: lower-case, without spaces, dots, slashes, wildcards or quotes, at most 255 characters"
    ),
    _pattern(models.RoleArn): "must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/Analyst",
    _pattern(models.KeyArn): (
        "must be the ARN of a KMS key (not of an alias), such as arn:aws:kms:eu-central-1:111122223333:key/<key id>"
    ),
    _pattern(models.BucketName): "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
    _pattern(models.Schedule): "must be a schedule, such as rate(6 hours) or cron(0 5 * * ? *)",
    _pattern(models.Email): "must be an e-mail address",
    _pattern(models.S3Prefix): (
        "must be an S3 prefix that ends in a slash and has no wildcards, such as s3://bucket/folder/"
    ),
    _pattern(models.TagName): (
        "must be an LF-Tag key or value: lower-case (Lake Formation lower-cases both), at most 50 characters"
    ),
    _pattern(models.RoleName): "must be the name of an IAM role, without the ARN in front of it",
    _pattern(models.PolicyName): "must be the name of a rule of the policy pack: lower-case words with hyphens between",
    _pattern(recommendations.DecisionText): (
        "must be a decision: accept, reject (with a reason), or change to followed by public, internal, confidential "
        "or restricted and, if it is another kind of personal data, the kind: change to restricted tax-id"
    ),
    _pattern(recommendations.KindName): "must be a kind of data in lower-case words with hyphens between",
    _pattern(recommendations.Fingerprint): (
        "is written by the program alone: 16 hexadecimal digits\nRun lakemesh classify recommend"
    ),
    _pattern(recommendations.Release): "must be a version of the recogniser, such as 1.0.0",
    _pattern(models.NamePattern): "must be a name, or a pattern of names with * for any characters, without spaces",
    _pattern(models.PrincipalName): 'must be a short name of letters, digits, "-", "_" and ".", at most 50 characters',
}
_KEYS: Final[Mapping[tuple[str, ...], str]] = {
    ("organization", "id"): "must be the id of the AWS organization, such as o-a1b2c3d4e5",
    ("region",): "must be an AWS region, such as eu-central-1",
    ("to",): "must be a consumer, or consumer/principal for the direct path",
}
_BLAND: Final = re.compile(r"^(?:Value error|Assertion failed), ")


@dataclass(frozen=True)
class Read(Generic[M]):
    """As much of a file as could be read, what could not, and what was left out for it."""

    value: M | None
    problems: tuple[Problem, ...] = ()
    left_out: frozenset[Path] = frozenset()
    replaced: frozenset[str] = frozenset()
    """Top-level keys that were read as their stand-in."""

    def index(self, path: Path, position: int) -> int:
        """Where item `position` of the list at `path` stands in the file."""
        index = -1
        for _ in range(position + 1):
            index += 1
            while (*path, index) in self.left_out:
                index += 1
        return index


def validate(
    model: type[M],
    document: Document,
    file: str,
    places: Places,
    *,
    salvage: Callable[[Path], Path | None],
    stand_ins: Mapping[str, Value] | None = None,
) -> Read[M]:
    """`document` as `model`; where it has mistakes, as much of it as can be read without them.

    `salvage` says for the path of a mistake what to leave out (an entry of a mapping, an item of a list), or None when
    nothing less than the whole file can be left out. `stand_ins` replace top-level keys that cannot be left out.
    """
    value = document.value
    if not isinstance(value, dict):
        said = "The file is empty" if value is None else "The file must hold keys and values (a mapping)"
        wanted = ", ".join(_required(model))
        mend = f"\nIt needs: {wanted}." if wanted else ""
        return Read(None, (places.problem("wrong-type", f"{said}.{mend}", file),))
    try:
        return Read(model.model_validate(value))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
    problems = tuple(_explain(model, document, file, places, details))
    left_out = _left_out(details, document, salvage, stand_ins or {})
    if left_out is None:
        return Read(None, problems)
    wrong = {_path(document, detail)[0] for detail in details if _path(document, detail)}
    replaced = {key: stand_in for key, stand_in in (stand_ins or {}).items() if key in wrong}
    rest = copy.deepcopy(value) | replaced
    # Later items of a list first, so that the others keep their numbers meanwhile.
    for target in sorted(left_out, key=_order, reverse=True):
        _delete(rest, target)
    try:
        return Read(model.model_validate(rest), problems, left_out, frozenset(replaced))
    except ValidationError:
        return Read(None, problems)


def _left_out(
    details: list[ErrorDetails],
    document: Document,
    salvage: Callable[[Path], Path | None],
    stand_ins: Mapping[str, Value],
) -> frozenset[Path] | None:
    gone: set[Path] = set()
    for detail in details:
        path = _path(document, detail)
        if path and path[0] in stand_ins:
            continue
        target = path if detail["type"] == "extra_forbidden" else salvage(path)
        if target is None:
            return None
        gone.add(target)
    return frozenset(gone)


def _order(path: Path) -> list[tuple[bool, int, str]]:
    return [(isinstance(part, int), part if isinstance(part, int) else 0, str(part)) for part in path]


def _delete(value: Value, path: Path) -> None:
    at: Any = value
    for part in path[:-1]:
        at = at[part] if _holds(at, part) else None
    if _holds(at, path[-1]):
        del at[path[-1]]


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _path(document: Document, detail: ErrorDetails) -> Path:
    """Pydantic's place as a path into the file: without its marks for keys (`[key]`) and for members of unions."""
    path: list[str | int] = []
    for part in detail["loc"]:
        if part == "[key]" or (path and document.scalar(path) is not None):
            break
        path.append(part)
    return tuple(path)


def _explain(
    model: type[BaseModel], document: Document, file: str, places: Places, details: list[ErrorDetails]
) -> Iterator[Problem]:
    paths = [_path(document, detail) for detail in details]
    seen: set[Path] = set()
    for path, detail in zip(paths, details, strict=True):
        # A list whose only item is wrong is not empty on top of that; what the reader refused is said already.
        emptied = detail["type"] == "too_short" and any(len(p) > len(path) and p[: len(path)] == path for p in paths)
        if path in seen or emptied or _said_already(document, path):
            continue
        seen.add(path)
        rule, message = _say(model, document, path, detail)
        yield places.problem(rule, message, file, *path)


def _said_already(document: Document, path: Path) -> bool:
    text = path_text(path)
    return any(f.path == text or f.path.startswith((f"{text}.", f"{text}[")) for f in document.findings if path)


def _say(model: type[BaseModel], document: Document, path: Path, detail: ErrorDetails) -> tuple[str, str]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return (
                "unknown-key",
                f'There is no key "{path[-1]}" here.{did_you_mean(str(path[-1]), _keys(model, path[:-1]))}',
            )
        case "missing":
            return "missing-key", f'"{path[-1]}" is missing.'
        case "string_pattern_mismatch" | "string_too_long" | "string_too_short":
            return "wrong-value", f"{_quote(given)} {_shape(path, str(context.get('pattern', '')), kind, context)}."
        case "enum" | "literal_error":
            return "wrong-value", _choice(model, path, given, context)
        case "too_short":
            return "wrong-value", "At least one entry is needed."
        case "greater_than_equal" | "less_than_equal":
            bound = context.get("ge", context.get("le"))
            word = "less" if kind == "greater_than_equal" else "more"
            return "wrong-value", f"{_quote(given)} is not allowed: no {word} than {bound}."
    return "wrong-type", _wrong_type(document, path, kind, given, detail["msg"])


def _wrong_type(document: Document, path: Path, kind: str, given: object, said: str) -> str:
    scalar = document.scalar(path)
    written = scalar.value if scalar is not None else ""
    if kind == "string_type":
        if isinstance(given, bool):
            return f'YAML reads {written} without quotes as {str(given).lower()}; write "{written}" in quotes.'
        if isinstance(given, int | float) and re.fullmatch(r"[0-9_]{10,14}", written):
            return f'An account id must be in quotes, or YAML drops its leading zeros: write "{written}".'
        if isinstance(given, int | float | dt.date):
            return f'YAML reads {written} as {_kind(given)}, and text is wanted; write "{written}" in quotes.'
    if kind.startswith("date") or (kind == "value_error" and "date" in said):
        return f"{_quote(written or given)} is not a date; write it as 2026-03-09."
    wanted = _WANTED.get(kind)
    if wanted is None:
        return _BLAND.sub("", said) + "."
    return f"Expected {wanted}, not {_kind(given)}."


_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false (without quotes)",
    "dict_type": "keys and values (a mapping)",
    "model_type": "keys and values (a mapping)",
    "model_attributes_type": "keys and values (a mapping)",
    "tuple_type": "a list",
    "list_type": "a list",
}


def _shape(path: Path, pattern: str, kind: str, context: Mapping[str, Any]) -> str:
    words = tuple(part for part in path if isinstance(part, str))
    for keys, text in _KEYS.items():
        if words[-len(keys) :] == keys:
            return text
    if pattern in _SHAPES:
        return _SHAPES[pattern]
    if kind == "string_too_long":
        return f"is too long: at most {context.get('max_length')} characters"
    if kind == "string_too_short":
        return "must not be empty"
    return f"must match {pattern}"


def _choice(model: type[BaseModel], path: Path, given: object, context: Mapping[str, Any]) -> str:
    del model, path
    expected = re.findall(r"'([^']*)'|\b(\d+)\b", str(context.get("expected", "")))
    names = [text or number for text, number in expected]
    if isinstance(given, str):
        return f"{_quote(given)} is not one of {', '.join(names)}.{_close(given, names)}"
    return f"Expected one of {', '.join(names)}, not {_kind(given)}."


def _close(given: str, names: list[str]) -> str:
    hint = did_you_mean(given, names)
    return hint if "Did you mean" in hint else ""


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return "a number"
        case dt.date():
            return "a date"
        case str():
            return f"the text {_quote(value)}"
        case list():
            return "a list"
    return "keys and values (a mapping)"


def _quote(value: object) -> str:
    text = str(value)
    return f'"{text if len(text) <= 80 else text[:79] + "…"}"'


# ------------------------------------------------------------------------------------------- what the models hold
def _required(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items() if field.is_required()]


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that are known at `path` of a model."""
    at: Any = model
    for part in path:
        at = _inside(at, part)
    found = _model(at)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _inside(annotation: Any, part: str | int) -> Any:
    found = _model(annotation)
    if found is not None:
        by_key = {field.alias or name: field.annotation for name, field in found.model_fields.items()}
        return by_key.get(str(part))
    arguments = [argument for argument in typing.get_args(annotation) if argument not in {type(None), Ellipsis}]
    if typing.get_origin(annotation) is dict:
        return arguments[-1]
    if typing.get_origin(annotation) in {tuple, list}:
        return arguments[0]
    return next((inner for inner in (_inside(argument, part) for argument in arguments) if inner is not None), None)


def _model(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
