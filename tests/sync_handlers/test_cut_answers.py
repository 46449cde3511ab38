"""An answer that was cut short is no answer: botocore takes a body that is no JSON for one without any member."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ResponseStreamingError

from sync_handlers import clients
from sync_handlers.glue_access import Database

WHOLE = json.dumps({"Partitions": [{"Values": ["a"]}], "UnprocessedKeys": []}).encode()


class Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A client of the sync whose calls get these bodies, one after the other, and no network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "1" * 12)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")

    def client(*bodies: bytes, status: int = 200) -> Any:
        made, left = clients.catalog(), list(bodies)

        def answer(request: Any, **_: Any) -> Any:
            body = left.pop(0)
            headers: Any = {"content-length": str(len(body))}
            return AWSResponse(request.url, status, headers, Raw(body))

        made.meta.events.register("before-send.glue", answer)
        return made

    return client


def ask(client: Any) -> Any:
    return client.batch_get_partition(DatabaseName="d", TableName="t", PartitionsToGet=[{"Values": ["a"]}])


@pytest.mark.parametrize("length", [1, len(WHOLE) // 2, WHOLE.index(b"}") + 1, len(WHOLE) - 1])
def test_an_answer_that_was_cut_short_is_a_fault_of_the_network(answering: Any, length: int) -> None:
    with pytest.raises(ResponseStreamingError, match="BatchGetPartition"):
        ask(answering(WHOLE[:length]))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ofALaterGlue": 1}', WHOLE], ids=["none", "empty", "later", "whole"])
def test_a_whole_answer_is_taken_whatever_it_holds(answering: Any, body: bytes) -> None:
    assert ask(answering(body)).get("Partitions", []) == ([{"Values": ["a"]}] if body == WHOLE else [])


def test_an_error_is_still_the_services_own(answering: Any) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        ask(answering(b'{"__type": "ThrottlingException", "message": "slow down"}', status=400))


def test_partitions_of_an_answer_that_was_cut_short_do_not_count_as_gone(answering: Any) -> None:
    source = Database(answering(WHOLE[:20], WHOLE), "999900002222", "d")
    assert [one["Values"] for one in source.get_partitions("t", [("a",)])] == [["a"]], "asked again"
