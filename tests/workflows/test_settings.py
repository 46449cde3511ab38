"""Which role, state and key a run uses, and which runs are told that no role trusts them."""

from __future__ import annotations

import pytest

from lakemesh.declarations.models import Declarations, Deployment, GitHub
from lakemesh.workflows.settings import UntrustedError, settings


def deploying_from(sample: Declarations, github: GitHub | None) -> Declarations:
    return sample.model_copy(update={"mesh": sample.mesh.model_copy(update={"deployment": Deployment(github=github)})})


def test_everything_is_worked_out_from_mesh_yaml(sample: Declarations) -> None:
    declared = deploying_from(sample, GitHub(repository="acme/mesh", environments=("lakemesh",)))
    assert settings(declared, "ACME/mesh", "lakemesh").outputs() == {
        "role": "arn:aws:iam::111122223333:role/lakemesh-deploy",
        "region": "eu-central-1",
        "backend": "s3://lakemesh-state-111122223333-eu-central-1?region=eu-central-1",
        "secrets-provider": "awskms://alias/lakemesh-pulumi?region=eu-central-1",
    }


@pytest.mark.parametrize(
    ("github", "environment", "said"),
    [
        (None, "lakemesh", "names no repository"),
        (GitHub(repository="acme/other", environments=("lakemesh",)), "lakemesh", "lets acme/other deploy"),
        (GitHub(repository="acme/mesh", environments=("lakemesh",)), "lakemesh-drift", 'environment "lakemesh-drift"'),
        (GitHub(repository="acme/mesh"), "lakemesh", "lists none"),
    ],
)
def test_a_run_that_no_role_trusts_is_told_before_aws_is_asked(
    sample: Declarations, github: GitHub | None, environment: str, said: str
) -> None:
    with pytest.raises(UntrustedError, match=said):
        settings(deploying_from(sample, github), "acme/mesh", environment)
