"""The provider: Pulumi's ResourceProvider methods over the registered resource types.

One object serves one `aws.Provider` resource (one Configure). It takes and returns the protobuf messages of
`pulumi.runtime.proto.provider_pb2`; a gRPC server only has to turn `ProviderError` into a status.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2 as pb

from local_aws.provider import connection, resource, schema
from local_aws.provider.connection import Connection, Credentials, ProviderError
from local_aws.provider.resource import At
from local_aws.provider.values import Properties, has_unknown, properties, struct, without_contents

for _service in (
    "athena", "cloudwatch", "dynamodb", "event_sources", "events", "glue", "iam", "kms", "lakeformation", "lambda_",
    "logs", "s3", "sns", "sqs",
):  # fmt: skip
    importlib.import_module(f"local_aws.provider.{_service}")

T = TypeVar("T")
_MOVES = ("region", "allowedAccountIds")
"""Provider arguments whose change means another region or account: everything behind that provider is replaced."""


class CreatedButFailedError(ProviderError):
    """The resource exists, and something after its creation failed: the engine has to know its id."""

    def __init__(self, identifier: str, outputs: Properties, message: str) -> None:
        super().__init__(message)
        self.identifier = identifier
        self.outputs = outputs


def _attempt(action: str, call: Callable[[], T]) -> T:
    """The call's answer; what AWS refuses becomes a ProviderError in the real provider's words."""
    try:
        return call()
    except ClientError as error:
        raise ProviderError(f"{action}: {connection.text_of(error)}") from error
    except BotoCoreError as error:
        raise ProviderError(f"{action}: {error}") from error


class LocalProvider:
    """A Pulumi resource provider for the types that lakemesh uses. `endpoint` None: as the SDK's environment says."""

    def __init__(
        self, endpoint: str | None = None, base: Credentials | None = None, *, connect_late: bool = False
    ) -> None:
        self._endpoint = endpoint
        self._base = base or Credentials()
        self._connect_late = connect_late
        self._connection: Connection | None = None

    # ---------------------------------------------------------------------------------------- the provider itself
    def CheckConfig(self, request: pb.CheckRequest, _context: Any = None) -> pb.CheckResponse:  # noqa: N802
        """Refuse provider arguments that are misspelt or not modelled."""
        news = connection.configuration(properties(request.news))
        failures = [
            (key, f'The provider argument "{key}" is not modelled by the local provider.')
            for key in sorted(news.keys() - connection.MODELLED)
        ]
        for role in news.get("assumeRoles") or [] if not has_unknown(news) else []:
            # A dict given to aws.Provider keeps its snake_case keys all the way to here, and assumes nothing.
            failures += [("assumeRoles", f'Unknown key "{key}"') for key in role if key not in _ROLE_KEYS]
        return pb.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: pb.DiffRequest, _context: Any = None) -> pb.DiffResponse:  # noqa: N802
        """Another region or account replaces the provider, and with it every resource that it made."""
        # A message is true even when it is empty: older engines send the inputs as `olds`.
        old = request.old_inputs if request.old_inputs.fields else request.olds
        olds, news = connection.configuration(properties(old)), connection.configuration(properties(request.news))
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        replaces = [key for key in changed if key in _MOVES]
        if "assumeRoles" in changed and _accounts(olds) != _accounts(news):
            replaces.append("assumeRoles")
        return _diff_response(resource.Difference(tuple(changed), tuple(replaces)))

    def Configure(self, request: pb.ConfigureRequest, _context: Any = None) -> pb.ConfigureResponse:  # noqa: N802
        """Assume the roles and check the account, unless told to wait until it is needed (a preview offline)."""
        config = connection.configuration(properties(request.args) or dict(request.variables))
        self._connection = Connection(self._endpoint, self._base, config)
        if not self._connect_late and not has_unknown(config):
            self._connection.connect()
        return pb.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    @property
    def _aws(self) -> Connection:
        if self._connection is None:
            raise ProviderError("The provider has not been configured.")
        return self._connection

    # ------------------------------------------------------------------------------------------------- resources
    def Check(self, request: pb.CheckRequest, _context: Any = None) -> pb.CheckResponse:  # noqa: N802
        """Inputs with the provider's defaults and generated name, or what is wrong with them."""
        model = resource.find(_token(request))
        inputs, problems = model.check(
            _name(request), properties(request.olds), properties(request.news), request.randomSeed
        )
        return pb.CheckResponse(inputs=struct(inputs), failures=_failures(problems))

    def Diff(self, request: pb.DiffRequest, _context: Any = None) -> pb.DiffResponse:  # noqa: N802
        """Which inputs changed and whether that replaces the resource."""
        model = resource.find(_token(request))
        state = properties(request.olds)
        old_inputs = properties(request.old_inputs) if request.old_inputs.fields else state
        # Assets by their hashes alone: the same file may lie elsewhere on another machine.
        old_inputs, news = without_contents(old_inputs), without_contents(properties(request.news))
        return _diff_response(model.diff(self._aws, old_inputs, state, news))

    def Create(self, request: pb.CreateRequest, _context: Any = None) -> pb.CreateResponse:  # noqa: N802
        """Make the resource and read it back. Raises CreatedButFailedError when it exists but is not complete."""
        model, inputs = resource.find(_token(request)), properties(request.properties)
        if request.preview:
            return pb.CreateResponse(id="", properties=struct(model.planned(inputs)))
        what = f"creating {model.title}"
        identifier = _attempt(what, lambda: model.create(At(self._aws, "", inputs)))
        try:
            _attempt(what, lambda: model.configure(At(self._aws, identifier, inputs)))
            outputs = self._read_back(model, identifier, inputs, {})
        except ProviderError as error:
            raise CreatedButFailedError(identifier, self._half_made(model, identifier, inputs), str(error)) from error
        return pb.CreateResponse(id=identifier, properties=struct(outputs))

    def Update(self, request: pb.UpdateRequest, _context: Any = None) -> pb.UpdateResponse:  # noqa: N802
        """Change the resource in place and read it back."""
        model = resource.find(_token(request))
        state, inputs = properties(request.olds), properties(request.news)
        if request.preview:
            return pb.UpdateResponse(properties=struct(model.planned(inputs, state)))
        what = f"updating {model.title} ({request.id})"
        _attempt(what, lambda: model.update(At(self._aws, request.id, inputs, state)))
        return pb.UpdateResponse(properties=struct(self._read_back(model, request.id, inputs, state)))

    def Read(self, request: pb.ReadRequest, _context: Any = None) -> pb.ReadResponse:  # noqa: N802
        """The resource as AWS has it now; an empty id says that it is gone."""
        model = resource.find(_token(request))
        state = properties(request.properties)
        read = _attempt(
            f"reading {model.title} ({request.id})", lambda: model.read(At(self._aws, request.id, {}, state))
        )
        if read is None:
            return pb.ReadResponse(id="")
        inputs = model.drifted(properties(request.inputs), state, read)
        # As it was known where it means the same: another spelling is no drift.
        changed = {key: value for key, value in read.items() if key not in state or not model.kept(key, state, value)}
        return pb.ReadResponse(id=request.id, properties=struct({**state, **changed}), inputs=struct(inputs))

    def Delete(self, request: pb.DeleteRequest, _context: Any = None) -> empty_pb2.Empty:  # noqa: N802
        """Delete the resource; one that is gone already is deleted."""
        model = resource.find(_token(request))
        state = properties(request.properties)
        _attempt(f"deleting {model.title} ({request.id})", lambda: model.delete(At(self._aws, request.id, {}, state)))
        return empty_pb2.Empty()

    def Invoke(self, request: pb.InvokeRequest, _context: Any = None) -> pb.InvokeResponse:  # noqa: N802
        """No function is modelled: the program computes names and ARNs from its declarations."""
        raise ProviderError(f"The local provider models no functions; {request.tok} was invoked.")

    def _half_made(self, model: resource.ResourceType, identifier: str, inputs: Properties) -> Properties:
        """What is known of an object whose creation stopped half-way: nothing of what completes it."""
        outputs = model.outputs(self._aws, inputs, {})
        known = {key: value for key, value in outputs.items() if key not in model.completed}
        try:
            read = _attempt("reading", lambda: model.read(At(self._aws, identifier, inputs, known)))
        except ProviderError:
            return known
        return {**known, **(read or {})}

    def _read_back(
        self, model: resource.ResourceType, identifier: str, inputs: Properties, state: Properties
    ) -> Properties:
        known = {**state, **model.outputs(self._aws, inputs, {})}
        read = _attempt(
            f"reading {model.title} ({identifier})", lambda: model.read(At(self._aws, identifier, inputs, known))
        )
        if read is None:
            raise ProviderError(f"reading {model.title} ({identifier}): couldn't find resource")
        return model.outputs(self._aws, inputs, read)


_ROLE_KEYS = frozenset({"roleArn", "sessionName", "externalId", "duration", "policy", "policyArns", "tags"})


def _accounts(config: Properties) -> list[str]:
    """The accounts of the roles that a provider assumes, the last of which is the one it works in."""
    arns = [str(role.get("roleArn")) for role in config.get("assumeRoles") or []]
    return [arn.split(":")[4] if arn.count(":") > 4 else arn for arn in arns]


def _token(request: Any) -> str:
    """The type token of a request; older engines say it in the URN alone."""
    return str(request.type or request.urn.split("::")[2].rpartition("$")[2])


def _name(request: Any) -> str:
    return str(request.name or request.urn.split("::", 3)[3])


def _failures(problems: list[schema.Problem]) -> list[pb.CheckFailure]:
    return [pb.CheckFailure(property=path, reason=reason) for path, reason in problems]


def _diff_response(difference: resource.Difference) -> pb.DiffResponse:
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if difference.changed else pb.DiffResponse.DIFF_NONE,
        diffs=difference.changed,
        replaces=difference.replaces,
        deleteBeforeReplace=difference.delete_first,
    )
