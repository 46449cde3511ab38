"""The engine: from what a program registers and what the ledger has, to calls of the provider.

As Pulumi's engine does it (pulumi/pulumi `pkg/resource/deploy`): Check, Diff, then create, update or replace; deletions
after the program, dependents first. What it leaves out stands in docs/deploy.md.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from pulumi.runtime.proto import provider_pb2 as pb

from local_aws.inprocess.state import Ledger, ResourceState, deletion_order
from local_aws.inprocess.steps import Failure, Observer, Op, Outcome, Step
from local_aws.provider.connection import ProviderError
from local_aws.provider.provider import CreatedButFailedError, LocalProvider
from local_aws.provider.values import (
    UNKNOWN,
    Properties,
    properties,
    struct,
    with_hashes,
    without_contents,
)

log = logging.getLogger(__name__)


class HaltError(Exception):
    """Something failed already: nothing new is started."""


@dataclass
class Goal:
    """What a program wants one resource to be."""

    state: ResourceState
    aliases: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    delete_first: bool | None = None
    """`delete_before_replace`; None: as the provider says."""


@dataclass(frozen=True)
class _Plan:
    op: Op
    old: ResourceState | None
    inputs: Properties
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_first: bool = False
    gone: ResourceState | None = None
    """What was deleted already, with something that it depended on, and is made anew."""

    @property
    def before(self) -> Properties:
        known = self.old or self.gone
        return known.inputs if known else {}


class Engine:
    """One run over one stack. `register` is called by the program's threads, `finish` once afterwards."""

    def __init__(
        self,
        ledger: Ledger,
        make_provider: Callable[[], LocalProvider],
        observer: Observer,
        root: Path,
        *,
        preview: bool,
    ) -> None:
        self._ledger, self._make_provider, self._observer, self._root = ledger, make_provider, observer, root
        self.preview = preview
        self.outcome = Outcome()
        stored = ledger.load()
        self._keys = {id(state): key for key, state in stored.items()}
        self._old = {state.urn: state for state in stored.values() if not state.delete}
        self._condemned = [state for state in stored.values() if state.delete]
        self._new: dict[str, ResourceState] = {}
        self._renamed: dict[str, str] = {}
        self._recreate: dict[str, ResourceState] = {}
        self._providers: dict[str, LocalProvider] = {}
        self._lock = threading.RLock()
        self._cascade = threading.Lock()
        self._touched = False

    # ------------------------------------------------------------------------------------------------ registering
    def register(self, goal: Goal) -> ResourceState:
        """Bring one resource to what the program wants. Raises HaltError once anything has failed."""
        urn = goal.state.urn
        with self._lock:
            if self.outcome.failures:
                raise HaltError
            if urn in self._new:
                self.fail(urn, f'Duplicate resource URN "{urn}"; try giving it a unique name')
            # Taken now, so that a second registration of the name is noticed while the first one runs.
            self._new[urn] = goal.state
        try:
            return self._register(goal)
        except HaltError:
            raise
        except ProviderError as error:
            self.fail(urn, str(error))
        except Exception as error:
            # An asset that is not there, or a mistake of this engine: either way it is this resource that failed.
            log.exception("%s failed", urn)
            self.fail(urn, f"{type(error).__name__}: {error}")

    def fail(self, urn: str, message: str) -> NoReturn:
        """Record a failure and stop. Raises HaltError."""
        with self._lock:
            self.outcome.failures.append(Failure(urn, message))
        raise HaltError

    def _register(self, goal: Goal) -> ResourceState:
        old = self._adopt(goal)
        if not goal.state.custom:
            return self._component(goal.state, old)
        if goal.state.is_provider:
            return self._provider(goal.state, old)
        full_inputs = with_hashes(goal.state.inputs, self._root)
        plan = self._plan(goal, old, full_inputs)
        step = Step(plan.op, goal.state.urn, plan.changed, plan.replaces, plan.delete_first, plan.before, plan.inputs)
        self._started(step)
        try:
            done = self._apply(plan, goal.state)
        except ProviderError as error:
            self._observer.finished(step, str(error))
            raise
        self._finished(step)
        return replace(done, outputs=_with_contents(done.outputs, plan.inputs))

    def _adopt(self, goal: Goal) -> ResourceState | None:
        """The state that the goal continues: under its URN, or under an alias."""
        urn = goal.state.urn
        for name in (urn, *goal.aliases):
            found = self._recreate.get(name) or self._old.get(name)
            if found is not None and (name == urn or name not in self._new):
                if name != urn:
                    self._renamed[name] = urn
                return found
        return None

    # ----------------------------------------------------------------------------------------- components, providers
    def _component(self, state: ResourceState, old: ResourceState | None) -> ResourceState:
        op = Op.SAME if old and not old.delete else Op.CREATE
        kept = replace(state, inputs=without_contents(state.inputs), outputs=old.outputs if old else {})
        self._save(kept, old)
        self._finished(Step(op, state.urn))
        # A component's outputs are what its constructor makes them, not what they were last time.
        return replace(kept, outputs={})

    def set_outputs(self, urn: str, outputs: Properties) -> None:
        """Outputs that a component, or the stack itself, registers at its end."""
        with self._lock:
            state = self._new.get(urn)
        if state is None:
            self.outcome.outputs = outputs
            if not self.preview and outputs != self._ledger.outputs and not self.outcome.failures:
                self._write(outputs=outputs)
        elif outputs != state.outputs:
            self._save(replace(state, outputs=outputs), state)

    def _provider(self, state: ResourceState, old: ResourceState | None) -> ResourceState:
        provider = self._make_provider()
        checked = provider.CheckConfig(
            pb.CheckRequest(urn=state.urn, olds=struct(old.inputs if old else {}), news=struct(state.inputs))
        )
        self._demand(checked.failures)
        diff = self._config_diff(old, state)
        op = Op.CREATE if old is None else Op.REPLACE if diff.replaces else Op.UPDATE if diff.diffs else Op.SAME
        identifier = old.id if old and op is not Op.REPLACE else str(uuid.uuid4())
        done = replace(state, id=identifier, outputs=state.inputs)
        provider.Configure(pb.ConfigureRequest(args=struct(state.inputs), urn=state.urn, id=identifier))
        with self._lock:
            self._providers[done.reference] = provider
        self._save(done, old, replaced=op is Op.REPLACE)
        self._finished(Step(op, state.urn, tuple(diff.diffs), tuple(diff.replaces)))
        return done

    def _config_diff(self, old: ResourceState | None, new: ResourceState) -> pb.DiffResponse:
        if old is None:
            return pb.DiffResponse()
        request = pb.DiffRequest(urn=new.urn, id=old.id, old_inputs=struct(old.inputs), news=struct(new.inputs))
        return self._make_provider().DiffConfig(request)

    def _provider_of(self, state: ResourceState) -> LocalProvider:
        """The configured provider of a resource: the program's, or one as the ledger remembers it."""
        with self._lock:
            found = self._providers.get(state.provider)
            if found is None:
                known = [*self._old.values(), *self._condemned]
                remembered = next((s for s in known if s.is_provider and s.reference == state.provider), None)
                if remembered is None:
                    raise ProviderError(f"The ledger does not know the provider {state.provider}.")
                found = self._make_provider()
                found.Configure(pb.ConfigureRequest(args=struct(remembered.inputs), urn=remembered.urn))
                self._providers[state.provider] = found
            return found

    # ------------------------------------------------------------------------------------------------------ planning
    def _plan(self, goal: Goal, old: ResourceState | None, full_inputs: Properties) -> _Plan:
        state = goal.state
        provider = self._provider_of(state)
        if old:
            full_inputs = _ignoring(full_inputs, old.inputs, goal.ignore_changes)
        inputs = self._check(provider, state.urn, old.inputs if old else {}, full_inputs)
        if old is None:
            return _Plan(Op.CREATE, None, inputs)
        if state.urn in self._recreate or old.urn in self._recreate:
            fresh = self._check(provider, state.urn, {}, full_inputs)
            return _Plan(Op.REPLACE, None, fresh, delete_first=True, gone=old)
        diff = provider.Diff(
            pb.DiffRequest(
                id=old.id,
                urn=state.urn,
                olds=struct(old.outputs),
                old_inputs=struct(old.inputs),
                news=struct(without_contents(inputs)),
                ignoreChanges=goal.ignore_changes,
            )
        )
        forced = goal.replace_on_changes
        replaces = {*diff.replaces, *(key for key in diff.diffs if key in forced or "*" in forced)}
        if self._moved(old, state):
            replaces.add("provider")
        if not replaces and not old.tainted:
            return _Plan(Op.UPDATE if diff.diffs else Op.SAME, old, inputs, tuple(diff.diffs))
        if old.protect:
            raise ProviderError(
                f'unable to replace resource "{old.urn}" as it is currently marked for protection. To unprotect it, '
                "remove the `protect` flag from the resource in the program and deploy that first."
            )
        delete_first = diff.deleteBeforeReplace if goal.delete_first is None else goal.delete_first
        fresh = self._check(provider, state.urn, {}, full_inputs)
        changed = tuple(sorted({*diff.diffs, *replaces}))
        return _Plan(Op.REPLACE, old, fresh, changed, tuple(sorted(replaces)), delete_first or old.tainted)

    def _check(self, provider: LocalProvider, urn: str, olds: Properties, news: Properties) -> Properties:
        # The seed makes a generated name; uuid4 is random, so names differ from run to run as the engine's do.
        seed = uuid.uuid4().bytes
        checked = provider.Check(pb.CheckRequest(urn=urn, olds=struct(olds), news=struct(news), randomSeed=seed))
        self._demand(checked.failures)
        return properties(checked.inputs)

    @staticmethod
    def _demand(failures: Any) -> None:
        if failures:
            raise ProviderError("; ".join(f"{f.property}: {f.reason}" if f.property else f.reason for f in failures))

    def _moved(self, old: ResourceState, new: ResourceState) -> bool:
        """Whether another provider stands for another account or region."""
        if old.provider == new.provider:
            return False
        known = {s.reference: s for s in (*self._old.values(), *self._condemned, *self._new.values()) if s.is_provider}
        before, after = known.get(old.provider), known.get(new.provider)
        return before is None or after is None or bool(self._config_diff(before, after).replaces)

    # ------------------------------------------------------------------------------------------------------ applying
    def _apply(self, plan: _Plan, state: ResourceState) -> ResourceState:
        if plan.op is Op.SAME and plan.old is not None:
            done = replace(state, id=plan.old.id, inputs=plan.old.inputs, outputs=plan.old.outputs)
            self._save(done, plan.old)
            return done
        if plan.op is Op.UPDATE and plan.old is not None:
            return self._update(plan.old, state, plan.inputs)
        if plan.old is not None and plan.delete_first:
            # One at a time: two replacements may take along the same dependent.
            with self._cascade:
                self._delete_before(plan.old)
        return self._create(state, plan.inputs, None if plan.delete_first else plan.old)

    def _update(self, old: ResourceState, state: ResourceState, inputs: Properties) -> ResourceState:
        answer = self._provider_of(state).Update(
            pb.UpdateRequest(
                id=old.id,
                urn=state.urn,
                olds=struct(old.outputs),
                old_inputs=struct(old.inputs),
                news=struct(inputs),
                preview=self.preview,
            )
        )
        outputs = without_contents(properties(answer.properties))
        done = replace(state, id=old.id, inputs=without_contents(inputs), outputs=outputs)
        self._save(done, old)
        return done

    def _create(self, state: ResourceState, inputs: Properties, replaced: ResourceState | None) -> ResourceState:
        """Create the object; `replaced` is the one that it takes the place of and that still stands."""
        kept = replace(state, inputs=without_contents(inputs))
        try:
            answer = self._provider_of(state).Create(
                pb.CreateRequest(urn=state.urn, properties=struct(inputs), preview=self.preview)
            )
        except CreatedButFailedError as error:
            outputs = without_contents(error.outputs)
            self._save(replace(kept, id=error.identifier, outputs=outputs, tainted=True), replaced, replaced=True)
            raise
        done = replace(kept, id=answer.id, outputs=without_contents(properties(answer.properties)))
        self._save(done, replaced, replaced=True)
        return done

    def _delete_before(self, old: ResourceState) -> None:
        """Delete a resource that its successor cannot stand beside, after the dependents that it takes along."""
        doomed = [*self._dependents_replaced_with(old), old]
        for state in doomed:
            if state.protect:
                raise ProviderError(f'unable to replace: that takes along "{state.urn}", which is protected')
        for state in deletion_order(doomed, self._renamed):
            if state is not old:
                self._recreate[state.urn] = state
            self._remove(state)

    def _dependents_replaced_with(self, root: ResourceState) -> Iterator[ResourceState]:
        """Resources whose inputs come from `root` and which cannot live through an unknown value in them."""
        replaced = {root.urn}
        for state in reversed(deletion_order(self._old.values(), self._renamed)):
            touched = {key for key, urns in state.property_dependencies.items() if replaced & set(urns)}
            settled = state.urn in self._new or state.urn in self._recreate
            if settled or not state.custom or state.is_provider or not touched:
                continue
            news = {key: UNKNOWN if key in touched else value for key, value in state.inputs.items()}
            request = pb.DiffRequest(
                id=state.id,
                urn=state.urn,
                olds=struct(state.outputs),
                old_inputs=struct(state.inputs),
                news=struct(news),
            )
            if self._provider_of(state).Diff(request).replaces:
                replaced.add(state.urn)
                yield state

    # ------------------------------------------------------------------------------------------------------ deleting
    def finish(self) -> None:
        """After a program that ended well: delete what was replaced and what is no longer registered."""
        if self.outcome.failures:
            # Whoever builds on this stack waits until it is deployed as its program says.
            if not self.preview and self._ledger.complete:
                self._write(complete=False)
            return
        kept = {*self._new, *self._renamed}
        dropped = [s for urn, s in self._old.items() if urn not in kept and urn not in self._recreate]
        for urn in self._recreate.keys() - kept:
            self._finished(Step(Op.DELETE, urn))
        self.delete([*dropped, *self._condemned])
        if not self.preview and not self.outcome.failures and not self._ledger.complete:
            self._write(complete=True)

    def delete(self, doomed: list[ResourceState]) -> None:
        """Delete resources, dependents first; refused as a whole when one of them is protected."""
        for state in doomed:
            if state.protect and not state.delete:
                text = (
                    f'resource "{state.urn}" cannot be deleted because it is protected. To unprotect it, remove the '
                    "`protect` flag from the resource in the program and deploy that first."
                )
                self.outcome.failures.append(Failure(state.urn, text))
        if self.outcome.failures:
            return
        going = {state.urn for state in doomed if not state.delete}
        for state in deletion_order(doomed, self._renamed):
            gone_with = state.deleted_with in going
            op = Op.RETAIN if state.retain_on_delete and state.custom else Op.DELETE
            # The deletion of a replaced object is part of the replacement that was counted.
            step = None if state.delete else Step(op, state.urn)
            if step:
                self._started(step)
            try:
                self._remove(state, call=not gone_with)
            except ProviderError as error:
                if step:
                    self._observer.finished(step, str(error))
                self.outcome.failures.append(Failure(state.urn, str(error)))
                return
            if step:
                self._finished(step)

    def _remove(self, state: ResourceState, *, call: bool = True) -> None:
        """Delete the object unless it is to be retained, and strike it from the ledger."""
        if self.preview:
            return
        if state.custom and not state.is_provider and call and not state.retain_on_delete:
            self._provider_of(state).Delete(
                pb.DeleteRequest(
                    id=state.id, urn=state.urn, properties=struct(state.outputs), old_inputs=struct(state.inputs)
                )
            )
        with self._lock:
            self._write(drop=[self._keys.get(id(state), state.urn)])

    # ---------------------------------------------------------------------------------------------------- the ledger
    def _save(self, state: ResourceState, before: ResourceState | None, *, replaced: bool = False) -> None:
        """Keep a state, in memory always and in the ledger when it differs from the one before.

        `replaced`: `before` is another object, which is set aside and deleted when nothing uses it any more.
        """
        with self._lock:
            self._new[state.urn] = state
            kept = {state.urn: state}
            if before is not None and replaced:
                condemned, key = replace(before, delete=True), f"{before.urn}#{uuid.uuid4().hex[:8]}"
                self._keys[id(condemned)] = key
                self._condemned.append(condemned)
                kept[key] = condemned
            if self.preview or (state == before and not replaced):
                return
            renamed = [before.urn] if before is not None and before.urn != state.urn else []
            self._write(set=kept, drop=renamed)

    def _write(self, **change: Any) -> None:
        with self._lock:
            # From the first change to the end of a run that ends well the stack is not complete.
            self._ledger.write(**{"complete": False, **change} if not self._touched else change)
            self._touched = True

    def _started(self, step: Step) -> None:
        if step.op is not Op.SAME:
            self._observer.started(step)

    def _finished(self, step: Step) -> None:
        with self._lock:
            self.outcome.steps.append(step)
        self._observer.finished(step)

    def everything(self) -> list[ResourceState]:
        """Every resource of the ledger, replaced ones that still wait for their deletion too."""
        return [*self._old.values(), *self._condemned]

    def read(self, urn: str, provider: str, request: pb.ReadRequest) -> tuple[str, Any]:
        """A resource that is not managed here: its id and properties. Raises HaltError when it is not there."""
        if self.outcome.failures:
            raise HaltError
        try:
            found = self._provider_of(ResourceState(urn, custom=True, provider=provider)).Read(request)
        except ProviderError as error:
            self.fail(urn, str(error))
        if not found.id:
            self.fail(urn, f"resource '{request.id}' does not exist")
        self._finished(Step(Op.READ, urn))
        return found.id, found.properties


def _with_contents(outputs: Properties, inputs: Properties) -> Properties:
    """Outputs with the assets of the inputs whole again: the SDK cannot read one that is only a hash."""
    return {**outputs, **{key: value for key, value in inputs.items() if without_contents(value) != value}}


def _ignoring(news: Properties, olds: Properties, paths: list[str]) -> Properties:
    """Inputs with what `ignore_changes` names taken from last time."""
    for path in paths:
        if any(sign in path for sign in "[]*"):
            raise ProviderError(f'ignore_changes path "{path}": only names and dots are understood here')
        news = _taking(news, olds, path.split("."))
    return news


def _taking(news: Properties, olds: Properties, path: list[str]) -> Properties:
    head, rest = path[0], path[1:]
    if rest and isinstance(news.get(head), dict) and isinstance(olds.get(head), dict):
        return {**news, head: _taking(news[head], olds[head], rest)}
    if rest:
        return news
    kept = {key: value for key, value in news.items() if key != head}
    return {**kept, head: olds[head]} if head in olds else kept
