"""What a workflow needs to know before it can deploy: which role, which state, which key. All of it from mesh.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming


class UntrustedError(ValueError):
    """A run that no deploying role would trust; the text says what to declare."""


@dataclass(frozen=True)
class Settings:
    """Where a run deploys from."""

    role: str
    """The governance account's deploying role, which GitHub's OIDC token is exchanged for; it assumes all others."""
    region: str
    backend: str
    """Pulumi's backend: the state bucket in the governance account."""
    secrets_provider: str
    """Key that encrypts the secrets in new stacks' state."""

    def outputs(self) -> Mapping[str, str]:
        """By the names of a step's outputs."""
        return {
            "role": self.role,
            "region": self.region,
            "backend": self.backend,
            "secrets-provider": self.secrets_provider,
        }


def settings(declarations: Declarations, repository: str, environment: str) -> Settings:
    """Settings of a run of `repository` in one of its environments.

    Raises UntrustedError where the deploying role trusts no such run: better said here than as AWS's AccessDenied.
    """
    mesh = declarations.mesh
    github = mesh.deployment.github
    if github is None:
        raise UntrustedError(
            f"mesh.yaml names no repository that may deploy. Add `deployment: {{github: {{repository: {repository}, "
            f"environments: [{environment}]}}}}` and deploy what `lakemesh bootstrap` then writes for central."
        )
    if repository.lower() != github.repository.lower():
        raise UntrustedError(
            f"mesh.yaml lets {github.repository} deploy, and this is {repository}. A fork or a renamed repository "
            "needs its own entry at `deployment.github.repository`, and central's bootstrap stack anew."
        )
    if environment not in github.environments:
        named = ", ".join(github.environments) or "none"
        raise UntrustedError(
            f'The job runs in the environment "{environment}", and `deployment.github.environments` of mesh.yaml lists '
            f"{named}. Add it there, and deploy central's bootstrap stack anew: its trust policy names environments."
        )
    naming = Naming(mesh)
    return Settings(
        role=naming.deploy_role_arn("central"),
        region=mesh.region,
        backend=naming.backend,
        secrets_provider=naming.secrets_provider,
    )
