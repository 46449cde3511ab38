"""The local AWS as a server on loopback: `python -m local_aws.server --port N`, or `LocalAws().start()` in a test."""

from __future__ import annotations

import argparse
import http.server
import importlib
import importlib.util
import io
import json
import logging
import os
import signal
import socketserver
import sys
import threading
import time
from typing import Any, Self
from urllib.parse import unquote

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request

from local_aws.services import endpoint, front

HOST = "127.0.0.1"
LARGEST_BODY = 1 << 30
SERVICES = (
    "glue", "lakeformation", "ram", "lambda_", "athena", "iam", "sts", "kms", "s3", "logs", "organizations",
    "sqs", "events", "dynamodb", "sns", "cloudwatch",
)  # fmt: skip
"""Modules of `local_aws.services` that register operations when they are imported."""


def load_services() -> None:
    """Import every service module there is, and the control face."""
    for name in (*(f"local_aws.services.{service}" for service in SERVICES), "local_aws.control"):
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)


class _Handler(http.server.BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive in front of `front.answer`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        self._answer()
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        answered = super().handle_expect_100()
        self.wfile.flush()
        return answered

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in {b"\r\n", b"\n", b""}:
                pass  # trailers
            return b"".join(chunks)
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= LARGEST_BODY:
            raise ValueError(f"a body of {length} bytes")
        return self.rfile.read(length)

    def _answer(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self._send(400, {"Content-Type": "application/json"}, b'{"__type": "SerializationException"}')
            return
        self._send(*front.answer(Request(self._environ(body))))

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False, "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
            "REQUEST_METHOD": self.command, "SERVER_PROTOCOL": self.request_version, "QUERY_STRING": query,
            "SCRIPT_NAME": "", "PATH_INFO": unquote(path, "latin-1"), "REQUEST_URI": self.path, "RAW_URI": self.path,
            "REMOTE_ADDR": HOST, "SERVER_NAME": HOST, "SERVER_PORT": str(self.connection.getsockname()[1]),
        }  # fmt: skip
        preserved = environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {}
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if "_" in name:
                if not name.lower().startswith("x-amz-meta-"):
                    continue
                preserved[key] = name
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        environ.pop("HTTP_CONTENT_LENGTH", None)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        names = {name.lower() for name in headers}
        for name, value in headers.items():
            if name.lower() not in {"connection", "transfer-encoding"} and (
                name.lower() != "content-length" or self.command == "HEAD"
            ):
                self.send_header(name, value)
        if self.command != "HEAD" or "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """The library's own errors (a broken request line) as JSON: its page would be HTML."""
        self.close_connection = True
        body = json.dumps({"__type": "BadRequest", "message": message or "the request cannot be read"}).encode()
        self._send(code, {"Content-Type": "application/json"}, body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the journal says what happened."""


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    block_on_close = False


class LocalAws:
    """The local AWS in this process, answering in threads: `with LocalAws().start() as aws: … aws.endpoint`."""

    def __init__(self, port: int = 0) -> None:
        if "MOTO_ACCOUNT_ID" in os.environ:
            raise RuntimeError("MOTO_ACCOUNT_ID is set: moto would take every caller for that one account. Unset it.")
        load_services()
        self._server = _Server((HOST, port), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> LocalAws:
        endpoint.set_url(self.endpoint)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering; state stays (`calls.reset` forgets it)."""
        self._server.shutdown()
        self._server.server_close()
        if (background := sys.modules.get("local_aws.services.background")) is not None:
            background.quiesce()
        if (compute := sys.modules.get("local_aws.services.lambda_")) is not None:
            compute.stop_workers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="The local AWS, on loopback.")
    parser.add_argument("--port", type=int, default=4600)
    logging.basicConfig(level=logging.WARNING)
    ended: list[int] = []
    # Asked to end, it ends with its workers and temporary folders. A flag, since an exception out of a signal's handler
    # can be lost while threads start.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: ended.append(received))
    with LocalAws(parser.parse_args().port).start():
        while not ended:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
