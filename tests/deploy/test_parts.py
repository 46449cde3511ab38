from __future__ import annotations

import pytest

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.parts import CENTRAL, Kind, Part, UnknownStackError, account, parts, predecessors


def stacks(found: tuple[Part, ...]) -> list[str]:
    return [part.stack for part in found]


def test_parts_stand_in_the_order_of_deployment(sample: Declarations) -> None:
    kinds = [part.kind for part in parts(sample)]
    assert kinds == sorted(kinds, key=list(Kind).index)
    assert stacks(parts(sample))[0] == "central"
    assert len(parts(sample)) == 1 + len(sample.mesh.producers) + len(sample.mesh.domains) + len(sample.mesh.consumers)


def test_a_stack_s_name_says_its_part(sample: Declarations) -> None:
    assert Part.parse("central", sample) == CENTRAL
    for part in parts(sample):
        assert Part.parse(part.stack, sample) == part


@pytest.mark.parametrize("stack", ["", "producer-", "producer-nobody", "erp", "central-x", "domain-AR"])
def test_a_name_without_part_is_an_error_that_lists_the_parts(sample: Declarations, stack: str) -> None:
    with pytest.raises(UnknownStackError) as error:
        Part.parse(stack, sample)
    for part in parts(sample):
        assert part.stack in str(error.value)


def test_a_misspelt_stack_gets_a_suggestion(sample: Declarations) -> None:
    with pytest.raises(UnknownStackError, match="Did you mean consumer-treasury"):
        Part.parse("consumer-tresury", sample)


def test_predecessors_are_what_a_part_uses(sample: Declarations) -> None:
    assert predecessors(CENTRAL, sample) == ()
    assert stacks(predecessors(Part(Kind.PRODUCER, "erp"), sample)) == ["central"]
    assert stacks(predecessors(Part(Kind.DOMAIN, "ar"), sample)) == ["central", "producer-erp"]
    assert stacks(predecessors(Part(Kind.DOMAIN, "ap"), sample)) == ["central", "producer-erp", "producer-procurement"]
    assert stacks(predecessors(Part(Kind.CONSUMER, "treasury"), sample)) == ["central", "domain-ap", "domain-ar"]


def test_a_consumer_needs_only_the_domains_that_grant_it_something(sample: Declarations) -> None:
    without = sample.model_copy(update={"grants": dict.fromkeys(sample.grants, ())})
    assert stacks(predecessors(Part(Kind.CONSUMER, "treasury"), without)) == ["central"]


def test_every_part_comes_after_its_predecessors(sample: Declarations) -> None:
    order = parts(sample)
    for part in order:
        assert all(order.index(before) < order.index(part) for before in predecessors(part, sample))


def test_domains_are_deployed_into_the_governance_account(sample: Declarations) -> None:
    assert account(Part(Kind.DOMAIN, "ar"), sample) == account(CENTRAL, sample) == sample.mesh.central.account
    assert account(Part(Kind.PRODUCER, "erp"), sample) == sample.mesh.producers["erp"].account
    assert account(Part(Kind.CONSUMER, "treasury"), sample) == sample.mesh.consumers["treasury"].account
