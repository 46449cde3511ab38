"""The in-process engine over a toy cloud: what is done to resources, and in which order."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.inprocess import run
from local_aws.inprocess.state import LockedError
from local_aws.inprocess.steps import Op
from local_aws.services import ledger
from tests.local_aws.toys import Toy, changes


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    ledger.clear()
    yield Toy(tmp_path)
    ledger.clear()


def test_a_program_creates_what_it_registers_in_the_order_of_its_dependencies(toy: Toy) -> None:
    outcome = toy.up("b = thing('b', value=thing('a').made)\nthing('c', value='x', depends_on=[b])")
    assert outcome.failures == []
    assert toy.log == ["create a", "create b", "create c"]
    assert outcome.count(Op.CREATE) == 4  # the provider too, as in Pulumi


def test_the_same_program_again_changes_nothing_and_writes_nothing(toy: Toy) -> None:
    program = "a = thing('a')\nbox = Box('box')\nthing('b', value=a.made, parent=box)\npulumi.export('made', a.made)"
    first = toy.up(program)
    again = toy.up(program)
    assert first.outputs == again.outputs == {"made": "a-1"}
    assert toy.log == []
    assert toy.cloud.writes == []
    assert again.changes == []
    assert again.count(Op.SAME) == 4


def test_a_changed_input_is_updated_in_place_and_its_name_is_reported(toy: Toy) -> None:
    toy.up("thing('a')")
    outcome = toy.up("thing('a', value='2')")
    assert toy.log == ["update a"]
    assert [(step.op, step.changed) for step in outcome.changes] == [(Op.UPDATE, ("value",))]


def test_a_replacement_is_created_before_the_old_one_is_deleted_and_dependents_move_in_between(toy: Toy) -> None:
    toy.up("thing('b', value=thing('a', fixed='1').made)")
    outcome = toy.up("thing('b', value=thing('a', fixed='2').made)")
    assert toy.log == ["create a", "update b", "delete a"]
    assert changes(outcome) == {("replace", "a"), ("update", "b")}
    assert len(toy.cloud.things) == 2


def test_delete_before_replace_takes_dependents_along_that_cannot_live_without_it(toy: Toy) -> None:
    program = """
    a = thing('a', fixed='{}', delete_before_replace=True)
    b = thing('b', fixed=a.made)
    thing('c', value=b.made)
    """
    toy.up(program.format(1))
    outcome = toy.up(program.format(2))
    assert toy.log == ["delete b", "delete a", "create a", "create b", "update c"]
    assert changes(outcome) == {("replace", "a"), ("replace", "b"), ("update", "c")}
    assert toy.up(program.format(2)).changes == []


def test_depends_on_alone_does_not_cascade_a_replacement(toy: Toy) -> None:
    program = "thing('b', fixed='x', depends_on=[thing('a', fixed='{}', delete_before_replace=True)])"
    toy.up(program.format(1))
    toy.up(program.format(2))
    assert toy.log == ["delete a", "create a"]


def test_what_is_no_longer_registered_is_deleted_dependents_first(toy: Toy) -> None:
    toy.up("a = thing('a')\nb = thing('b', value=a.made)\nthing('c', depends_on=[b])\nthing('d')")
    outcome = toy.up("thing('d')")
    assert toy.log == ["delete c", "delete b", "delete a"]
    assert outcome.count(Op.DELETE) == 3


def test_the_order_of_deletion_follows_the_dependencies_of_the_last_run(toy: Toy) -> None:
    toy.up("thing('b', depends_on=[thing('a')])")
    toy.up("thing('a', depends_on=[thing('b')])")
    toy.destroy()
    assert toy.log == ["delete a", "delete b"]


def test_a_failure_stops_what_has_not_begun_and_the_next_run_completes_it(toy: Toy) -> None:
    program = "a = thing('a')\nb = thing('b', value='{}', depends_on=[a])\nthing('c', depends_on=[b])"
    outcome = toy.up(program.format("boom"))
    assert [(f.urn.rpartition("::")[2], f.message) for f in outcome.failures] == [("b", "the cloud would not have b")]
    assert toy.log == ["create a"]
    assert ledger.answer("GET", "")[1]["stacks"] == [{"project": "toys", "stack": "one", "complete": False}]
    assert toy.up(program.format("fine")).failures == []
    assert toy.log == ["create b", "create c"]
    assert ledger.answer("GET", "")[1]["stacks"][0]["complete"] is True


def test_a_failed_run_deletes_nothing(toy: Toy) -> None:
    toy.up("thing('old')")
    assert not toy.up("thing('new', value='boom')").ok
    assert toy.log == []


def test_what_was_created_and_then_failed_is_replaced_by_the_next_run(toy: Toy) -> None:
    outcome = toy.up("thing('a', value='half')")
    assert [failure.message for failure in outcome.failures] == ["a is only half there"]
    outcome = toy.up("thing('a', value='whole')")
    assert toy.log == ["delete a", "create a"]
    assert changes(outcome) == {("replace", "a")}
    assert toy.up("thing('a', value='whole')").changes == []


def test_invalid_inputs_fail_with_the_property_named_and_nothing_is_created(toy: Toy) -> None:
    outcome = toy.up("thing('a', value='bad')")
    assert [failure.message for failure in outcome.failures] == ["value: may not be bad"]
    assert toy.log == []


def test_ignored_changes_keep_the_old_input(toy: Toy) -> None:
    toy.up("thing('a', value='1', extra={'k': '1', 'l': '1'})")
    ignoring = "thing('a', value='{}', extra={{'k': '2', 'l': '{}'}}, ignore_changes=['value', 'extra.k'])"
    assert toy.up(ignoring.format(9, 1)).changes == []
    assert changes(toy.up(ignoring.format(9, 2))) == {("update", "a")}
    assert next(iter(toy.cloud.things.values()))["extra"] == {"k": "1", "l": "2"}


def test_an_ignore_changes_path_that_is_not_understood_is_refused(toy: Toy) -> None:
    toy.up("thing('a')")
    outcome = toy.up("thing('a', ignore_changes=['extra[0]'])")
    assert "extra[0]" in outcome.failures[0].message


def test_replace_on_changes_turns_an_update_into_a_replacement(toy: Toy) -> None:
    toy.up("thing('a', value='1')")
    assert changes(toy.up("thing('a', value='2', replace_on_changes=['value'])")) == {("replace", "a")}


def test_a_protected_resource_is_neither_deleted_nor_replaced_and_nothing_else_goes_with_it(toy: Toy) -> None:
    toy.up("thing('a', fixed='1', protect=True)\nthing('b')")
    assert "marked for protection" in toy.up("thing('a', fixed='2', protect=True)\nthing('b')").failures[0].message
    outcome = toy.up("pass")
    assert "cannot be deleted because it is protected" in outcome.failures[0].message
    assert outcome.failures[0].urn.endswith("::a")
    assert not toy.destroy().ok
    assert len(toy.cloud.things) == 2


def test_unprotecting_first_lets_it_go(toy: Toy) -> None:
    toy.up("thing('a', protect=True)")
    assert toy.up("thing('a')").changes == []
    assert toy.up("pass").ok
    assert toy.cloud.things == {}


def test_destroy_can_keep_protected_resources_and_what_they_need(toy: Toy) -> None:
    toy.up("a = thing('a')\nthing('b', value=a.made, protect=True)\nthing('c')")
    assert toy.destroy(exclude_protected=True).ok
    assert toy.log == ["delete c"]
    assert {state["urn"].rpartition("::")[2] for state in toy.stored().values()} == {"aws", "a", "b"}


def test_a_retained_resource_is_forgotten_and_not_deleted(toy: Toy) -> None:
    toy.up("thing('a', retain_on_delete=True)")
    outcome = toy.up("pass")
    assert changes(outcome) == {("retain", "a"), ("delete", "aws")} or changes(outcome) == {("retain", "a")}
    assert len(toy.cloud.things) == 1
    assert not any(key.endswith("::a") for key in toy.stored())


def test_a_retained_resource_stays_when_it_is_replaced(toy: Toy) -> None:
    toy.up("thing('a', fixed='1', retain_on_delete=True)")
    toy.up("thing('a', fixed='2', retain_on_delete=True)")
    assert toy.log == ["create a"]
    assert len(toy.cloud.things) == 2


def test_deleted_with_leaves_the_deletion_to_the_other_resource(toy: Toy) -> None:
    toy.up("a = thing('a')\nthing('b', deleted_with=a)")
    toy.up("pass")
    assert toy.log == ["delete a"]


def test_a_renamed_resource_with_an_alias_is_the_same_resource(toy: Toy) -> None:
    toy.up("thing('a')\nthing('z')")
    outcome = toy.up("b = thing('b', aliases=[pulumi.Alias(name='a')])\nthing('z')")
    assert toy.log == []
    assert outcome.changes == []
    toy.up("thing('z')")
    assert toy.log == ["delete a"]


def test_a_resource_that_moves_into_a_component_keeps_its_identity_by_an_alias(toy: Toy) -> None:
    toy.up("thing('a')")
    outcome = toy.up("thing('a', parent=Box('box'), aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])")
    assert toy.log == []
    assert changes(outcome) == {("create", "box")}


def test_a_resource_whose_provider_moves_to_another_region_is_replaced(toy: Toy) -> None:
    toy.up("thing('a')")
    outcome = toy.up("aws2 = Provider('aws2', region='eu-north-1')\nthing('a', provider=aws2)")
    assert toy.log == ["create a", "delete a"]
    assert ("replace", "a") in changes(outcome)
    assert [made["region"] for made in toy.cloud.things.values()] == ["eu-north-1"]


def test_preview_announces_everything_and_writes_nothing(toy: Toy) -> None:
    toy.up("thing('a')\nthing('b', fixed='1')\nthing('gone')")
    before = toy.stored()
    outcome = toy.up("thing('a', value='2')\nb = thing('b', fixed='2')\nthing('c', value=b.made)", preview=True)
    assert changes(outcome) == {("update", "a"), ("replace", "b"), ("create", "c"), ("delete", "gone")}
    assert toy.log == []
    assert toy.cloud.writes == []
    assert toy.stored() == before


def test_outputs_of_what_is_not_there_yet_are_unknown_in_a_preview(toy: Toy) -> None:
    outcome = toy.up("thing('a').made.apply(lambda made: 1 / 0)", preview=True)
    assert outcome.failures == []


def test_a_name_registered_twice_is_an_error(toy: Toy) -> None:
    outcome = toy.up("thing('a')\nthing('a')")
    assert "Duplicate resource URN" in outcome.failures[0].message


def test_a_resource_without_explicit_provider_is_an_error(toy: Toy) -> None:
    outcome = toy.up("thing('a', provider=None)")
    assert "explicit provider" in outcome.failures[0].message


@pytest.mark.parametrize("option", ["import_='x'", "replace_with=[aws]", "replacement_trigger='x'"])
def test_options_that_are_not_supported_are_refused_by_name(toy: Toy, option: str) -> None:
    outcome = toy.up(f"thing('a', {option})")
    assert option.partition("=")[0] in outcome.failures[0].message
    assert toy.log == []


def test_an_existing_resource_can_be_read_and_one_that_is_not_there_is_an_error(toy: Toy) -> None:
    toy.up("thing('a')")
    read = "thing('a')\ngot = Thing('got', opts=Options(provider=aws, id='{}'))\npulumi.export('value', got.value)"
    assert toy.up(read.format("a-1")).outputs == {"value": "1"}
    assert "does not exist" in toy.up(read.format("b-9")).failures[0].message


def test_run_error_is_shown_without_a_traceback(toy: Toy) -> None:
    outcome = toy.up("raise pulumi.RunError('mesh.yaml:3:5 no such thing')")
    assert [str(failure) for failure in outcome.failures] == ["mesh.yaml:3:5 no such thing"]


def test_an_exception_of_the_program_is_shown_with_the_program_s_own_lines(toy: Toy) -> None:
    outcome = toy.up("def inner():\n    return {}['missing']\n\ninner()")
    text = str(outcome.failures[0])
    assert "KeyError: 'missing'" in text
    assert "__main__.py" in text
    assert "in inner" in text
    assert "asyncio" not in text
    assert "inprocess" not in text


def test_what_a_program_registered_before_it_failed_is_kept(toy: Toy) -> None:
    toy.up("thing('a')\nraise ValueError('later')")
    assert toy.log == ["create a"]
    assert toy.up("thing('a')").changes == []


def test_sys_exit_in_a_program_is_a_failure(toy: Toy) -> None:
    assert not toy.up("import sys\nsys.exit(3)").ok


def test_a_deletion_that_fails_is_reported_and_tried_again(toy: Toy) -> None:
    toy.up("thing('b', extra='nodelete', depends_on=[thing('a')])")
    outcome = toy.up("pass")
    assert [failure.message for failure in outcome.failures] == ["the cloud would not let go"]
    assert toy.log == []
    assert not toy.up("pass").ok


def test_a_stack_that_is_being_changed_is_locked_to_others(toy: Toy) -> None:
    project = "import threading\nthing('a')"
    toy.up(project)
    ledger.answer("PUT", "/toys/one/lock", {"token": "other", "pid": 1})
    with pytest.raises(LockedError, match="process 1"):
        toy.up(project)
    assert toy.up(project, preview=True).ok  # a preview changes nothing and waits for nobody


def test_the_lock_of_a_process_that_died_is_free(toy: Toy) -> None:
    ledger.answer("PUT", "/toys/one/lock", {"token": "other", "pid": 2**22 + 1})
    assert toy.up("thing('a')").ok


def test_the_lock_is_released_after_a_failure(toy: Toy) -> None:
    toy.up("thing('a', value='boom')")
    assert toy.up("thing('a')").ok


def test_stacks_of_one_process_leave_nothing_to_each_other(toy: Toy) -> None:
    program = "name = pulumi.get_stack()\nthing(name)\npulumi.export('stack', name)"
    assert [toy.up(program, stack).outputs["stack"] for stack in ("one", "two", "one")] == ["one", "two", "one"]
    assert {key.rpartition("::")[2] for key in toy.stored("two")} == {"aws", "two"}


def test_stacks_can_be_deployed_by_threads_side_by_side(toy: Toy) -> None:
    program = "name = pulumi.get_stack()\nfor n in range(20):\n    thing(f'{name}-{n}')\npulumi.export('stack', name)"
    project = toy.write(program)
    outputs: dict[str, object] = {}

    def deploy(stack: str) -> None:
        outputs[stack] = run.up(project, stack, toy.cloud).outputs  # type: ignore[arg-type]

    threads = [threading.Thread(target=deploy, args=(stack,)) for stack in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {stack: {"stack": stack} for stack in ("one", "two", "three")}
    assert len(toy.cloud.things) == 60


def test_destroy_deletes_everything_and_forgets_the_stack(toy: Toy) -> None:
    toy.up("thing('b', value=thing('a').made, parent=Box('box'))")
    outcome = toy.destroy()
    assert outcome.ok
    assert toy.log == ["delete b", "delete a"]
    assert ledger.answer("GET", "/toys/one")[0] == 404
    assert toy.destroy().ok


def test_every_failure_of_resources_that_run_side_by_side_is_reported(toy: Toy) -> None:
    outcome = toy.up("for n in range(3):\n    thing(f't{n}', value='boom')")
    assert 1 <= len(outcome.failures) <= 3
    assert all("would not have" in failure.message for failure in outcome.failures)


def test_an_asset_that_is_not_there_fails_the_resource_that_wanted_it(toy: Toy) -> None:
    outcome = toy.up("thing('a', extra=pulumi.FileAsset('missing.txt'))")
    assert "missing.txt" in outcome.failures[0].message
    assert outcome.failures[0].urn.endswith("::a")


def test_an_asset_s_path_is_taken_from_the_project_and_only_its_content_counts(toy: Toy) -> None:
    (toy.root / "note.txt").write_text("one")
    program = "thing('a', extra=pulumi.FileAsset('note.txt'))"
    toy.up(program)
    (toy.root / "note.txt").touch()
    assert toy.up(program).changes == []
    (toy.root / "note.txt").write_text("two")
    assert [step.changed for step in toy.up(program).changes] == [("extra",)]


def test_the_old_object_of_a_replacement_whose_deletion_failed_is_deleted_by_the_next_run(toy: Toy) -> None:
    toy.up("thing('a', fixed='1', extra='nodelete')")
    assert not toy.up("thing('a', fixed='2', extra='nodelete')").ok
    assert toy.log == ["create a"]
    for state in toy.cloud.things.values():
        state["extra"] = "fine"
    stored = toy.stored()
    assert sum(state["delete"] for state in stored.values()) == 1
    for state in stored.values():
        state["outputs"].pop("extra", None)
    outcome = toy.up("thing('a', fixed='2', extra='nodelete')")
    assert outcome.ok
    assert toy.log == ["delete a"]
    assert outcome.changes == []


def test_a_run_leaves_the_process_as_it_was(toy: Toy) -> None:
    before = sys.modules["__main__"], list(sys.path), threading.active_count()
    (toy.root / "helper.py").write_text("NAME = 'from-a-module-beside-the-program'\n")
    outcome = toy.up("import helper\nthing(helper.NAME)")
    assert outcome.ok
    assert (sys.modules["__main__"], sys.path, threading.active_count()) == before
    sys.modules.pop("helper", None)


def test_an_interruption_lets_what_runs_finish_and_starts_nothing_else(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = threading.Thread.join
    interrupted: list[threading.Thread] = []

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name.startswith("pulumi-") and not interrupted:
            interrupted.append(thread)
            raise KeyboardInterrupt
        waited(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", join)
    outcome = toy.up("import time\ntime.sleep(0.2)\nthing('a')")
    assert [failure.message for failure in outcome.failures] == ["Interrupted."]
    assert toy.log == []
    assert toy.up("thing('a')").ok


def test_a_stack_whose_program_failed_is_not_complete_until_it_is_mended(toy: Toy) -> None:
    def complete() -> object:
        return ledger.answer("GET", "/toys/one")[1]["complete"]

    toy.up("thing('a')")
    assert complete() is True
    toy.up("raise pulumi.RunError('no')", preview=True)
    assert complete() is True
    toy.up("raise pulumi.RunError('no')")
    assert complete() is False
    toy.up("thing('a')")
    assert complete() is True


def test_a_dependent_of_two_replacements_is_recreated_once(toy: Toy) -> None:
    program = """
    a, b = (thing(name, fixed='{}', delete_before_replace=True) for name in 'ab')
    thing('c', fixed=pulumi.Output.concat(a.made, b.made))
    """
    toy.up(program.format(1))
    assert toy.up(program.format(2)).ok
    assert sorted(toy.log) == ["create a", "create b", "create c", "delete a", "delete b", "delete c"]
    assert toy.log.index("delete c") < min(toy.log.index("delete a"), toy.log.index("delete b"))


def test_a_replacement_that_is_only_half_there_does_not_make_the_old_object_forgotten(toy: Toy) -> None:
    toy.up("thing('a', fixed='1')")
    assert not toy.up("thing('a', fixed='2', value='half')").ok
    assert len(toy.cloud.things) == 2
    assert toy.up("thing('a', fixed='2', value='whole')").ok
    assert toy.log == ["delete a", "create a", "delete a"]
    assert [made["value"] for made in toy.cloud.things.values()] == ["whole"]
