"""Local servers that take what is sent: an SMTP server and an HTTP server of the standard library, on free ports."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Mail:
    """One delivery: envelope recipients, subject, body."""

    recipients: tuple[str, ...]
    subject: str
    body: str


@dataclass
class MailSink:
    """An SMTP server; `refusing` makes it refuse every message."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    refusing: bool = False

    def take(self, recipients: list[str], data: bytes) -> None:
        """Keep a message."""
        message = email.message_from_bytes(data, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        part = message.get_body(("html", "plain"))
        assert part is not None
        self.mails.append(Mail(tuple(sorted(recipients)), str(message["subject"]), str(part.get_content())))


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    """A server that speaks as much SMTP as a client needs to deliver."""
    sink = MailSink()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            recipients: list[str] = []
            self.say("220 sink")
            while line := self.rfile.readline():
                command = line.decode().strip()
                verb = command.upper().split(" ")[0]
                if verb == "RCPT":
                    recipients.append(command.partition("<")[2].partition(">")[0])
                if verb == "QUIT":
                    self.say("221 bye")
                    return
                if verb == "DATA":
                    self.take_data(recipients)
                    recipients = []
                elif verb == "RCPT" and sink.refusing:
                    self.say("550 no such mailbox")
                else:
                    self.say("250 ok")

        def take_data(self, recipients: list[str]) -> None:
            self.say("354 go on")
            lines: list[bytes] = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b"..") else line)
            sink.take(recipients, b"".join(lines))
            self.say("250 taken")

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with _running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)) as port:
        sink.port = port
        yield sink


@dataclass
class HookSink:
    """An HTTP server that answers every POST with `status` and `answer`."""

    port: int = 0
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"errcode": 0})


@contextmanager
def hook_sink() -> Iterator[HookSink]:
    """A server that keeps (path, JSON) of what is posted."""
    sink = HookSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.requests.append((self.path, json.loads(body)))
            answer = json.dumps(sink.answer).encode()
            self.send_response(sink.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing to the terminal."""

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        sink.port = port
        yield sink


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
