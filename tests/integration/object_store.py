"""A real S3 server on a loopback port, and a line to it that notes what is asked and can be cut."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "bureau"
PREFIX = "来源/in coming"
ROOT = f"s3://{BUCKET}/{PREFIX}"
_REQUEST = re.compile(rb"^(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1.1\r$", re.MULTILINE)


class Line:
    """Passes connections on to a server; `asked` holds method and path of every request.

    `let_through` bytes of answers pass, then the line is cut: once, or for good (`dead`). `on_request` is called before
    a request is passed on.
    """

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.asked: list[tuple[str, str]] = []
        self.on_request: Callable[[str, str], None] = lambda *_: None
        self.let_through: int | None = None
        self.cut_for_good = False
        self.dead = False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def mend(self) -> None:
        self.let_through, self.cut_for_good, self.dead = None, False, False

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                if self.dead:
                    caller.close()
                    continue
                server = socket.create_connection(self._server)
                for pass_on in (self._questions, self._answers):
                    threading.Thread(target=pass_on, args=(caller, server), daemon=True).start()

    def _questions(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while block := caller.recv(1 << 16):
                for method, path in _REQUEST.findall(block):
                    self.asked.append((method.decode(), path.decode()))
                    self.on_request(*self.asked[-1])
                server.sendall(block)
            server.shutdown(socket.SHUT_WR)

    def _answers(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while block := server.recv(1 << 16):
                if self.let_through is not None and len(block) > self.let_through:
                    caller.sendall(block[: self.let_through])
                    self.let_through, self.dead = None, self.cut_for_good
                    break
                if self.let_through is not None:
                    self.let_through -= len(block)
                caller.sendall(block)
        for end in (caller, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Store:
    """The bucket of a bureau, behind a line."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.line = Line(server)
        self._url = "http://{}:{}".format(*server)
        known = {"aws_access_key_id": "bureau", "aws_secret_access_key": "its own", "region_name": "us-east-1"}
        self.client: Any = boto3.client("s3", endpoint_url=self._url, **known)
        self._iam: Any = boto3.client("iam", endpoint_url=self._url, **known)
        self.client.create_bucket(Bucket=BUCKET)
        self.put("", b"")  # what consoles of stores make for a folder

    def put(self, name: str, content: bytes | str, **options: str) -> None:
        """Store an object below the prefix."""
        body = content if isinstance(content, bytes) else content.encode()
        self.client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}", Body=body, **options)

    def put_tree(self, folder: Path) -> None:
        """Store every file of a local landing root."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(path.relative_to(folder).as_posix(), path.read_bytes())

    def fetched(self) -> list[str]:
        """Paths of the objects that were read since the last call, manifests apart. Nothing was asked but to read."""
        assert {method for method, _ in self.line.asked} <= {"GET", "HEAD"}
        paths = [path for method, path in self.line.asked if method == "GET" and "?" not in path]
        self.line.asked.clear()
        return [path for path in paths if not path.endswith(".manifest.json")]

    def account(self) -> dict[str, str]:
        """Variables with the credentials of a new user, who may list."""
        self._iam.create_user(UserName="fund")
        self.allow("s3:ListBucket")
        key = self._iam.create_access_key(UserName="fund")["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def allow(self, *actions: str) -> None:
        """Give the user these rights and no others."""
        self._tell("reset-auth", b"inf")
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._iam.put_user_policy(UserName="fund", PolicyName="landing", PolicyDocument=policy)

    def demand_credentials(self) -> None:
        """From now on answer only the user that has an account, if any."""
        self._tell("reset-auth", b"0")

    def forget_all(self) -> None:
        """Empty the server, which knows one state for all its users."""
        self._tell("reset-auth", b"inf")
        self._tell("reset", b"")
        self.line.close()

    def _tell(self, what: str, body: bytes) -> None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        kind = {"Content-Type": "text/plain"}
        with direct.open(urllib.request.Request(f"{self._url}/moto-api/{what}", body, kind, method="POST")) as answer:
            assert answer.status == 200


@contextmanager
def s3_server() -> Iterator[tuple[str, int]]:
    """Host and port of a running server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()
    finally:
        server.stop()
