"""Registered S3 locations: which role reads them for Lake Formation."""

from __future__ import annotations

from typing import Any

from local_aws.services import iam, s3
from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.lakeformation.settings import own
from local_aws.services.lakeformation.shapes import invalid, location, not_found
from local_aws.services.lakeformation.store import Lake, now

_NOT_MODELLED = ("UseServiceLinkedRole", "WithFederation", "HybridAccessEnabled", "WithPrivilegedAccess")


def _info(call: Call, here: Lake, arn: str) -> dict[str, Any]:
    """ResourceInfo of a registration as the call asks for it."""
    for option in _NOT_MODELLED:
        if call.params.get(option):
            raise not_implemented("lakeformation", f"{call.operation} with {option}")
    role = call.params.get("RoleArn")
    if role is None:
        raise invalid("RoleArn or UseServiceLinkedRole is required.")
    if role.split(":")[4] != here.account:
        raise AwsError("AccessDeniedException", "Cross-account pass role is not allowed.")
    if not iam.exists(role):
        raise invalid(f"Invalid role: {role} does not exist.")
    expected = call.params.get("ExpectedResourceOwnerAccount")
    actual = s3.owner(arn.split(":::")[1].partition("/")[0])
    status = {None: "NOT_VERIFIED", actual: "VERIFIED"}.get(expected, "VERIFICATION_FAILED")
    info = {
        "ResourceArn": arn,
        "RoleArn": role,
        "LastModified": now(),
        "HybridAccessEnabled": False,
        "VerificationStatus": status,
    }
    return {**info, "ExpectedResourceOwnerAccount": expected} if expected else info


def _registered(call: Call) -> tuple[Lake, str]:
    here, arn = own(call), location(call.params["ResourceArn"])
    if arn not in here.registrations:
        raise not_found("Entity not found")
    return here, arn


@operation("lakeformation", "RegisterResource", exclusive=True)
def register(call: Call) -> None:
    """Needs the IAM action and iam:PassRole, no Lake Formation permission (LF-dg register-location)."""
    here, arn = own(call), location(call.params["ResourceArn"])
    if ":s3:::" not in arn:
        raise invalid(f"{arn} is not an Amazon S3 location.")
    if arn in here.registrations:
        raise AwsError("AlreadyExistsException", "Resource is already registered.")
    here.registrations[arn] = _info(call, here, arn)


@operation("lakeformation", "UpdateResource", exclusive=True)
def update(call: Call) -> None:
    here, arn = _registered(call)
    here.registrations[arn] = _info(call, here, arn)


@operation("lakeformation", "DeregisterResource", exclusive=True)
def deregister(call: Call) -> None:
    here, arn = _registered(call)
    del here.registrations[arn]


@operation("lakeformation", "DescribeResource")
def describe(call: Call) -> dict[str, Any]:
    here, arn = _registered(call)
    return {"ResourceInfo": here.registrations[arn]}


@operation("lakeformation", "ListResources")
def list_resources(call: Call) -> dict[str, Any]:
    if call.params.get("FilterConditionList"):
        raise not_implemented("lakeformation", "ListResources with FilterConditionList")
    registrations = own(call).registrations
    items, token = page([registrations[arn] for arn in sorted(registrations)], call, 1000)
    return {"ResourceInfoList": items, "NextToken": token}
