"""Lambda: functions from an archive, and their invocation by the deployment."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.provider.connection import Connection, ProviderError
from local_aws.provider.resource import At, ResourceType, camel, declared, frozen, one, pascal, register, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown, zip_bytes

GONE = ("ResourceNotFoundException",)
UNRESERVED = -1
_CONFIGURATION = {
    "description": "Description", "handler": "Handler", "layers": "Layers", "memorySize": "MemorySize",
    "role": "Role", "runtime": "Runtime", "timeout": "Timeout", "kmsKeyArn": "KMSKeyArn",
}  # fmt: skip
_BLOCKS = {
    "deadLetterConfig": "DeadLetterConfig", "ephemeralStorage": "EphemeralStorage", "loggingConfig": "LoggingConfig",
    "tracingConfig": "TracingConfig",
}  # fmt: skip


def _configuration(inputs: Properties) -> dict[str, Any]:
    """The members that CreateFunction and UpdateFunctionConfiguration share."""
    wanted = {name: inputs[key] for key, name in _CONFIGURATION.items() if inputs.get(key) is not None}
    wanted |= {name: pascal(one(inputs[key])) for key, name in _BLOCKS.items() if inputs.get(key)}
    # Names of environment variables stay as they are.
    return {**wanted, "Environment": {"Variables": one(inputs.get("environment")).get("variables") or {}}}


@register
class Function(ResourceType):
    kind = "aws:lambda/function:Function"
    supported = frozenset({
        "architectures", "code", "deadLetterConfig", "description", "environment", "ephemeralStorage", "handler",
        "kmsKeyArn", "layers", "loggingConfig", "memorySize", "name", "packageType", "publish",
        "reservedConcurrentExecutions", "role", "runtime", "skipDestroy", "sourceCodeHash", "tags", "timeout",
        "tracingConfig",
    })  # fmt: skip
    defaults = frozen(
        memorySize=128,
        packageType="Zip",
        publish=False,
        reservedConcurrentExecutions=UNRESERVED,
        skipDestroy=False,
        timeout=3,
    )
    immutable = frozenset({"name", "packageType"})
    named = "name"
    completed = frozenset({"reservedConcurrentExecutions"})
    volatile = frozenset({"lastModified", "codeSha256", "sourceCodeSize"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        if inputs.get("packageType") != "Zip":
            yield "packageType", "only functions of package type Zip are modelled by the local provider"
        for key in ("code", "handler", "runtime"):
            if not inputs.get(key):
                yield key, f'"{key}" must be set when packageType is Zip'

    def create(self, at: At) -> str:
        created = at.client("lambda").create_function(
            FunctionName=at.inputs["name"],
            Code={"ZipFile": zip_bytes(at.inputs["code"])},
            Architectures=at.inputs.get("architectures") or ["x86_64"],
            Publish=bool(at.inputs["publish"]),
            Tags=at.tags,
            **_configuration(at.inputs),
        )
        return str(created["FunctionName"])

    def configure(self, at: At) -> None:
        self._concurrency(at.aws, at.id, UNRESERVED, at.inputs["reservedConcurrentExecutions"])

    def _concurrency(self, aws: Connection, name: str, old: int, new: int) -> None:
        if new == old:
            return
        client = aws.client("lambda")
        if new == UNRESERVED:
            client.delete_function_concurrency(FunctionName=name)
        else:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=new)

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("lambda").get_function(FunctionName=at.id)["Configuration"])
        if found is None:
            return None
        arn = found["FunctionArn"].removesuffix(":$LATEST")
        invoke = f"arn:{at.aws.partition}:apigateway:{at.aws.region}:lambda:path/2015-03-31/functions"
        return {
            **self._configured({**at.inputs, **at.state}, found),
            "arn": arn,
            "codeSha256": found["CodeSha256"],
            "invokeArn": f"{invoke}/{arn}/invocations",
            "lastModified": found["LastModified"],
            "name": at.id,
            "qualifiedArn": f"{arn}:$LATEST",
            "qualifiedInvokeArn": f"{invoke}/{arn}:$LATEST/invocations",
            "sourceCodeHash": found["CodeSha256"],
            "sourceCodeSize": found["CodeSize"],
            "version": found.get("Version", "$LATEST"),
        }

    @staticmethod
    def _configured(known: Properties, found: Mapping[str, Any]) -> Properties:
        """The configuration as inputs, of those blocks that were given."""
        read = {key: found.get(name) for key, name in _CONFIGURATION.items() if key in known}
        if "layers" in known:
            read["layers"] = [layer["Arn"] for layer in found.get("Layers") or []]
        blocks = {
            key: declared(known[key], camel(found.get(name) or {})) for key, name in _BLOCKS.items() if key in known
        }
        variables = (found.get("Environment") or {}).get("Variables") or {}
        return {**read, **blocks, "environment": {"variables": variables} if variables else None}

    def update(self, at: At) -> None:
        client = at.client("lambda")
        client.update_function_configuration(FunctionName=at.id, **_configuration(at.inputs))
        code = zip_bytes(at.inputs["code"])
        if base64.b64encode(hashlib.sha256(code).digest()).decode() != at.state.get("codeSha256") or not self.same(
            "architectures", at.state.get("architectures"), at.inputs.get("architectures")
        ):
            client.update_function_code(
                FunctionName=at.id, ZipFile=code, Architectures=at.inputs.get("architectures") or ["x86_64"]
            )
        old_limit = at.state.get("reservedConcurrentExecutions", UNRESERVED)
        self._concurrency(at.aws, at.id, old_limit, at.inputs["reservedConcurrentExecutions"])
        at.retag(
            lambda keys: client.untag_resource(Resource=at.state["arn"], TagKeys=keys),
            lambda tags: client.tag_resource(Resource=at.state["arn"], Tags=tags),
        )

    def delete(self, at: At) -> None:
        if not at.state.get("skipDestroy"):
            unless(GONE, lambda: at.client("lambda").delete_function(FunctionName=at.id))


def _message(payload: bytes) -> str:
    """What a failed function said: its error's type and message, or the payload as it came."""
    text = payload.decode(errors="replace")
    try:
        error = json.loads(text)
    except ValueError:
        return text
    if not isinstance(error, Mapping) or "errorMessage" not in error:
        return text
    return ": ".join(str(error[key]) for key in ("errorType", "errorMessage") if error.get(key))


@register
class Invocation(ResourceType):
    """One invocation of a function. With `lifecycleScope` CRUD it is invoked at every step, and told which one."""

    kind = "aws:lambda/invocation:Invocation"
    supported = frozenset({"functionName", "input", "lifecycleScope", "qualifier", "terraformKey", "triggers"})
    defaults = frozen(lifecycleScope="CREATE_ONLY", qualifier="$LATEST", terraformKey="tf")
    immutable = frozenset({"functionName", "qualifier", "triggers"})
    volatile = frozenset({"result"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        scope, text = inputs["lifecycleScope"], inputs["input"]
        if isinstance(scope, Unknown) or isinstance(text, Unknown):
            return
        if scope not in {"CREATE_ONLY", "CRUD"}:
            yield "lifecycleScope", f"expected lifecycleScope to be one of CREATE_ONLY, CRUD, got {scope}"
        try:
            event = json.loads(text)
        except ValueError as error:
            yield "input", f'"input" contains an invalid JSON: {error}'
            return
        if scope == "CRUD" and not isinstance(event, dict):
            yield "input", 'lifecycle_scope other than "CREATE_ONLY" requires input to be a JSON object'

    def diff(self, aws: Connection | None, old_inputs: Properties, state: Properties, news: Properties) -> Any:
        found = super().diff(aws, old_inputs, state, news)
        if news["lifecycleScope"] == "CREATE_ONLY" and "input" in found.changed:
            return type(found)(found.changed, (*found.replaces, "input"), found.delete_first)
        return found

    def _invoke(self, aws: Connection, inputs: Properties, action: str, previous: str | None) -> tuple[str, str]:
        payload = inputs["input"]
        if inputs["lifecycleScope"] == "CRUD":
            step = {"action": action, "prev_input": json.loads(previous) if previous else None}
            payload = json.dumps({**json.loads(payload), inputs["terraformKey"]: step}, sort_keys=True)
        answer = aws.client("lambda").invoke(
            FunctionName=inputs["functionName"], Qualifier=inputs["qualifier"], Payload=payload.encode()
        )
        result = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise ProviderError(f"invoking Lambda Function ({inputs['functionName']}): {_message(result)}")
        return payload, result.decode()

    def create(self, at: At) -> str:
        payload, result = self._invoke(at.aws, at.inputs, "create", None)
        # What the function returned is kept by `read`, which cannot ask AWS for it.
        at.inputs["result"] = result
        digest = hashlib.md5(payload.encode(), usedforsecurity=False).hexdigest()
        return f"{at.inputs['functionName']},{at.inputs['qualifier']},{digest}"

    def read(self, at: At) -> Properties | None:
        return {"result": at.state.get("result", "")}

    def update(self, at: At) -> None:
        if at.inputs["lifecycleScope"] == "CRUD":
            _, at.inputs["result"] = self._invoke(at.aws, at.inputs, "update", at.state.get("input"))

    def delete(self, at: At) -> None:
        if at.state.get("lifecycleScope") == "CRUD":
            unless(GONE, lambda: self._invoke(at.aws, at.state, "delete", at.state.get("input")))
