"""Worker processes: Lambda's execution environments. One event at a time, kept warm, killed on a timeout.

Source: Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.services.lambda_ import bootstrap

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's Python runtime has installed besides the standard library."""

LAYERS = {
    "AWSLambdaPowertoolsPython": (
        "aws_lambda_powertools", "typing_extensions", "pydantic", "pydantic_core",
        "annotated_types", "typing_inspection",
    ),
    "AWSSDKPandas": ("pyarrow", "numpy", "pandas"),
}  # fmt: skip
"""Public layers that are known, by how their name begins, and what they bring."""

PAYLOAD_LIMIT = 6 * 1024 * 1024
INIT_SECONDS = 10.0
LONGEST_LOG = 256 * 1024

Error = dict[str, Any]
_folders: list[str] = []


def _remove_folders() -> None:
    for path in _folders:
        shutil.rmtree(path, ignore_errors=True)


def folder(prefix: str) -> Path:
    """A temporary folder that goes when this process ends."""
    if not _folders:
        atexit.register(_remove_folders)
    _folders.append(tempfile.mkdtemp(prefix=f"lakemesh-{prefix}-"))
    return Path(_folders[-1])


class Packages:
    """Folders with links to installed packages: a function sees these and nothing else that happens to be installed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, ...], str] = {}

    def folder(self, names: tuple[str, ...]) -> str:
        with self._lock:
            if names not in self._made:
                target = folder("runtime")
                for name in names:
                    spec = importlib.util.find_spec(name)
                    if spec is None or spec.origin is None:
                        continue
                    origin = Path(spec.origin)
                    source = origin.parent if origin.name.startswith("__init__.") else origin
                    (target / source.name).symlink_to(source)
                self._made[names] = str(target)
            return self._made[names]


packages = Packages()


_lock = threading.Lock()
_alive: set[Worker] = set()


@atexit.register
def stop_all() -> None:
    """End every worker, also one in the middle of an event."""
    with _lock:
        workers = list(_alive)
    for worker in workers:
        worker.stop()


@dataclass(frozen=True)
class Outcome:
    """What an invocation ended in: a payload, or an error and whether the runtime, not the code, reported it."""

    payload: str | None
    error: Error | None
    log: list[str]
    reusable: bool


class Worker:
    """One process with one function's code in it."""

    def __init__(self, root: Path, environment: Mapping[str, str], layers: Iterable[str], expires: float) -> None:
        self.expires = expires
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._read = 0
        self._connection, theirs = socket.socketpair()
        path = [packages.folder(LAYERS[layer]) for layer in layers] + [packages.folder(RUNTIME)]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - running a function's code is what this is for
                [sys.executable, "-I", "-S", "-u", bootstrap.__file__, str(theirs.fileno()), *path],
                cwd=root,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._ready = False
        with _lock:
            _alive.add(self)

    def invoke(self, payload: str, arn: str, request_id: str, timeout: float) -> Outcome:
        """Hand over one event and wait for its result,
        within `timeout` seconds (longer while the code is imported)."""
        limit = timeout
        try:
            if not self._ready:
                limit = max(INIT_SECONDS, timeout)
                failure = self._receive(bootstrap.INIT, time.time() + limit).get("error")
                if failure:
                    return self._outcome(error={**failure, "requestId": request_id}, reusable=False)
                self._ready, limit = True, timeout
            deadline = time.time() + timeout
            self._connection.settimeout(timeout)
            event = {"payload": payload, "arn": arn, "requestId": request_id, "deadline": deadline}
            bootstrap.Channel(self._connection).send(event)
            result = self._receive(bootstrap.RESULT, deadline)
        except TimeoutError:
            message = f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
            return self._outcome(error={"errorType": "Sandbox.Timedout", "errorMessage": message}, reusable=False)
        except (EOFError, OSError, ValueError):
            status = self.stop()
            message = f"RequestId: {request_id} Error: Runtime exited with error: {status}"
            return self._outcome(error={"errorType": "Runtime.ExitError", "errorMessage": message}, reusable=False)
        if len(result.get("payload") or "") > PAYLOAD_LIMIT:
            message = f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
            return self._outcome(error={"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message})
        return self._outcome(payload=result.get("payload"), error=result.get("error"))

    def _receive(self, kind: str, deadline: float) -> dict[str, Any]:
        """The worker's next message. It may hold anything: the function's code could have written it."""
        head = self._exactly(4, deadline)
        size = int.from_bytes(head, "big")
        if size > 4 * PAYLOAD_LIMIT:
            raise ValueError("a message longer than any response")
        message = json.loads(self._exactly(size, deadline))
        if not isinstance(message, dict) or message.get("kind") != kind:
            raise ValueError("not a message of the runtime")
        return message

    def _exactly(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            remaining = deadline - time.time()
            if remaining <= 0:
                raise TimeoutError
            self._connection.settimeout(remaining)
            chunk = self._connection.recv(min(size - len(data), 1 << 16))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _outcome(self, payload: str | None = None, error: Error | None = None, *, reusable: bool = True) -> Outcome:
        # pread: the process writes through the same open file, whose offset must stay where it is.
        text = os.pread(self._log.fileno(), LONGEST_LOG, self._read).decode(errors="replace")
        self._read = os.fstat(self._log.fileno()).st_size
        return Outcome(payload, error, text.splitlines(), reusable)

    def stop(self) -> str:
        """End the process and whatever it started; how it ended, in Lambda's words."""
        with _lock:
            _alive.discard(self)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Where it is ending by itself its own exit status is what a person wants to read.
            self._connection.close()
            self._process.wait(0.2)
        ended = self._process.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if ended is None or ended < 0:
            return f"signal: {signal.Signals(-(ended or -signal.SIGKILL)).name.removeprefix('SIG').lower()}"
        return f"exit status {ended}"
