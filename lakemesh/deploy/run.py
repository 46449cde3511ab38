"""Deploying a mesh to a local AWS: which stacks, in which order, and what came of each.

Against real AWS the same program is deployed by Pulumi's own CLI, one stack at a time (docs/deploy.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.parts import Part, UnknownStackError, parts, predecessors

if TYPE_CHECKING:
    from local_aws.inprocess.project import Project
    from local_aws.inprocess.run import Cloud
    from local_aws.inprocess.steps import Observer, Outcome


class DeployError(Exception):
    """A deployment that was not begun: an unknown stack, something that must be deployed first, no local AWS."""


@dataclass(frozen=True)
class Change:
    """What happened to one resource. `op`: create, update, replace, delete or retain."""

    op: str
    type: str
    name: str
    urn: str
    properties: tuple[str, ...] = ()
    """Inputs that changed."""


@dataclass(frozen=True)
class Counts:
    created: int = 0
    updated: int = 0
    replaced: int = 0
    deleted: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class StackResult:
    """What came of one stack. Not attempted: an earlier one failed."""

    stack: str
    attempted: bool = True
    counts: Counts = field(default_factory=Counts)
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.attempted and not self.errors


class Reporter(Protocol):
    """Who watches a deployment of several stacks."""

    def stack_started(self, stack: str) -> Observer | None:
        """A stack begins; the answer watches its resources."""

    def stack_finished(self, result: StackResult) -> None: ...


class SilentReporter:
    """Watches nothing."""

    def stack_started(self, stack: str) -> None:
        pass

    def stack_finished(self, result: StackResult) -> None:
        pass


SILENT = SilentReporter()


def deploy(
    directory: Path,
    stacks: Sequence[str],
    endpoint: str,
    reporter: Reporter = SILENT,
    *,
    preview: bool = False,
    program: Path | None = None,
) -> list[StackResult]:
    """Deploy stacks (none named: all) of the mesh in `directory`, in their order, up to the first that fails.

    Raises InvalidMeshError with everything that is wrong with the mesh, and DeployError, before anything is begun.
    """
    declarations = load_mesh(directory)
    run = _Run(declarations, directory, endpoint, program or find_program(directory))
    chosen = run.choose(stacks)
    if not preview:
        run.demand_predecessors(chosen)
    return run.each(
        [part.stack for part in chosen], reporter, lambda stack, observer: run.up(stack, observer, preview=preview)
    )


def destroy(
    directory: Path,
    stacks: Sequence[str],
    endpoint: str,
    reporter: Reporter = SILENT,
    *,
    exclude_protected: bool = False,
    program: Path | None = None,
) -> list[StackResult]:
    """Delete what stacks (none named: all) have, the last deployed first.

    A stack that is deployed but no longer part of the mesh can be named too. Raises as `deploy` does.
    """
    declarations = load_mesh(directory)
    run = _Run(declarations, directory, endpoint, program or find_program(directory))
    chosen = run.choose_deployed(stacks)
    run.demand_no_successors(chosen)
    return run.each(
        chosen, reporter, lambda stack, observer: run.down(stack, observer, exclude_protected=exclude_protected)
    )


def orphans(declarations: Declarations, endpoint: str, directory: Path) -> list[str]:
    """Stacks that are deployed and whose part the mesh no longer has."""
    run = _Run(declarations, directory, endpoint, find_program(directory))
    return sorted(run.deployed().keys() - {part.stack for part in parts(declarations)})


def find_program(directory: Path) -> Path:
    """The Pulumi project to run: above the mesh, above where the command runs, or the one this package lies in."""
    here = Path(__file__).resolve().parents[2]
    for candidate in (*directory.resolve().parents, Path.cwd(), *Path.cwd().parents, here):
        if (candidate / "Pulumi.yaml").is_file() and (candidate / "__main__.py").is_file():
            return candidate
    raise DeployError(f"There is no Pulumi.yaml with a __main__.py above {directory} or {Path.cwd()}.")


class _Run:
    """One deployment of one mesh."""

    def __init__(self, declarations: Declarations, directory: Path, endpoint: str, program: Path) -> None:
        # Only here: whoever deploys with Pulumi's CLI installs neither moto nor what the local AWS needs.
        from local_aws.inprocess.project import Project  # noqa: PLC0415
        from local_aws.inprocess.run import Cloud  # noqa: PLC0415
        from local_aws.inprocess.state import http  # noqa: PLC0415
        from local_aws.provider.connection import Credentials  # noqa: PLC0415

        self._declarations, self._directory = declarations, directory.resolve()
        self._project: Project = Project.load(program)
        central = declarations.mesh.central.account
        self._cloud: Cloud = Cloud(endpoint, http(endpoint), Credentials(central, "local"))

    # --------------------------------------------------------------------------------------------- which stacks
    def choose(self, stacks: Sequence[str]) -> list[Part]:
        """The parts of these stacks (none named: all) in the order of deployment."""
        try:
            wanted = {Part.parse(stack, self._declarations) for stack in stacks}
        except UnknownStackError as error:
            raise DeployError(str(error)) from error
        return [part for part in parts(self._declarations) if part in wanted or not stacks]

    def deployed(self) -> dict[str, bool]:
        """Stacks that exist, with whether their last deployment ended well. Raises DeployError without a local AWS."""
        from local_aws.inprocess.state import LedgerError, stacks  # noqa: PLC0415

        try:
            return stacks(self._cloud.ledger, self._project.name)
        except LedgerError as error:
            raise DeployError(str(error)) from error

    def demand_predecessors(self, chosen: list[Part]) -> None:
        """Raises DeployError that says what to deploy first."""
        there = {stack for stack, complete in self.deployed().items() if complete} | {part.stack for part in chosen}
        lines = []
        for part in chosen:
            missing = [one.stack for one in predecessors(part, self._declarations) if one.stack not in there]
            if missing:
                lines.append(
                    f"Stack {part.stack} needs {' and '.join(missing)}, not deployed yet. "
                    f"Deploy first: lakemesh up --local {' '.join(missing)}"
                )
        if lines:
            raise DeployError("\n".join(lines))

    def choose_deployed(self, stacks: Sequence[str]) -> list[str]:
        """Deployed stacks to destroy, the last in the order of deployment first; those of no part before all others."""
        there = self.deployed()
        known = [part.stack for part in parts(self._declarations)]
        for stack in stacks:
            if stack not in there and stack not in known:
                raise DeployError(
                    f"Stack {stack} is neither deployed nor a part of the mesh. Deployed: {_list(there)}."
                )
        ordered = [*(stack for stack in there if stack not in known), *reversed(known)]
        return [stack for stack in ordered if stack in (stacks or there)]

    def demand_no_successors(self, chosen: list[str]) -> None:
        """Raises DeployError that says what to destroy first."""
        standing = self.deployed().keys() - set(chosen)
        for part in reversed(parts(self._declarations)):
            needed = [one.stack for one in predecessors(part, self._declarations) if one.stack in chosen]
            if part.stack in standing and needed:
                raise DeployError(
                    f"Stack {part.stack} is deployed and needs {' and '.join(needed)}. "
                    f"Destroy it first: lakemesh destroy --local {part.stack}"
                )

    # --------------------------------------------------------------------------------------------------- running
    def each(
        self, stacks: Sequence[str], reporter: Reporter, work: Callable[[str, Observer | None], Outcome]
    ) -> list[StackResult]:
        """Do `work` for each stack until one fails; the rest is reported as not attempted."""
        from local_aws.inprocess.project import ProjectError  # noqa: PLC0415
        from local_aws.inprocess.state import LedgerError, LockedError  # noqa: PLC0415

        results: list[StackResult] = []
        for stack in stacks:
            if results and not results[-1].ok:
                results.append(StackResult(stack, attempted=False))
                continue
            observer = reporter.stack_started(stack)
            try:
                result = _result(stack, work(stack, observer))
            except (LockedError, LedgerError, ProjectError) as error:
                result = StackResult(stack, errors=(str(error),))
            reporter.stack_finished(result)
            results.append(result)
        return results

    def up(self, stack: str, observer: Observer | None, *, preview: bool) -> Outcome:
        from local_aws.inprocess.run import up  # noqa: PLC0415

        config = {f"{self._project.name}:mesh": str(self._directory)}
        return up(self._project, stack, self._cloud, observer, config=config, preview=preview)

    def down(self, stack: str, observer: Observer | None, *, exclude_protected: bool) -> Outcome:
        from local_aws.inprocess.run import destroy  # noqa: PLC0415

        return destroy(self._project, stack, self._cloud, observer, exclude_protected=exclude_protected)


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _result(stack: str, outcome: Outcome) -> StackResult:
    from local_aws.inprocess.steps import Op  # noqa: PLC0415

    changes = [Change(str(s.op), s.type, s.name, s.urn, s.changed) for s in outcome.changes]
    counts = Counts(
        created=outcome.count(Op.CREATE),
        updated=outcome.count(Op.UPDATE),
        replaced=outcome.count(Op.REPLACE),
        deleted=outcome.count(Op.DELETE),
        unchanged=outcome.count(Op.SAME),
    )
    errors = tuple(str(failure) for failure in outcome.failures)
    return StackResult(stack, True, counts, tuple(changes), errors, outcome.outputs)
