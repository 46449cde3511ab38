"""What the deploying role may do with roles, functions and their logs: alike in every account (see `permissions`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lakemesh.bootstrap.documents import Statement, allow
from lakemesh.bootstrap.places import Place

LAYER: Final = "layer:AWSLambdaPowertoolsPythonV3-*:*"
"""The public Powertools layer; its account is another in China and GovCloud (Powertools, "Lambda layer")."""


ARROW_LAYER: Final = "layer:AWSSDKPandas-*:*"
"""The public layer of AWS SDK for pandas, which brings pyarrow."""


def _within_boundary(place: Place) -> dict[str, str]:
    return {"iam:PermissionsBoundary": place.boundary_arn}


def roles(place: Place) -> Iterable[Statement]:
    """aws.iam.Role, aws.iam.RolePolicy, and handing function roles to Lambda."""
    roles = [place.iam(f"role/{name}") for name in place.roles]
    bounded = {"StringEquals": _within_boundary(place)}
    yield allow(
        # A role without the boundary is made by nobody here, and gets no policy (IAM user guide, "Permissions
        # boundaries for IAM entities", delegating responsibility).
        "RolesOnlyWithTheBoundary",
        ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
        roles,
        bounded,
    )
    yield allow(
        "Roles",
        [
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            # The provider looks for instance profiles before it deletes a role.
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
        ],
        roles,
    )
    yield allow(
        "FunctionRolesToLambdaAlone",
        ["iam:PassRole"],
        [place.iam(f"role/{name}") for name in place.function_roles],
        {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    )


def managed_policies(place: Place) -> Iterable[Statement]:
    """aws.iam.Policy and aws.iam.RolePolicyAttachment: what grows with the mesh is in policies of their own."""
    policies = [place.iam(f"policy/{role}-*") for role in place.function_roles]
    yield allow(
        "RolePolicies",
        [
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ],
        # The portal's is attached by whoever runs the portal.
        [*policies, place.iam(f"policy/{place.naming.portal_policy}")],
    )
    yield allow(
        "AttachOnlyTheMeshsOwnPolicies",
        ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        [place.iam(f"role/{name}") for name in place.function_roles],
        {"ArnLike": {"iam:PolicyARN": policies}, "StringEquals": _within_boundary(place)},
    )


def pass_to_lake_formation(place: Place) -> Iterable[Statement]:
    """aws.lakeformation.Resource hands its role over (Lake Formation developer guide, "Requirements for roles")."""
    yield allow(
        "RegistrationRolesToLakeFormationAlone",
        ["iam:PassRole"],
        [place.iam(f"role/{place.registration_roles}")],
        {"StringEquals": {"iam:PassedToService": "lakeformation.amazonaws.com"}},
    )


def functions(place: Place) -> Iterable[Statement]:
    """aws.lambda.Function, aws.lambda.Invocation, aws.cloudwatch.LogGroup."""
    yield allow(
        "Functions",
        [
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:GetFunction",
            # Asked whenever a function is read back, or waited for.
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
            "lambda:ListTags",
            "lambda:ListVersionsByFunction",
            "lambda:PutFunctionConcurrency",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
        [place.arn("lambda", f"function:{name}") for name in place.functions],
    )
    # Whoever makes a function with a layer has to be able to read the layer ("Adding layers to functions").
    yield allow("PowertoolsLayer", ["lambda:GetLayerVersion"], [place.arn("lambda", LAYER, "*")])
    if place.scans:
        yield allow("ArrowLayer", ["lambda:GetLayerVersion"], [place.arn("lambda", ARROW_LAYER, "*")])
    if scheduled := [
        name
        for wanted, name in (
            (place.reviews_after_sync, place.naming.review_function),
            (place.scans, place.naming.scan_function(place.name)),
        )
        if wanted
    ]:
        yield allow(
            # aws.lambda.Permission: only EventBridge is let in.
            "RulesInvokeFunctions",
            ["lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"],
            [place.arn("lambda", f"function:{name}") for name in scheduled],
        )
    groups = [place.arn("logs", f"log-group:/aws/lambda/{name}") for name in place.functions]
    yield allow(
        "FunctionLogs",
        [
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DeleteRetentionPolicy",
            "logs:ListTagsForResource",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
        # Tagging names the group alone, the rest its streams too.
        [*groups, *(f"{group}:*" for group in groups)],
    )
    yield allow("FindLogGroups", ["logs:DescribeLogGroups"], [place.arn("logs", "log-group:*")])
