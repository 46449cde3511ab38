"""Who may assume the deploying roles."""

from __future__ import annotations

from typing import Any, Final

from lakemesh.bootstrap.documents import Document, document
from lakemesh.bootstrap.places import Kind, Place
from lakemesh.declarations.models import GitHub

GITHUB_TOKENS: Final = "token.actions.githubusercontent.com"
"""Issuer of GitHub's OIDC tokens (GitHub, "Configuring OpenID Connect in Amazon Web Services")."""
AUDIENCE: Final = "sts.amazonaws.com"


def trust(place: Place, *, others: tuple[str, ...] = ()) -> Document:
    """Trust policy of an account's deploying role.

    Pipelines and people start in the governance account; its deploying role, and nobody else, goes on to the others.
    Roles are named by a condition on their account: IAM refuses a principal that does not exist yet, which a role that
    assumes itself never does, and would forget one that is made anew. `others`: further ARNs, where somebody stands in
    for the pipeline.
    """
    arns = {place.naming.deploy_role_arn("central"), *others}
    if place.kind is Kind.CENTRAL:
        arns.update(place.mesh.deployment.people)
    statements: list[dict[str, Any]] = [
        {
            "Sid": "PipelineAndPeople" if place.kind is Kind.CENTRAL else "Pipeline",
            "Effect": "Allow",
            "Principal": {"AWS": sorted({f"arn:{place.naming.partition}:iam::{_account(arn)}:root" for arn in arns})},
            "Action": ["sts:AssumeRole"],
            "Condition": {"ArnEquals": {"aws:PrincipalArn": sorted(arns)}},
        }
    ]
    github = place.mesh.deployment.github
    if place.kind is Kind.CENTRAL and github is not None:
        statements.append(
            {
                "Sid": "GitHubActions",
                "Effect": "Allow",
                "Principal": {"Federated": place.iam(f"oidc-provider/{GITHUB_TOKENS}")},
                "Action": ["sts:AssumeRoleWithWebIdentity"],
                "Condition": {
                    "StringEquals": {f"{GITHUB_TOKENS}:aud": AUDIENCE, f"{GITHUB_TOKENS}:sub": subjects(github)}
                },
            }
        )
    return document(statements)


def subjects(github: GitHub) -> list[str]:
    """`sub` of the tokens that may deploy. A job with an environment has that in its token, and never its branch."""
    if github.environments:
        return sorted(f"repo:{github.repository}:environment:{name}" for name in set(github.environments))
    return [f"repo:{github.repository}:ref:refs/heads/{github.branch}"]


def _account(arn: str) -> str:
    return arn.split(":")[4]
