"""Runs inside a worker process: imports a function's handler once and answers one event after another.

Started as `python -I -S bootstrap.py <socket> <folder of the runtime's packages>...`, so that it sees the function's
own zip, the standard library and those folders, and nothing of whoever started it. Standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import socket
import sys
import threading
import time
import traceback
from typing import Any

INIT, RESULT = "init", "result"
EPHEMERAL_STORAGE = 512 * 1024 * 1024


class Channel:
    """JSON messages over a socket, each after its length in four bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        self._connection.sendall(len(data).to_bytes(4, "big") + data)

    def receive(self) -> dict[str, Any]:
        """The next message. Raises EOFError where the other side is gone."""
        size = int.from_bytes(self._exactly(4), "big")
        message: dict[str, Any] = json.loads(self._exactly(size))
        return message

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = self._connection.recv(min(size - len(data), 1 << 16))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)


class LambdaContext:
    """The context object (Lambda developer guide, "Using the Lambda context object" for Python)."""

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        environment = os.environ
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = arn
        self.aws_request_id = request_id
        self.identity = None
        self.client_context = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


def error(kind: str, message: str, trace: list[str] | None = None, request_id: str = "") -> dict[str, Any]:
    """A function error's payload (Lambda developer guide, "Python function errors")."""
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace or []}


def find_handler(name: str) -> tuple[Any, dict[str, Any] | None]:
    """The function that "package.module.function" names, or the error that Lambda's runtime reports."""
    module, _, function = name.rpartition(".")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as failure:
        return None, error("Runtime.ImportModuleError", f"Unable to import module '{module}': {failure}")
    except SyntaxError as failure:
        return None, error("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {failure}")
    except Exception as failure:  # noqa: BLE001 - a function's own code may raise anything: it is reported, not hidden
        return None, error(type(failure).__name__, str(failure), traceback.format_tb(failure.__traceback__)[4:])
    if not hasattr(found, function):
        return None, error("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
    return getattr(found, function), None


def answer(handler: Any, event: dict[str, Any]) -> dict[str, Any]:
    request_id = event["requestId"]
    context = LambdaContext(request_id, event["arn"], event["deadline"])
    try:
        result = handler(json.loads(event["payload"]), context)
    except Exception as failure:  # noqa: BLE001 - a function's own code may raise anything: it is reported, not hidden
        trace = traceback.format_tb(failure.__traceback__)[1:]
        sys.stdout.write(
            f"[ERROR] {type(failure).__name__}: {failure}\nTraceback (most recent call last):\n{''.join(trace)}"
        )
        return {"error": error(type(failure).__name__, str(failure), trace, request_id)}
    try:
        return {"payload": json.dumps(result)}
    except (TypeError, ValueError) as failure:
        message = f"Unable to marshal response: {failure}"
        return {"error": error("Runtime.MarshalError", message, request_id=request_id)}


def end_with(parent: int) -> None:
    """End this process when the server is gone, whatever the function is doing."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main() -> None:
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    channel = Channel(connection)
    # The ephemeral storage of a function; also the bound of what it can print.
    resource.setrlimit(resource.RLIMIT_FSIZE, (EPHEMERAL_STORAGE, EPHEMERAL_STORAGE))
    sys.path[:] = [os.environ["LAMBDA_TASK_ROOT"], *sys.path, *sys.argv[2:]]
    del sys.argv[1:]
    handler, failure = find_handler(os.environ["_HANDLER"])
    channel.send({"kind": INIT, "error": failure})
    while True:
        try:
            event = channel.receive()
        except EOFError:
            return
        result = answer(handler, event)
        sys.stdout.flush()
        sys.stderr.flush()
        channel.send({"kind": RESULT, **result})


if __name__ == "__main__":
    main()
