"""What inputs a resource type takes, by pulumi_aws's own argument classes.

Misspelt keys of nested dicts reach a provider unnoticed by the SDK; the real provider refuses them, so does this one.
"""

from __future__ import annotations

import collections.abc
import functools
import importlib
import inspect
import threading
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi import _types as pulumi_types

from local_aws.provider.values import ARCHIVE, ASSET, SIGNATURE, Unknown

Problem = tuple[str, str]
"""(property path, reason), as in a CheckFailure."""

# pulumi_aws loads its modules when they are first asked for: of two threads that ask at once, one finds half a module.
_LOADING = threading.RLock()
# Modules whose name in Python differs from the one in the type token.
_MODULES = {"lambda": "lambda_"}


@functools.cache
def arguments(token: str) -> type:
    """The pulumi_aws argument class of a type token, e.g. "aws:iam/role:Role". Raises LookupError for no such type."""
    _, module, name = token.split(":")
    module = module.partition("/")[0]
    with _LOADING:
        try:
            package = importlib.import_module(f"pulumi_aws.{_MODULES.get(module, module)}")
        except ImportError as error:
            raise LookupError(token) from error
        # Where a nested type already has the name <Resource>Args, the resource's own is <Resource>InitArgs.
        found = getattr(package, f"{name}InitArgs", None) or getattr(package, f"{name}Args", None)
    if found is None:
        raise LookupError(token)
    return typing.cast(type, found)


def arguments_of(token: str) -> frozenset[str]:
    """Names of the inputs that the real provider has for a type."""
    return frozenset(_members(arguments(token)))


@functools.cache
def _members(cls: type) -> Mapping[str, Any]:
    return pulumi_types.input_type_types(cls)


@functools.cache
def _required(cls: type) -> frozenset[str]:
    names = pulumi_types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters.values()
    return frozenset(names[p.name] for p in parameters if p.name in names and p.default is inspect.Parameter.empty)


def _plain(annotation: Any) -> Any:
    """`X` of `X | None`, `Input[X]` and the like: the member that is neither None nor a way of waiting for X."""
    if typing.get_origin(annotation) not in {typing.Union, types.UnionType}:
        return annotation
    waiting = {collections.abc.Awaitable}
    for member in typing.get_args(annotation):
        origin = typing.get_origin(member)
        name = getattr(origin or member, "__name__", "")
        if member is not type(None) and origin not in waiting and name != "Output" and not name.endswith("Dict"):
            return _plain(member)
    return Any


def _children(annotation: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:
    origin = typing.get_origin(annotation)
    if isinstance(value, list) and origin in {collections.abc.Sequence, list}:
        for index, member in enumerate(value):
            yield f"[{index}]", typing.get_args(annotation)[0], member
    elif isinstance(value, dict) and origin in {collections.abc.Mapping, dict}:
        for key, member in value.items():
            yield f".{key}", typing.get_args(annotation)[1], member


_EXPECTED: Mapping[Any, tuple[type, ...]] = {
    str: (str, int, float),
    bool: (bool, str),
    int: (int, str),
    float: (int, float, str),
}


def _wrong(annotation: Any, value: Any) -> str | None:
    """Why `value` cannot be what `annotation` says; scalars are as lenient as the real provider's conversions."""
    origin = typing.get_origin(annotation)
    if annotation in _EXPECTED and not isinstance(value, _EXPECTED[annotation]):
        return f"expected a {annotation.__name__}, got {type(value).__name__}"
    if origin in {collections.abc.Sequence, list} and not isinstance(value, list):
        return f"expected a list, got {type(value).__name__}"
    if (origin in {collections.abc.Mapping, dict} or _is_arguments(annotation)) and not isinstance(value, dict):
        return f"expected an object, got {type(value).__name__}"
    return None


def _is_arguments(annotation: Any) -> bool:
    return isinstance(annotation, type) and pulumi_types.is_input_type(annotation)


def _check(path: str, annotation: Any, value: Any) -> Iterator[Problem]:
    if value is None or isinstance(value, Unknown):
        return
    annotation = _plain(annotation)
    if isinstance(value, dict) and value.get(SIGNATURE) in {ASSET, ARCHIVE}:
        return
    wrong = _wrong(annotation, value)
    if wrong:
        yield path, wrong
    elif _is_arguments(annotation):
        yield from object_problems(annotation, value, f"{path}.")
    else:
        for suffix, member, child in _children(annotation, value):
            yield from _check(path + suffix, member, child)


def object_problems(cls: type, values: Mapping[str, Any], prefix: str = "") -> Iterator[Problem]:
    """What is wrong with `values` as the arguments `cls`: unknown keys, wrong kinds, missing keys."""
    members = _members(cls)
    for key, value in values.items():
        if key.startswith("__"):
            continue
        if key in members:
            yield from _check(prefix + key, members[key], value)
        else:
            yield prefix + key, f'Invalid or unknown key "{key}". Known keys: {", ".join(sorted(members))}.'
    for key in sorted(_required(cls) - values.keys()):
        yield prefix + key, f'Missing required argument "{key}".'
