"""Deploying a mesh: which stacks, in which order, by which engine, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.parts import Part, UnknownStackError, parts, predecessors
from lakemesh.deploy.results import Change, Counts, DeployError, Observer, StackResult

__all__ = [
    "SILENT", "Change", "Counts", "DeployError", "Engine", "Reporter", "StackResult", "deploy", "destroy",
    "find_program", "orphans",
]  # fmt: skip


class Engine(Protocol):
    """What brings one stack to what its program says."""

    @property
    def name(self) -> str: ...

    @property
    def flags(self) -> str:
        """Options that make the same command use this engine again."""

    def deployed(self) -> list[str]:
        """Stacks that have resources. Raises DeployError."""

    def complete(self, stack: str) -> bool:
        """Whether the last deployment of a stack ended well."""

    def state(self, stack: str) -> list[Mapping[str, Any]]:
        """Resources of a stack as `pulumi stack export` writes them. Raises DeployError."""

    def up(self, stack: str, observer: Observer | None, *, preview: bool) -> StackResult: ...

    def down(self, stack: str, observer: Observer | None, *, exclude_protected: bool) -> StackResult: ...


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
    engine: Engine | str,
    reporter: Reporter = SILENT,
    *,
    preview: bool = False,
    program: Path | None = None,
) -> list[StackResult]:
    """Deploy stacks (none named: all) of the mesh in `directory`, in their order, up to the first that fails.

    `engine`: the engine, or the endpoint of a local AWS to which this process deploys. Raises InvalidMeshError with
    everything that is wrong with the mesh, and DeployError, before anything is begun.
    """
    run = _Run(directory, engine, program)
    chosen = run.choose(stacks)
    if not preview:
        run.demand_predecessors(chosen)
    return run.each(
        [part.stack for part in chosen],
        reporter,
        lambda stack, observer: run.engine.up(stack, observer, preview=preview),
    )


def destroy(
    directory: Path,
    stacks: Sequence[str],
    engine: Engine | str,
    reporter: Reporter = SILENT,
    *,
    exclude_protected: bool = False,
    program: Path | None = None,
) -> list[StackResult]:
    """Delete what stacks (none named: all) have, the last deployed first.

    A stack that is deployed but no longer part of the mesh can be named too. Raises as `deploy` does.
    """
    run = _Run(directory, engine, program)
    chosen = run.choose_deployed(stacks)
    run.demand_no_successors(chosen)
    return run.each(
        chosen,
        reporter,
        lambda stack, observer: run.engine.down(stack, observer, exclude_protected=exclude_protected),
    )


def orphans(declarations: Declarations, engine: Engine | str, directory: Path) -> list[str]:
    """Stacks that are deployed and whose part the mesh no longer has."""
    run = _Run(directory, engine, None, declarations)
    return sorted(set(run.engine.deployed()) - {part.stack for part in parts(declarations)})


def find_program(directory: Path) -> Path:
    """The Pulumi project to run: above the mesh, above where the command runs, or the one this package lies in."""
    here = Path(__file__).resolve().parents[2]
    for candidate in (*directory.resolve().parents, Path.cwd(), *Path.cwd().parents, here):
        if (candidate / "Pulumi.yaml").is_file() and (candidate / "__main__.py").is_file():
            return candidate
    raise DeployError(f"There is no Pulumi.yaml with a __main__.py above {directory} or {Path.cwd()}.")


class _Run:
    """One deployment of one mesh."""

    def __init__(
        self, directory: Path, engine: Engine | str, program: Path | None, declarations: Declarations | None = None
    ) -> None:
        self._declarations = declarations or load_mesh(directory)
        self.engine = self._in_process(directory, engine, program) if isinstance(engine, str) else engine

    def _in_process(self, directory: Path, endpoint: str, program: Path | None) -> Engine:
        from lakemesh.deploy.inprocess import InProcess  # noqa: PLC0415

        central = self._declarations.mesh.central.account
        return InProcess(endpoint, central, directory.resolve(), program or find_program(directory))

    # --------------------------------------------------------------------------------------------- which stacks
    def choose(self, stacks: Sequence[str]) -> list[Part]:
        """The parts of these stacks (none named: all) in the order of deployment."""
        try:
            wanted = {Part.parse(stack, self._declarations) for stack in stacks}
        except UnknownStackError as error:
            raise DeployError(str(error)) from error
        return [part for part in parts(self._declarations) if part in wanted or not stacks]

    def demand_predecessors(self, chosen: list[Part]) -> None:
        """Raises DeployError that says what to deploy first."""
        there = {part.stack: True for part in chosen}
        # Asked even where nothing can be missing: this is where an engine that cannot be reached says so.
        deployed = self.engine.deployed()
        lines = []
        for part in chosen:
            missing = []
            for one in predecessors(part, self._declarations):
                if one.stack not in there:
                    there[one.stack] = one.stack in deployed and self.engine.complete(one.stack)
                if not there[one.stack]:
                    missing.append(one.stack)
            if missing:
                lines.append(
                    f"Stack {part.stack} needs {' and '.join(missing)}, not deployed yet. "
                    f"Deploy first: {self._command('up', missing)}"
                )
        if lines:
            raise DeployError("\n".join(lines))

    def choose_deployed(self, stacks: Sequence[str]) -> list[str]:
        """Deployed stacks to destroy, the last in the order of deployment first; those of no part before all others."""
        there = self.engine.deployed()
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
        standing = set(self.engine.deployed()) - set(chosen)
        for part in reversed(parts(self._declarations)):
            needed = [one.stack for one in predecessors(part, self._declarations) if one.stack in chosen]
            if part.stack in standing and needed:
                raise DeployError(
                    f"Stack {part.stack} is deployed and needs {' and '.join(needed)}. "
                    f"Destroy it first: {self._command('destroy', [part.stack])}"
                )

    def _command(self, action: str, stacks: Sequence[str]) -> str:
        return " ".join(filter(None, ["lakemesh", action, self.engine.flags, *stacks]))

    # --------------------------------------------------------------------------------------------------- running
    @staticmethod
    def each(
        stacks: Sequence[str], reporter: Reporter, work: Callable[[str, Observer | None], StackResult]
    ) -> list[StackResult]:
        """Do `work` for each stack until one fails; the rest is reported as not attempted."""
        results: list[StackResult] = []
        for stack in stacks:
            if results and not results[-1].ok:
                results.append(StackResult(stack, attempted=False))
                continue
            result = work(stack, reporter.stack_started(stack))
            reporter.stack_finished(result)
            results.append(result)
        return results


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
