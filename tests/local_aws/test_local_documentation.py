"""docs/local-aws.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws import modelled
from local_aws.server import SERVICES
from local_aws.services import calls

DOCUMENT = Path(__file__).parents[2] / "docs" / "local-aws.md"


def test_the_table_of_what_is_modelled_is_current() -> None:
    text = DOCUMENT.read_text()
    assert modelled.written(text) == text, "run: python -m local_aws.modelled docs/local-aws.md"


def test_every_service_is_in_the_table() -> None:
    modelled.table()
    assert {service for service, _ in calls.modelled()} == {service.removesuffix("_") for service in SERVICES}


def test_every_operation_of_the_table_is_one_of_the_sdk() -> None:
    from moto.core.utils import get_service_model

    modelled.table()
    for service, operation in calls.modelled():
        assert operation in get_service_model(service).operation_names, f"{service}.{operation}"


def test_a_document_without_the_markers_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no table"):
        modelled.written("nothing")
