"""A relay between client and server that can cut the line at a chosen moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

# What to do with a piece sent by the client, given all bytes before it: hand it on? and go on afterwards?
Verdict = tuple[bool, bool]
Watch = Callable[[int, bytes], Verdict]


class Proxy:
    """Each connection that comes in is relayed to the upstream server until `watch` ends it."""

    def __init__(self, upstream_url: str, watch: Watch, listener: socket.socket) -> None:
        self._parts = urlsplit(upstream_url)
        self._watch = watch
        self._listener = listener
        self._guard = threading.Lock()
        self.sent = 0
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The upstream's URL by way of this relay."""
        login = self._parts.netloc.rpartition("@")[0]
        port = self._listener.getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{port}"))

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((str(self._parts.hostname), int(self._parts.port or 5432)))
                threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
                threading.Thread(target=_pump, args=(server, client), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(65536):
                with self._guard:
                    hand_on, go_on = self._watch(self.sent, piece)
                    self.sent += len(piece)
                if not go_on:
                    self.cuts += 1
                    _hang_up(client)
                if hand_on:
                    server.sendall(piece)
                if not go_on:
                    break
        _hang_up(server)


@contextmanager
def relayed(upstream_url: str, watch: Watch = lambda _, __: (True, True), path: Path | None = None) -> Iterator[Proxy]:
    """A relay for the time of a test, on a port of its own or on a Unix socket."""
    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
    proxy = Proxy(upstream_url, watch, listener)
    try:
        yield proxy
    finally:
        proxy.close()


def cut_at(place: int) -> Watch:
    """Cut before the piece in which this many bytes have been sent."""
    return lambda before, piece: (False, False) if before + len(piece) > place else (True, True)


def cut_after_commit(number: int) -> Watch:
    """Hand the client's COMMIT on, the `number`th, and cut before the answer comes back."""
    seen = 0

    def watch(_: int, piece: bytes) -> Verdict:
        nonlocal seen
        seen += piece.count(b"COMMIT\0")
        return True, seen < number

    return watch


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    _hang_up(target)


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
