"""What an approval of a grant is about, and a portal's signature that says that it was given. Pure.

An approval is of one content: the entry in `grants/<domain>.yaml` as it stood when somebody decided. Its digest is
taken over canonical JSON, so neither the order of keys nor comments, quotes and blank lines matter, and every value
does: an entry that was edited afterwards is another entry, which nobody has approved.

A portal that decides signs a statement: digest, request, approvers and time, with Ed25519 (RFC 8032) over the
statement's canonical JSON. It lies as `approvals/<grant id>.json` in the mesh directory; `approvals.signers` of
mesh.yaml names the public keys that count.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

FORMAT: Final = "lakemesh-approval/1"
FOLDER: Final = "approvals"
"""Folder of a mesh directory that holds signed statements."""

Json = dict[str, Any]


class SigningError(Exception):
    """There is no cryptography here, or a key is none; the text says what to do."""


def canonical(value: Any) -> bytes:
    """Canonical JSON as UTF-8: sorted keys, no spaces, dates as 2030-12-31, keys without a value left out."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_digest(domain: str, entry: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal digits, of an entry of `grants/<domain>.yaml` as it is written there."""
    return hashlib.sha256(canonical({"domain": domain, "grant": entry})).hexdigest()


def approvers(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom an entry names at `approvedBy`: one, or several."""
    named = entry.get("approvedBy")
    each = named if isinstance(named, list | tuple) else [named]
    return tuple(str(one) for one in each if one)


@dataclass(frozen=True)
class Statement:
    """What a portal says of one decision."""

    grant: str
    """Id of the grant."""
    digest: str
    """`content_digest` of its entry."""
    request: str
    approvers: tuple[str, ...]
    """E-mail addresses of those who said yes, as the entry names them."""
    decided_at: dt.datetime
    """When the last of them did."""

    def to_json(self) -> Json:
        """As it is signed."""
        return {
            "format": FORMAT,
            "grant": self.grant,
            "digest": self.digest,
            "request": self.request,
            "approvers": sorted(self.approvers),
            "decidedAt": self.decided_at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }


def signed(statement: Statement, key: str, private_key: bytes) -> Json:
    """The document for `approvals/<grant id>.json`. `key`: name of its public key in `approvals.signers`.

    `private_key`: 32 bytes (RFC 8032). Raises SigningError.
    """
    document = statement.to_json()
    signature = _private(private_key).sign(canonical(document))
    return {**document, "key": key, "signature": base64.b64encode(signature).decode()}


def public_key(private_key: bytes) -> str:
    """The public key of a private one, as `approvals.signers` takes it. Raises SigningError."""
    return base64.b64encode(_private(private_key).public_key().public_bytes_raw()).decode()


def why_not_signed(document: Any, grant: str, digest: str, needed: Sequence[str], signers: Mapping[str, str]) -> str:
    """Why a signed statement does not approve a grant as it stands; "" if it does.

    `digest`: of the entry as it is now. `needed`: whom the entry names. `signers`: public keys by name. Raises
    SigningError where no signature can be verified at all.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return f'its signed statement is not of the format "{FORMAT}"'
    key = signers.get(str(document.get("key")))
    if key is None:
        return f'its statement is signed with the key "{document.get("key")}", which approvals.signers does not list'
    statement = {name: value for name, value in document.items() if name not in {"key", "signature"}}
    if not _holds(key, document.get("signature"), canonical(statement)):
        return "the signature of its statement is wrong"
    if document.get("grant") != grant:
        return f'its signed statement is of the grant "{document.get("grant")}"'
    if document.get("digest") != digest:
        return "it was edited after it was approved in the portal"
    decided = {str(each).casefold() for each in document.get("approvers") or ()}
    if missing := [each for each in needed if each.casefold() not in decided]:
        return f"its signed statement does not name {', '.join(missing)}"
    return ""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _holds(key: str, signature: Any, message: bytes) -> bool:
    invalid, _, public = _cryptography()
    try:
        raw = base64.b64decode(str(signature), validate=True)
        public.from_public_bytes(base64.b64decode(key, validate=True)).verify(raw, message)
    except (invalid, binascii.Error, ValueError):
        return False
    return True


def _private(key: bytes) -> Any:
    _, private, _ = _cryptography()
    try:
        return private.from_private_bytes(key)
    except ValueError as error:
        raise SigningError(f"This is no private key of Ed25519, which has 32 bytes: {error}") from error


def _cryptography() -> tuple[type[Exception], Any, Any]:
    """The error of a wrong signature, and the classes of private and public keys."""
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - who signs nothing does not need it
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    except ImportError as error:
        raise SigningError(
            "Signatures need the package cryptography, which comes with lakemesh[portal]: install that."
        ) from error
    return InvalidSignature, ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey
