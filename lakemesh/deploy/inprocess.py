"""Deploying to the local AWS without Pulumi's CLI: the program runs in this process (`local_aws/inprocess/`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakemesh.deploy.results import DeployError, Observer, StackResult, summed

if TYPE_CHECKING:
    from local_aws.inprocess.steps import Outcome


class InProcess:
    """The engine of one machine. What it leaves out stands in docs/deploy.md."""

    name = "inprocess"
    flags = "--local"

    def __init__(self, endpoint: str, central: str, mesh: Path, program: Path) -> None:
        # Only here: whoever deploys with Pulumi's CLI needs nothing of the local AWS.
        from local_aws.inprocess.project import Project  # noqa: PLC0415
        from local_aws.inprocess.run import Cloud  # noqa: PLC0415
        from local_aws.inprocess.state import http  # noqa: PLC0415
        from local_aws.provider.connection import Credentials  # noqa: PLC0415

        self._project = Project.load(program)
        self._cloud = Cloud(endpoint, http(endpoint), Credentials(central, "local"))
        self._config = {f"{self._project.name}:mesh": str(mesh)}

    def _stacks(self) -> dict[str, bool]:
        from local_aws.inprocess.state import LedgerError, stacks  # noqa: PLC0415

        try:
            return stacks(self._cloud.ledger, self._project.name)
        except LedgerError as error:
            raise DeployError(str(error)) from error

    def deployed(self) -> list[str]:
        """Stacks that have something. Raises DeployError without a local AWS."""
        return list(self._stacks())

    def complete(self, stack: str) -> bool:
        """Whether the stack's last deployment ended well."""
        return self._stacks().get(stack, False)

    def state(self, stack: str) -> list[Mapping[str, Any]]:
        """What the ledger has of a stack, in the words of `pulumi stack export`. Raises DeployError."""
        from local_aws.inprocess.state import Ledger, LedgerError  # noqa: PLC0415

        try:
            states = Ledger(self._cloud.ledger, self._project.name, stack).load().values()
        except LedgerError as error:
            raise DeployError(str(error)) from error
        return [
            {
                "urn": each.urn,
                "type": each.type,
                "custom": each.custom,
                "id": each.id,
                "inputs": each.inputs,
                "outputs": each.outputs,
                "parent": each.parent,
                "provider": each.provider,
                "protect": each.protect,
                "dependencies": each.dependencies,
                "delete": each.delete,
            }
            for each in states
        ]

    def up(self, stack: str, observer: Observer | None, *, preview: bool) -> StackResult:
        from local_aws.inprocess.run import up  # noqa: PLC0415

        return self._attempt(
            stack, lambda: up(self._project, stack, self._cloud, observer, config=self._config, preview=preview)
        )

    def down(self, stack: str, observer: Observer | None, *, exclude_protected: bool) -> StackResult:
        from local_aws.inprocess.run import destroy  # noqa: PLC0415

        return self._attempt(
            stack,
            lambda: destroy(self._project, stack, self._cloud, observer, exclude_protected=exclude_protected),
        )

    @staticmethod
    def _attempt(stack: str, work: Callable[[], Outcome]) -> StackResult:
        from local_aws.inprocess.project import ProjectError  # noqa: PLC0415
        from local_aws.inprocess.state import LedgerError, LockedError  # noqa: PLC0415

        try:
            outcome = work()
        except (LockedError, LedgerError, ProjectError) as error:
            return StackResult(stack, errors=(str(error),))
        return summed(stack, outcome.steps, [str(failure) for failure in outcome.failures], outcome.outputs)
