"""STS: AssumeRole by the role's trust policy, as AWS decides it, and GetCallerIdentity.

Sources: STS API reference (AssumeRole); IAM user guide, "How to use an external ID", "Cross-account policy evaluation
logic".
One thing differs on purpose: AWS never lets an account's root user assume a role, while here an access key equal to the
account id stands for a person who administers the account, and assumes what a trust policy lets that account assume.
"""

from __future__ import annotations

from typing import Any

from local_aws.services import iam, identity, policy
from local_aws.services.calls import AwsError, Call, operation

CHAINED_LIMIT = 3600
"""Seconds a session may last that was assumed from another session (role chaining)."""


@operation("sts", "AssumeRole")
def assume_role(call: Call) -> dict[str, Any]:
    """Temporary credentials of a role. AccessDenied says nothing about why, as AWS's does."""
    given = call.params
    arn = given["RoleArn"]
    for unsupported in ("PolicyArns", "Policy", "SerialNumber", "ProvidedContexts"):
        if given.get(unsupported):
            raise AwsError(
                "NotImplementedByLocalAws", f"NotImplementedByLocalAws: sts.AssumeRole with {unsupported}.", 501
            )
    role = iam.role(arn)
    extra = {"sts:rolesessionname": given["RoleSessionName"]}
    if "ExternalId" in given:
        extra["sts:externalid"] = given["ExternalId"]
    trusted = role is not None and iam.permitted(
        call.identity,
        "sts:AssumeRole",
        arn,
        owner=arn.split(":")[4],
        policies=policy.parse(role.assume_role_policy_document),
        extra=extra,
        policy_required=True,
    )
    if role is None or not trusted:
        raise iam.denied(call.identity, "sts:AssumeRole", arn, "AccessDenied")
    duration = given.get("DurationSeconds", 3600)
    limit = int(role.max_session_duration or 3600)
    if duration > limit:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if not call.identity.is_root and duration > CHAINED_LIMIT:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    session = identity.role(arn, given["RoleSessionName"], role.id)
    credentials = identity.issue(session, duration)
    return {
        "Credentials": {
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": credentials.expiration,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.session_arn},
        "PackedPolicySize": 0,
    }


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """Who the credentials belong to; always allowed (STS API reference, GetCallerIdentity)."""
    return {"UserId": call.identity.user_id, "Account": call.account, "Arn": call.identity.session_arn}
