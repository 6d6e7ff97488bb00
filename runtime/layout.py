"""Where things lie: the checkout, the local directory, and the secrets, ports and logs in it."""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

# Below the ephemeral range of Linux (32768-), so that no outgoing connection sits on a remembered port.
_PORTS = range(15000, 32000)


@dataclass(frozen=True)
class Layout:
    """The local directory: everything that the machine adds to the checkout. Removing it removes all data."""

    local: Path

    @classmethod
    def from_env(cls) -> Layout:
        """FUND_LOCAL_DIR, or `.local` in the checkout."""
        return cls(Path(os.environ.get("FUND_LOCAL_DIR") or REPOSITORY / ".local").expanduser().absolute())

    @property
    def logs(self) -> Path:
        """Logs of the server, of Airflow's components and of dbt."""
        return _directory(self.local / "logs")

    @property
    def run(self) -> Path:
        """Lock and pid files."""
        return _directory(self.local / "run")

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return _directory(self.local / "airflow")

    @property
    def landing(self) -> Path:
        """The landing root unless FUND_LANDING_DIR names another."""
        return _directory(self.local / "landing")

    def secret(self, name: str, length: int = 24) -> str:
        """Random text kept in `secrets/<name>` (mode 600), made on first use; `length` in bytes of entropy."""
        folder = _directory(self.local / "secrets", mode=0o700)
        path = folder / name
        if not path.exists():
            draft = folder / f".{name}.{secrets.token_hex(4)}"
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
                handle.write(secrets.token_hex(length))
            try:
                os.link(draft, path)  # the first of two writers wins, and nobody reads half a secret
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()

    def port(self, name: str) -> int:
        """The port remembered for `name`; a free one is chosen and remembered on first use."""
        return self._ports().get(name) or self.new_port(name)

    def new_port(self, name: str) -> int:
        """Choose and remember another free port for `name`."""
        ports = self._ports()
        ports[name] = _free_port(set(ports.values()))
        draft = self.run / f".ports.{os.getpid()}"
        draft.write_text(json.dumps(ports, indent=1, sort_keys=True))
        draft.replace(self.run / "ports.json")
        return ports[name]

    def _ports(self) -> dict[str, int]:
        path = self.run / "ports.json"
        return json.loads(path.read_text()) if path.exists() else {}


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port(taken: set[int]) -> int:
    for port in random.SystemRandom().sample(_PORTS, 200):
        if port not in taken and port_is_free(port):
            return port
    raise RuntimeError("no free port on 127.0.0.1 between 15000 and 32000")


def _directory(path: Path, mode: int = 0o755) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    return path
