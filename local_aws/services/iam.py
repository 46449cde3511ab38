"""IAM: roles and their policies are moto's; which principals exist, and who may do what, is decided here.

Sources (IAM user guide): "Policy evaluation logic", "Cross-account policy evaluation logic", "AWS JSON policy elements:
Principal" (a policy that names a principal which does not exist is refused), "Global condition context keys".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from moto.iam.models import IAMBackend, Role, iam_backends

from local_aws.services import front, organizations, policy
from local_aws.services.calls import AwsError, Call, allow, operation
from local_aws.services.identity import Identity
from local_aws.services.policy import Decision

allow(
    "iam",
    "GetRole", "ListRoles", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "TagRole", "UntagRole", "ListRoleTags",
    "PutRolePolicy", "GetRolePolicy", "ListRolePolicies", "DeleteRolePolicy",
    "CreatePolicy", "GetPolicy", "DeletePolicy", "TagPolicy", "UntagPolicy",
    "GetPolicyVersion", "ListPolicyVersions", "CreatePolicyVersion", "DeletePolicyVersion",
    "AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies", "ListInstanceProfilesForRole",
    "GetAccountAuthorizationDetails",  # `lakemesh onboard consumer`: every role with its policies in one paged call
    "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
)  # fmt: skip

_ARN = re.compile(r"arn:(?P<partition>aws[\w-]*):(?P<service>iam|sts)::(?P<account>\d{12}):(?P<resource>.+)")
_ACCOUNT = re.compile(r"\d{12}")

Statements = tuple[Mapping[str, Any], ...]


def _backend(account: str) -> IAMBackend:
    return iam_backends[account]["aws"]


def role(arn: str) -> Role | None:
    """A role by its IAM ARN."""
    parts = _ARN.fullmatch(arn)
    if parts is None:
        return None
    # list(): another thread may be making a role.
    return next((found for found in list(_backend(parts["account"]).get_roles()) if found.arn == arn), None)


def exists(principal: str) -> bool:
    """Whether a policy may name `principal`: "*", an account (always), or a role, user or session that exists."""
    if principal == "*" or _ACCOUNT.fullmatch(principal):
        return True
    parts = _ARN.fullmatch(principal)
    if parts is None:
        return False
    kind, _, name = parts["resource"].partition("/")
    backend = _backend(parts["account"])
    if parts["service"] == "sts":
        return kind == "assumed-role" and any(found.name == name.split("/")[0] for found in list(backend.get_roles()))
    if kind == "role":
        return role(principal) is not None
    return kind == "root" or (kind == "user" and any(user.arn == principal for user in backend.users.values()))


def check_document(document: str, code: str, message: str | None = None) -> Statements:
    """The statements of a resource's policy. Raises AwsError `code` where it names who does not exist."""
    try:
        statements = tuple(policy.parse(document))
        json_ok = bool(statements) and all(isinstance(statement, Mapping) for statement in statements)
    except (ValueError, AttributeError):
        json_ok = False
    if not json_ok:
        raise AwsError(code, "This policy contains invalid Json")
    for statement in statements:
        principal = statement.get("Principal")
        named = principal.get("AWS", ()) if isinstance(principal, Mapping) else ()
        for name in [named] if isinstance(named, str) else named:
            if not exists(name):
                raise AwsError(code, message or f'Invalid principal in policy: "AWS":"{name}"')
    return statements


def statements(role_arn: str) -> Statements | None:
    """The identity policies of a role, inline and attached; None: there is no such role."""
    found = role(role_arn)
    if found is None:
        return None
    attached = [
        version.document
        for managed in list(found.managed_policies.values())
        for version in managed.versions
        if version.is_default
    ]
    return tuple(s for document in [*found.policies.values(), *attached] for s in policy.parse(document))


def _within_boundary(identity: Identity, request: policy.Request) -> bool:
    """Whether the role's permission boundary, if it has one, allows it too: a boundary limits and grants nothing
    ("Permissions boundaries for IAM entities"; a resource's policy that names the role is limited as well)."""
    found = None if identity.is_root else role(identity.arn)
    if found is None or not found.permissions_boundary_arn:
        return True
    boundary = _backend(identity.account).managed_policies.get(found.permissions_boundary_arn)
    documents = [version.document for version in boundary.versions if version.is_default] if boundary else []
    limits = [statement for document in documents for statement in policy.parse(document)]
    return policy.decide(limits, request) is Decision.ALLOW


def context(identity: Identity, owner: str | None = None, **extra: str) -> dict[str, policy.Value]:
    """The global condition keys of a request by `identity` on a resource of account `owner`."""
    keys: dict[str, policy.Value] = {
        "aws:principalarn": identity.arn,
        "aws:principalaccount": identity.account,
        "aws:principaltype": "Account" if identity.is_root else "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:userid": identity.user_id,
        "aws:securetransport": "true",  # plain HTTP on loopback stands for what TLS is to AWS
        "aws:resourceaccount": owner or identity.account,
    }
    if org := organizations.of(identity.account):
        keys["aws:principalorgid"] = org.id
    return keys | {key.lower(): value for key, value in extra.items()}


def permitted(
    identity: Identity,
    action: str,
    resource: str,
    *,
    owner: str | None = None,
    policies: Iterable[Mapping[str, Any]] | None = None,
    extra: Mapping[str, str] | None = None,
    policy_required: bool = False,
) -> bool:
    """Whether `identity` may do `action` on `resource`, which account `owner` has and whose own policy is `policies`.

    In one account either side's allow is enough, unless the service wants its resource's policy to allow in any case
    (`policy_required`: KMS keys, role trust). Across accounts both sides must allow. A deny anywhere decides.
    """
    owner = owner or identity.account
    keys = context(identity, owner) | {key.lower(): value for key, value in (extra or {}).items()}
    request = policy.Request(action, resource, keys)
    own = Decision.ALLOW if identity.is_root else policy.decide(statements(identity.arn) or (), request)
    theirs = Decision.SILENT if policies is None else policy.decide(policies, request, identity)
    if Decision.DENY in {own, theirs} or not _within_boundary(identity, request):
        return False
    if owner != identity.account or policy_required:
        named_here = owner == identity.account and theirs is Decision.ALLOW
        return named_here or (own is Decision.ALLOW and theirs is not Decision.SILENT)
    return Decision.ALLOW in {own, theirs}


def denied(identity: Identity, action: str, resource: str, code: str = "AccessDeniedException") -> AwsError:
    """AWS's text for a call that no policy allows."""
    message = f"User: {identity.session_arn} is not authorized to perform: {action} on resource: {resource}"
    status = 403 if code in {"AccessDenied", "AuthorizationError"} else 400
    return AwsError(code, message, status)


@operation("iam", "CreateRole", exclusive=True)
def create_role(call: Call) -> dict[str, Any]:
    """Create a role; its trust policy may only name principals that exist."""
    check_document(call.params["AssumeRolePolicyDocument"], "MalformedPolicyDocument")
    boundary = call.params.get("PermissionsBoundary")
    if boundary and boundary not in _backend(call.account).managed_policies:
        raise AwsError("NoSuchEntity", f"Scope ARN: {boundary} does not exist or is not attachable.", 404)
    return front.ask_moto(call)


@operation("iam", "UpdateAssumeRolePolicy", exclusive=True)
def update_assume_role_policy(call: Call) -> dict[str, Any]:
    check_document(call.params["PolicyDocument"], "MalformedPolicyDocument")
    return front.ask_moto(call)
