"""Run the ingestion on a network of its own and pull the plug: `unshare -Urn python cut_off.py <unix socket>`.

Prints `up` once it runs; a line on standard input takes the network down, after which no packet arrives any more, no
connection is closed, nobody is told. Ends as the ingestion ends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading

_SIOCSIFFLAGS = 0x8914
_UP = 0x41  # IFF_UP | IFF_RUNNING


def loopback(flags: int) -> None:
    """Bring the network's only device up or down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def relay(listener: socket.socket, upstream: str) -> None:
    """Hand connections on to a Unix socket, which reaches out of this network."""
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(upstream)
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=pump, args=(source, target), daemon=True).start()


def pump(source: socket.socket, target: socket.socket) -> None:
    """One direction."""
    while piece := source.recv(65536):
        target.sendall(piece)
    target.shutdown(socket.SHUT_RDWR)


def main(upstream: str) -> int:
    """Run, wait to be told, pull the plug, wait for the end."""
    loopback(_UP)
    listener = socket.create_server(("127.0.0.1", 5432))
    threading.Thread(target=relay, args=(listener, upstream), daemon=True).start()
    process = subprocess.Popen([sys.executable, "-m", "ingestion", "run"])
    print("up", flush=True)
    sys.stdin.readline()
    loopback(0)
    return process.wait()


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stdout.flush()
    os._exit(code)
