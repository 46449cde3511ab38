"""Functions as values: their configuration, code and permissions, and the workers that run them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws.services import endpoint, iam, identity, metrics
from local_aws.services.calls import AwsError, on_reset
from local_aws.services.lambda_.worker import LAYERS, Outcome, Worker, folder, stop_all

UNZIPPED_LIMIT = 262_144_000
CONCURRENCY = 10
"""Invocations of one function that run at a time; more are throttled, as at an account's limit."""
KEPT_WARM = 2
SESSION_SECONDS = 12 * 3600

_code_lock = threading.Lock()
_unpacked: dict[str, Path] = {}


def unpack(code: bytes) -> str:
    """Unpack a zip, once for each content; its SHA-256, base64. Raises AwsError InvalidParameterValueException."""
    digest = hashlib.sha256(code).digest()
    name = base64.b64encode(digest).decode()
    with _code_lock:
        if name in _unpacked:
            return name
        try:
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > UNZIPPED_LIMIT:
                    raise AwsError(
                        "InvalidParameterValueException", f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes"
                    )
                target = folder("function")
                archive.extractall(target)  # drops absolute and ".." parts itself
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as error:
            raise AwsError("InvalidParameterValueException", "Could not unzip uploaded file.") from error
        _unpacked[name] = target
    return name


@dataclass
class Function:
    account: str
    region: str
    config: dict[str, Any]
    """FunctionConfiguration's members, as given or defaulted."""
    code_size: int
    sha256: str
    tags: dict[str, str] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)
    reserved: int | None = None
    modified: str = ""
    revision: str = ""
    _idle: list[Worker] = field(default_factory=list)
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        return str(self.config["FunctionName"])

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def log_group(self) -> str:
        return str(self.config["LoggingConfig"]["LogGroup"])

    def changed(self) -> None:
        """Note a change of code or configuration: environments made before it are not used again."""
        self.modified = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        with self._lock:
            self.revision = str(uuid.uuid4())
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.stop()

    def run(self, payload: str, request_id: str) -> Outcome:
        """Run one event in a warm worker, or a new one. Raises AwsError TooManyRequestsException."""
        with self._lock:
            limit = CONCURRENCY if self.reserved is None else self.reserved
            if self._running >= limit:
                metrics.of_function(self.arn, throttles=1)
                raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429)
            self._running += 1
            revision = self.revision
            worker = self._idle.pop() if self._idle else None
        timeout = float(self.config["Timeout"])
        reusable = False
        try:
            if worker is not None and worker.expires < time.time() + timeout:
                worker.stop()
                worker = None
            worker = worker or self._start()
            outcome = worker.invoke(payload, self.arn, request_id, timeout)
            reusable = outcome.reusable
            return outcome
        finally:
            with self._lock:
                self._running -= 1
                keep = reusable and revision == self.revision and len(self._idle) < KEPT_WARM
                if keep and worker is not None:
                    self._idle.append(worker)
            if not keep and worker is not None:
                worker.stop()

    def _start(self) -> Worker:
        session = identity.role(self.config["Role"], self.name)
        if iam.role(session.arn) is None:
            raise AwsError(
                "AccessDeniedException",
                "The role defined for the function cannot be assumed by Lambda.",
            )
        credentials = identity.issue(session, SESSION_SECONDS)
        root = _unpacked[self.sha256]
        today = dt.datetime.now(dt.UTC)
        environment = {
            **self.config.get("Environment", {}).get("Variables", {}),
            "_HANDLER": self.config["Handler"],
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": endpoint.url(),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.config["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{today:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
            "AWS_LAMBDA_LOG_FORMAT": self.config["LoggingConfig"]["LogFormat"],
            "LAMBDA_TASK_ROOT": str(root),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
            # Lambda has no such files; here the developer's own would be read.
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        arns = [layer["Arn"].split(":")[6] for layer in self.config.get("Layers", [])]
        layers = [known for known in LAYERS if any(name.startswith(known) for name in arns)]
        return Worker(root, environment, layers, credentials.expiration.timestamp())


_functions: dict[tuple[str, str], dict[str, Function]] = {}


def functions(account: str, region: str) -> dict[str, Function]:
    """An account's functions in a region, by name."""
    return _functions.setdefault((account, region), {})


@on_reset
def stop_workers() -> None:
    """End every worker process; a function that is invoked again gets a new one."""
    for regional in list(_functions.values()):
        for function in list(regional.values()):
            function.changed()
    stop_all()


@on_reset
def clear() -> None:
    _functions.clear()
