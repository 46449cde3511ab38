"""What a person sees of a deployment: a line a changed resource, what runs right now on a terminal, a table at last."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from lakemesh.deploy.results import StackResult, Step

_SIGNS = {
    "create": "[green]+[/]",
    "update": "[yellow]~[/]",
    "replace": "[magenta]±[/]",
    "delete": "[red]-[/]",
    "retain": "[cyan]=[/]",
}
_DONE = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "retain": "kept, no longer managed",
}
_PLANNED = ("to create", "to update", "to replace", "to delete", "unchanged")
_COLUMNS = ("created", "updated", "replaced", "deleted", "unchanged")


class ConsoleReporter:
    """Reports to a console, live where it is a terminal and in plain lines where it is not. A context manager."""

    def __init__(self, console: Console, *, preview: bool = False) -> None:
        self._console, self._preview = console, preview
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("[dim]{task.fields[now]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def stack_started(self, stack: str) -> _StackObserver:
        self.say(f"[bold]{stack}[/]")
        task = self._progress.add_task(stack, total=None, now="") if self._progress else None
        return _StackObserver(self, stack, task, preview=self._preview)

    def stack_finished(self, result: StackResult) -> None:
        for error in result.errors:
            self.say(f"  [red]error:[/] {escape(error)}")
        for line in result.interrupted if self._preview else ():
            self.say(f"  [yellow]interrupts:[/] {escape(line)}")
        if not result.changes and not result.errors:
            self.say(f"  nothing to change ({result.counts.unchanged} unchanged)")
        if self._progress:
            for task in self._progress.task_ids:
                self._progress.remove_task(task)

    def say(self, text: str) -> None:
        # No soft wrapping: lines are for grep as much as for eyes.
        self._console.print(text, highlight=False, soft_wrap=True)

    def now(self, task: TaskID | None, text: str) -> None:
        if self._progress and task is not None:
            self._progress.update(task, now=text)


class _StackObserver:
    """Watches one stack's resources, from the engine's threads."""

    def __init__(self, reporter: ConsoleReporter, stack: str, task: TaskID | None, *, preview: bool) -> None:
        self._reporter, self._stack, self._task, self._preview = reporter, stack, task, preview
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}

    def started(self, step: Step) -> None:
        with self._lock:
            self._since[step.urn] = time.monotonic()
            self._reporter.now(self._task, step.name)

    def finished(self, step: Step, failure: str | None = None) -> None:
        op = str(step.op)
        if op not in _SIGNS:
            return
        with self._lock:
            began = self._since.pop(step.urn, None)
        verb = "[red]failed[/]" if failure else op if self._preview else _DONE[op]
        changed = f" [dim]({', '.join(step.changed)})[/]" if step.changed else ""
        took = f" [dim]{time.monotonic() - began:.1f} s[/]" if began and not self._preview else ""
        self._reporter.say(f"  {_SIGNS[op]} {step.type} {escape(step.name)} {verb}{changed}{took}")

    def message(self, severity: str, text: str, urn: str) -> None:
        self._reporter.say(f"  [dim]{severity}:[/] {escape(text)}{f' [dim]{urn}[/]' if urn else ''}")


def table(results: Sequence[StackResult], *, preview: bool = False) -> Table:
    """The summary: one row a stack."""
    made = Table(box=box.SIMPLE, padding=(0, 1))
    made.add_column("stack", no_wrap=True)
    for head in _PLANNED if preview else _COLUMNS:
        made.add_column(head, justify="right")
    made.add_column("result")
    for result in results:
        numbers = [str(getattr(result.counts, name) or "") for name in _COLUMNS]
        said = "[green]ok[/]" if result.ok else "[red]failed[/]" if result.attempted else "[dim]not attempted[/]"
        made.add_row(result.stack, *numbers, said)
    return made


def sentence(results: Sequence[StackResult], *, preview: bool = False) -> str:
    """The end of the story in one sentence, for people and for `grep`."""
    failed = [result.stack for result in results if result.attempted and not result.ok]
    left = [result.stack for result in results if not result.attempted]
    if failed:
        rest = f" Not attempted: {', '.join(left)}." if left else ""
        return f"Stack {', '.join(failed)} failed.{rest}"
    total = {name: sum(getattr(result.counts, name) for result in results) for name in _COLUMNS}
    if not any(result.changes for result in results):
        return f"Nothing to change: {total['unchanged']} resources unchanged."
    words = dict(zip(_COLUMNS, _PLANNED, strict=True)) if preview else {}
    return ", ".join(f"{number} {words.get(name, name)}" for name, number in total.items() if number) + "."


def as_json(action: str, results: Sequence[StackResult]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "action": action,
        "ok": all(result.ok for result in results),
        "stacks": [{**asdict(result), "outputs": dict(result.outputs), "ok": result.ok} for result in results],
    }
