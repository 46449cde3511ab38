"""A toy cloud for the in-process engine's tests: one resource type, kept in a dict, that logs what is done to it.

`value` changes in place, `fixed` replaces; a value "boom" fails every write, `nodelete` fails the deletion.
"""

from __future__ import annotations

import json
import textwrap
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from local_aws.inprocess import run
from local_aws.inprocess.project import Project
from local_aws.inprocess.steps import Outcome
from local_aws.provider.connection import ProviderError
from local_aws.provider.provider import CreatedButFailedError
from local_aws.provider.values import UNKNOWN, has_unknown, properties, struct
from local_aws.services import ledger

PRELUDE = """
import pulumi

class Thing(pulumi.CustomResource):
    value: pulumi.Output[str]
    made: pulumi.Output[str]

    def __init__(self, name, opts=None, **inputs):
        super().__init__("aws:toy/thing:Thing", name, {"value": None, "fixed": None, "made": None, **inputs}, opts)

class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("toy:index:Box", name, {}, opts)

class Provider(pulumi.ProviderResource):
    def __init__(self, name, region="eu-west-1", opts=None):
        super().__init__("aws", name, {"region": region}, opts)

Options = pulumi.ResourceOptions
aws = Provider("aws")

def thing(name, value="1", provider=aws, parent=None, **options):
    inputs = {key: options.pop(key) for key in ("fixed", "extra") if key in options}
    return Thing(name, value=value, opts=Options(provider=provider, parent=parent, **options), **inputs)

"""


@dataclass
class ToyCloud:
    """Stands for `run.Cloud`: `things` are what exists, `log` what was done, in order."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ledger(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if method in {"PATCH", "DELETE"} and not path.endswith("/lock"):
            self.writes.append((method, path))
        status, answer = ledger.answer(method, path, json.loads(json.dumps(body)))
        return status, json.loads(json.dumps(answer))

    def provider(self, *, connect_late: bool) -> ToyProvider:
        return ToyProvider(self)

    def new(self, name: str) -> str:
        with self.lock:
            self.made += 1
            self.log.append(f"create {name}")
            return f"{name}-{self.made}"

    def note(self, text: str) -> None:
        with self.lock:
            self.log.append(text)


class ToyProvider:
    def __init__(self, cloud: ToyCloud) -> None:
        self.cloud, self.region = cloud, ""

    def CheckConfig(self, request: Any) -> Any:
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any) -> Any:
        moved = properties(request.old_inputs) != properties(request.news)
        return pb.DiffResponse(diffs=["region"] * moved, replaces=["region"] * moved)

    def Configure(self, request: Any) -> Any:
        self.region = properties(request.args)["region"]

    def Check(self, request: Any) -> Any:
        news = properties(request.news)
        failures = [pb.CheckFailure(property="value", reason="may not be bad")] if news.get("value") == "bad" else []
        return pb.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any) -> Any:
        old, new = properties(request.old_inputs), properties(request.news)
        diffs = sorted(k for k in old.keys() | new.keys() if has_unknown(new.get(k)) or old.get(k) != new.get(k))
        return pb.DiffResponse(diffs=diffs, replaces=[key for key in diffs if key == "fixed"])

    def Create(self, request: Any) -> Any:
        inputs, name = properties(request.properties), request.urn.rpartition("::")[2]
        if request.preview:
            return pb.CreateResponse(properties=struct({**inputs, "made": UNKNOWN}))
        if inputs.get("value") == "boom":
            raise ProviderError(f"the cloud would not have {name}")
        identifier = self.cloud.new(name)
        outputs = {**inputs, "made": identifier, "region": self.region}
        self.cloud.things[identifier] = outputs
        if inputs.get("value") == "half":
            raise CreatedButFailedError(identifier, outputs, f"{name} is only half there")
        return pb.CreateResponse(id=identifier, properties=struct(outputs))

    def Update(self, request: Any) -> Any:
        news = properties(request.news)
        outputs = {**properties(request.olds), **news}
        if not request.preview:
            if news.get("value") == "boom":
                raise ProviderError("the cloud would not change")
            self.cloud.note(f"update {request.urn.rpartition('::')[2]}")
            self.cloud.things[request.id] = outputs
        return pb.UpdateResponse(properties=struct(outputs))

    def Read(self, request: Any) -> Any:
        found = self.cloud.things.get(request.id)
        return pb.ReadResponse(id=request.id, properties=struct(found)) if found else pb.ReadResponse()

    def Delete(self, request: Any) -> Any:
        state = properties(request.properties)
        if state.get("extra") == "nodelete":
            raise ProviderError("the cloud would not let go")
        self.cloud.note(f"delete {request.id.rpartition('-')[0]}")
        del self.cloud.things[request.id]
        return empty_pb2.Empty()


@dataclass
class Toy:
    """A project directory and its cloud: `toy.up("thing('a')")`."""

    root: Path
    cloud: ToyCloud = field(default_factory=ToyCloud)

    def write(self, program: str) -> Project:
        (self.root / "Pulumi.yaml").write_text("name: toys\nruntime: python\n")
        (self.root / "__main__.py").write_text(PRELUDE + textwrap.dedent(program))
        return Project.load(self.root)

    def up(self, program: str, stack: str = "one", observer: Any = None, *, preview: bool = False) -> Outcome:
        self.cloud.log.clear()
        self.cloud.writes.clear()
        return run.up(self.write(program), stack, self.cloud, observer, preview=preview)

    def destroy(self, stack: str = "one", **options: Any) -> Outcome:
        self.cloud.log.clear()
        return run.destroy(Project.load(self.root), stack, self.cloud, **options)

    @property
    def log(self) -> list[str]:
        return self.cloud.log

    def stored(self, stack: str = "one") -> dict[str, Any]:
        return dict(ledger.answer("GET", f"/toys/{stack}")[1].get("resources", {}))


def changes(outcome: Outcome) -> set[tuple[str, str]]:
    """(operation, name) of every change."""
    return {(step.op.value, step.name) for step in outcome.changes}
