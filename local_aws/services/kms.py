"""KMS: keys are moto's; a key's policy always has to allow, and may only name principals that exist.

Sources (KMS developer guide): "Key policies in AWS KMS", "Default key policy", "Allowing users in other accounts
to use a KMS key".
A tag `_custom_id_` on CreateKey sets the key's id, as other emulators do: a mesh names keys that exist already.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from moto.kms.models import Key, kms_backends

from local_aws.services import front, iam, policy
from local_aws.services.calls import AwsError, Call, allow, not_implemented, operation
from local_aws.services.identity import Identity, root

allow(
    "kms",
    "GetKeyPolicy", "ListKeyPolicies", "GetKeyRotationStatus", "EnableKeyRotation", "DisableKeyRotation",
    "ScheduleKeyDeletion", "CancelKeyDeletion", "ListKeys", "UpdateKeyDescription", "EnableKey", "DisableKey",
    "CreateAlias", "UpdateAlias", "DeleteAlias", "ListAliases", "TagResource", "UntagResource", "ListResourceTags",
)  # fmt: skip

CUSTOM_ID = "_custom_id_"
_KEY_ARN = re.compile(r"arn:aws[\w-]*:kms:(?P<region>[\w-]+):(?P<account>\d{12}):(?P<resource>(?:key|alias)/.+)")
_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INVALID_PRINCIPAL = "Policy contains a statement with one or more invalid principals."


def find(arn: str) -> Key | None:
    """A key by the ARN of the key or of an alias of it."""
    parts = _KEY_ARN.fullmatch(arn)
    if parts is None:
        return None
    backend = kms_backends[parts["account"]][parts["region"]]
    kind, _, name = parts["resource"].partition("/")
    if kind == "key":
        return backend.keys.get(name)
    return next((key for key in list(backend.keys.values()) if f"alias/{name}" in key.aliases), None)


def key_of(ciphertext: bytes) -> str | None:
    """The id of the key that made a ciphertext: moto writes it in front. None: it is none of moto's."""
    head = ciphertext[:36].decode("ascii", errors="replace")
    return head if _KEY_ID.fullmatch(head) else None


def policy_statements(key_arn: str) -> iam.Statements:
    """The statements of a key's policy; none where there is no such key."""
    key = find(key_arn)
    return tuple(policy.parse(key.policy)) if key else ()


def tags(key: Key) -> dict[str, str]:
    """A key's tags as condition keys ("ABAC for AWS KMS")."""
    listed = kms_backends[key.account_id][key.region].tagger.list_tags_for_resource(key.id)["Tags"]
    return {f"aws:ResourceTag/{tag['TagKey']}": tag["TagValue"] for tag in listed}


def may(identity: Identity, action: str, key_arn: str, via: str | None = None) -> bool:
    """Whether `identity` may use a key: the key's policy must allow, and across accounts its own policies too.

    `via` is the service that asks on its behalf ("s3"): the condition key `kms:ViaService`.
    """
    key = find(key_arn)
    if key is None or key.key_state != "Enabled":
        return False
    extra = {"kms:calleraccount": identity.account, **tags(key)}
    if via:
        extra["kms:viaservice"] = f"{via}.{key.region}.amazonaws.com"
    return iam.permitted(
        identity,
        action,
        key.arn,
        owner=key.account_id,
        policies=policy_statements(key.arn),
        extra=extra,
        policy_required=True,
    )


@operation("kms", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
def use_key(call: Call) -> dict[str, Any]:
    """In the account of the key that is named by its ARN ("Allowing users in other accounts to use a KMS key")."""
    key = find(call.params.get("KeyId", ""))
    return front.ask_moto(call if key is None else replace(call, identity=root(key.account_id)))


@operation("kms", "CreateKey", exclusive=True)
def create_key(call: Call) -> dict[str, Any]:
    given = call.params
    if given.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT" or given.get("MultiRegion"):
        raise not_implemented("kms", "CreateKey with a KeySpec or MultiRegion")
    if "Policy" in given:
        iam.check_document(given["Policy"], "MalformedPolicyDocumentException", _INVALID_PRINCIPAL)
    tags = given.get("Tags", [])
    custom = next((tag["TagValue"] for tag in tags if tag["TagKey"] == CUSTOM_ID), None)
    backend = kms_backends[call.account][call.region]
    if custom is not None and (not _KEY_ID.fullmatch(custom) or custom in backend.keys):
        raise AwsError(
            "ValidationException", f'"{custom}" is no id for a new key: it is taken, or not of a key id\'s form.'
        )
    kept = [tag for tag in tags if tag["TagKey"] != CUSTOM_ID]
    made = front.ask_moto(replace(call, params={**given, "Tags": kept}))
    if custom is not None:
        metadata = made["KeyMetadata"]
        key = backend.keys.pop(metadata["KeyId"])
        key.arn = metadata["Arn"] = key.arn.replace(key.id, custom)
        backend.tagger.tag_resource(custom, kept)
        key.id = metadata["KeyId"] = custom
        backend.keys[custom] = key
    return made


@operation("kms", "PutKeyPolicy", exclusive=True)
def put_key_policy(call: Call) -> None:
    """Replace a key's policy. Refuses one after which the caller could not change it again (lockout check)."""
    given = call.params
    if given.get("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists")
    backend = kms_backends[call.account][call.region]
    given_id = given["KeyId"]
    key = find(given_id) if given_id.startswith("arn:") else backend.keys.get(given_id)
    if key is None:
        raise AwsError("NotFoundException", f"Key '{given['KeyId']}' does not exist")
    statements = iam.check_document(given["Policy"], "MalformedPolicyDocumentException", _INVALID_PRINCIPAL)
    keeps = iam.permitted(
        call.identity, "kms:PutKeyPolicy", key.arn, owner=key.account_id, policies=statements, policy_required=True
    )
    if not keeps and not given.get("BypassPolicyLockoutSafetyCheck"):
        raise AwsError(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )
    key.policy = given["Policy"]
