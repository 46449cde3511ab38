"""Checking stacks of a mesh by whichever engine is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lakemesh.check import inprocess
from lakemesh.check.analyzer import boot
from lakemesh.check.approvals import Verdicts, verify
from lakemesh.check.finding import Judged, Rule
from lakemesh.check.live import States
from lakemesh.check.live import check as check_live
from lakemesh.declarations.levels import Profile
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.choice import Choice
from lakemesh.deploy.pack import POLICIES, find_pack, pack_configuration
from lakemesh.deploy.parts import Part, UnknownStackError, parts
from lakemesh.deploy.results import DeployError
from lakemesh.deploy.run import find_program

if TYPE_CHECKING:
    from lakemesh.deploy.pulumi import Pulumi

_HOME: Final = Path(".lakemesh")


@dataclass(frozen=True)
class Checking:
    """What is checked, and by what. `endpoint`: of a local AWS that previews are made against; None: real accounts."""

    mesh: Path
    declarations: Declarations
    profile: Profile | None = None
    engine: Choice = Choice.AUTO
    endpoint: str | None = None
    backend: str | None = None
    home: Path = _HOME
    live: bool = False
    """Ask about what is deployed, as the state says, instead of what would be."""

    @cached_property
    def approvals(self) -> Verdicts:
        """What was found of the grants' approvals."""
        return verify(self.mesh, self.declarations)

    def stacks(self, named: Sequence[str]) -> list[str]:
        """These stacks (none: all) in the order of deployment. Raises UnknownStackError."""
        wanted = {Part.parse(stack, self.declarations) for stack in named}
        return [part.stack for part in parts(self.declarations) if part in wanted or not named]

    def pack(self) -> Path:
        """The policy pack. Raises DeployError where there is none, and for a mesh that configures what it has not."""
        root = find_program(self.mesh)
        pack = find_pack(root)
        if pack is None:
            raise DeployError(
                f"{root} has no policy pack: there is no {POLICIES}/PulumiPolicy.yaml. lakemesh's own is in its "
                "repository, and can be copied as it is."
            )
        pack_configuration(pack, self.declarations, profile=self.profile)
        return pack

    @contextmanager
    def asked(self, stacks: Sequence[str]) -> Iterator[tuple[Mapping[str, Rule], Iterator[Judged]]]:
        """The pack's rules by name, and what they say of stacks, one after the other.

        Raises DeployError and UnknownStackError before anything runs; what fails later is in the results.
        """
        chosen, pack, program = self.stacks(stacks), self.pack(), find_program(self.mesh)
        with ExitStack() as opened:
            states = self._states(opened) if self.live else None
            engine = None if self.live else self._pulumi(program, opened)
            analyzer = opened.enter_context(boot(pack))
            told = self.approvals.by_grant
            if engine is None:
                asked = inprocess.Asked(analyzer, pack, program, self.mesh, self.declarations, self.profile, told)
                yield analyzer.rules, check_live(asked, states, chosen) if states else asked.about(chosen)
                return
            engine.approvals = told
            from lakemesh.check.engine import check  # noqa: PLC0415 - the Automation API is heavy

            yield analyzer.rules, check(engine, analyzer.rules, chosen, self.profile)

    def _states(self, opened: ExitStack) -> States:
        """Where what is deployed is known: Pulumi's state, or the ledger of the local AWS. Raises DeployError."""
        from lakemesh.deploy.choose import engine  # noqa: PLC0415

        return engine(
            self.engine,
            self.declarations,
            self.mesh,
            opened,
            endpoint=self.endpoint,
            backend=self.backend,
            home=self.home,
        )

    def _pulumi(self, program: Path, opened: ExitStack) -> Pulumi | None:
        """Pulumi's own engine; None: this process."""
        from lakemesh.deploy.choose import engine  # noqa: PLC0415
        from lakemesh.deploy.pulumi import Pulumi, find_cli  # noqa: PLC0415

        if self.engine is Choice.INPROCESS or (self.engine is Choice.AUTO and find_cli(program) is None):
            return None
        found = engine(
            self.engine,
            self.declarations,
            self.mesh,
            opened,
            endpoint=self.endpoint,
            backend=self.backend,
            home=self.home,
        )
        return found if isinstance(found, Pulumi) else None


__all__ = ["Checking", "UnknownStackError"]
