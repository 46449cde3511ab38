"""Running a Pulumi program in this process: `up`, `preview`, `destroy`.

Each run has a thread, a context and an event loop of its own, so that stacks of one process, one after the other or
side by side, leave nothing to each other. Modules that a program imports stay imported: keep no state in them.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pulumi
from pulumi.runtime import set_all_config, settings
from pulumi.runtime.stack import run_in_stack

from local_aws.inprocess.engine import Engine
from local_aws.inprocess.monitor import EngineLog, Monitor
from local_aws.inprocess.project import Project
from local_aws.inprocess.state import Ledger, ResourceState, Transport
from local_aws.inprocess.steps import Failure, Observer, Outcome, Silent
from local_aws.provider.connection import Credentials
from local_aws.provider.provider import LocalProvider

WORKERS = 16
_PATH = tuple(sys.path)


@dataclass(frozen=True)
class Cloud:
    """Where a program deploys to: an AWS endpoint, the ledger kept there, whom the providers start as."""

    endpoint: str | None
    ledger: Transport
    base: Credentials

    def provider(self, *, connect_late: bool) -> LocalProvider:
        return LocalProvider(self.endpoint, self.base, connect_late=connect_late)


def up(
    project: Project,
    stack: str,
    cloud: Cloud,
    observer: Observer | None = None,
    *,
    config: Mapping[str, str] | None = None,
    preview: bool = False,
) -> Outcome:
    """Run the program and bring the stack to what it says; `preview`: only say what that would do, and write nothing.

    Failures are in the outcome. Raises LockedError, LedgerError, ProjectError before anything is started.
    """
    observer = observer or Silent()
    ledger = Ledger(cloud.ledger, project.name, stack)
    values = project.config(stack, config)
    with nullcontext() if preview else ledger.locked():
        engine = Engine(ledger, lambda: cloud.provider(connect_late=preview), observer, project.root, preview=preview)
        _run_program(project, stack, values, engine, observer)
        engine.finish()
        return engine.outcome


def destroy(
    project: Project, stack: str, cloud: Cloud, observer: Observer | None = None, *, exclude_protected: bool = False
) -> Outcome:
    """Delete everything a stack has, dependents first, without running the program.

    `exclude_protected` keeps protected resources and what they need; without it one protected resource refuses all.
    """
    ledger = Ledger(cloud.ledger, project.name, stack)
    with ledger.locked():
        engine = Engine(
            ledger, lambda: cloud.provider(connect_late=False), observer or Silent(), project.root, preview=False
        )
        every = engine.everything()
        kept = _needed_by([state for state in every if state.protect], every) if exclude_protected else []
        kept_ids = {id(state) for state in kept}
        engine.delete([state for state in every if id(state) not in kept_ids])
        if engine.outcome.ok and ledger.exists:
            if kept:
                ledger.write(complete=False, outputs={})
            else:
                ledger.forget()
        return engine.outcome


def _needed_by(wanted: list[ResourceState], every: list[ResourceState]) -> list[ResourceState]:
    """`wanted` and everything they depend on: parents, providers, inputs."""
    kept, queue = {id(state): state for state in wanted}, list(wanted)
    while queue:
        needs = queue.pop().needs()
        for state in every:
            if id(state) not in kept and (state.urn in needs or state.reference in needs):
                kept[id(state)] = state
                queue.append(state)
    return list(kept.values())


# --------------------------------------------------------------------------------------------------- the program
def _run_program(project: Project, stack: str, config: Mapping[str, str], engine: Engine, observer: Observer) -> None:
    """Run `__main__.py` to its end; what it raises becomes a failure of the outcome."""
    monitor = Monitor(engine, project.name, stack)

    def go() -> None:
        settings.ROOT.set(None)
        settings.configure(
            settings.Settings(
                project=project.name,
                stack=stack,
                monitor=monitor,
                engine=EngineLog(observer),
                parallel=WORKERS,
                dry_run=engine.preview,
                organization="organization",
                root_directory=str(project.root),
            )
        )
        set_all_config(dict(config), [])
        try:
            _in_own_loop(_program(project.root / "__main__.py"))
        except pulumi.RunError as error:
            engine.outcome.failures.append(Failure("", str(error)))
        # Whatever a person's program raises is shown with its place; so is what ends a program early (sys.exit).
        except BaseException as error:
            logging.getLogger(__name__).debug("the program raised", exc_info=True)
            if not engine.outcome.failures:
                engine.outcome.failures.append(Failure("", _trimmed(error, project.root)))

    thread = threading.Thread(target=contextvars.Context().run, args=(go,), name=f"pulumi-{stack}", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        # What runs is finished and recorded; nothing else is started.
        engine.outcome.failures.append(Failure("", "Interrupted."))
        thread.join()


def _program(path: Path) -> Callable[[], None]:
    """The program as a function that runs it as `__main__`."""

    def program() -> None:
        # `dont_inherit`: this module's own `from __future__` is not the program's.
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
        module = ModuleType("__main__")
        module.__file__ = str(path)
        with _as_main(module, str(path.parent)):
            exec(code, module.__dict__)  # noqa: S102 - what running a program is

    return program


_running: list[tuple[ModuleType, str]] = []
_before: dict[str, ModuleType] = {}
_running_lock = threading.Lock()


@contextmanager
def _as_main(module: ModuleType, directory: str) -> Iterator[None]:
    """While a program runs: it is `sys.modules["__main__"]` and can import from its own directory.

    Not `runpy.run_path`, which restores what *it* found: of two programs side by side that is the other one.
    """
    entry = (module, directory)
    with _running_lock:
        if not _running:
            _before["__main__"] = sys.modules["__main__"]
        if directory not in sys.path:
            sys.path.insert(0, directory)
        _running.append(entry)
        sys.modules["__main__"] = module
    try:
        yield
    finally:
        with _running_lock:
            _running.remove(entry)
            sys.modules["__main__"] = _running[-1][0] if _running else _before["__main__"]
            if directory not in {other for _, other in _running} and directory not in _PATH:
                sys.path.remove(directory)


def _in_own_loop(program: Callable[[], None]) -> None:
    # The SDK leaves futures that nobody asks about; asyncio would log each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    executor = ThreadPoolExecutor(WORKERS)
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(run_in_stack(program))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        executor.shutdown()
        asyncio.set_event_loop(None)
        loop.close()


def _trimmed(error: BaseException, root: Path) -> str:
    """The error with the lines of its traceback that lie in the program's own files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(root) and "site-packages" not in f.filename]
    lines = traceback.format_list([f for f in own if not f.filename.startswith(str(Path(__file__).parent))])
    text = "".join(traceback.format_exception_only(error)).rstrip()
    return "".join(["The program failed:\n", *lines, text])
