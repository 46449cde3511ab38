"""Property values between protobuf and Python: unknowns, secrets, assets and archives.

Formats: Pulumi's `sdk/go/common/resource` (signatures, unknown marker) as its Python SDK writes them.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type's signature, not a secret
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: equal contents give equal bytes


class Unknown:
    """A value that a preview cannot know. There is one, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN: Final = Unknown()

Properties = dict[str, Any]


def decode(value: struct_pb2.Value) -> Any:
    """One protobuf value as Python: integral numbers become int, secrets lose their wrapping."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        members = properties(value.struct_value)
        return members.get("value") if members.get(SIGNATURE) == SECRET else members
    if kind == "list_value":
        return [decode(member) for member in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def properties(struct: struct_pb2.Struct) -> Properties:
    """A protobuf struct as a dict; members that are null are left out, as "not set" is in every provider."""
    decoded = {key: decode(member) for key, member in struct.fields.items()}
    return {key: member for key, member in decoded.items() if member is not None}


def _encodable(value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN_TEXT
    if isinstance(value, Mapping):
        return {key: _encodable(member) for key, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [_encodable(member) for member in value]
    return value


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A dict as a protobuf struct."""
    encoded = struct_pb2.Struct()
    encoded.update(_encodable(values))
    return encoded


def has_unknown(value: Any) -> bool:
    """Whether anything inside `value` is unknown."""
    if isinstance(value, Mapping):
        return any(has_unknown(member) for member in value.values())
    if isinstance(value, list | tuple):
        return any(has_unknown(member) for member in value)
    return isinstance(value, Unknown)


# ------------------------------------------------------------------------------------------ assets and archives
def _asset_bytes(asset: Mapping[str, Any], root: Path) -> bytes:
    if "text" in asset:
        return str(asset["text"]).encode()
    if "path" in asset:
        return Path(root, str(asset["path"])).read_bytes()
    raise ValueError("An asset needs a text or a path; assets by URI are not modelled by the local provider.")


def _files(archive: Mapping[str, Any], root: Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    if "path" in archive:
        path = root / archive["path"]
        if not path.is_dir():
            raise ValueError(
                f"{path} is not a directory; archives that are files are not modelled by the local provider."
            )
        for file in path.rglob("*"):
            if file.is_file():
                yield prefix + file.relative_to(path).as_posix(), file.read_bytes()
    elif "assets" in archive:
        for name, member in archive["assets"].items():
            if member[SIGNATURE] == ASSET:
                yield prefix + name, _asset_bytes(member, root)
            else:
                yield from _files(member, root, f"{prefix}{name}/")
    else:
        raise ValueError("An archive needs assets or a path; archives by URI are not modelled by the local provider.")


def zip_bytes(archive: Mapping[str, Any], root: Path = Path()) -> bytes:
    """An archive's bytes: sorted names, fixed dates and modes, so equal contents are equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in sorted(_files(archive, root)):
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, content)
    return buffer.getvalue()


def with_hashes(value: Any, root: Path) -> Any:
    """`value` with the sha256 of every asset and archive in it, and their paths made absolute: what an engine does."""
    if isinstance(value, list):
        return [with_hashes(member, root) for member in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(SIGNATURE)
    if signature not in {ASSET, ARCHIVE}:
        return {key: with_hashes(member, root) for key, member in value.items()}
    content = _asset_bytes(value, root) if signature == ASSET else zip_bytes(value, root)
    return {**_absolute(value, root), "hash": hashlib.sha256(content).hexdigest()}


def _absolute(asset: Any, root: Path) -> Any:
    if not isinstance(asset, dict):
        return asset
    absolute = {key: _absolute(member, root) for key, member in asset.items()}
    if isinstance(asset.get("path"), str):
        absolute["path"] = str(root / asset["path"])
    return absolute


def without_contents(value: Any) -> Any:
    """`value` with assets and archives cut down to their hashes: what a ledger keeps and a diff sees."""
    if isinstance(value, list):
        return [without_contents(member) for member in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) in {ASSET, ARCHIVE}:
        return {SIGNATURE: value[SIGNATURE], "hash": value.get("hash", "")}
    return {key: without_contents(member) for key, member in value.items()}
