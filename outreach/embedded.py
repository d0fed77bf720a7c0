"""PostgreSQL and Valkey from their wheels, under var/, when no URLs are configured."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from outreach.errors import OutreachError
from outreach.launching import alive, end, free_port, identity_of, keep, start_postgres, start_valkey
from outreach.lodging import PASSABLE, find_home, lodge

_START = {"postgres": start_postgres, "valkey": start_valkey}
_STOP = {"postgres": signal.SIGINT, "valkey": signal.SIGTERM}  # SIGINT is PostgreSQL's "fast" shutdown


class Engines:
    """Both engines of one data folder, shared by every process that calls start() on it.

    A shared lock on var/engines.users says "in use" and vanishes with its holder, however that dies; the last one out
    stops the engines, and a guard process does so where the last one was killed. Ports and passwords stay the same.
    """

    def __init__(self, var: Path, durable: bool) -> None:
        self.var = var.absolute()
        self._durable = durable
        self._state: dict[str, Any] = {}
        self._users: IO[bytes] | None = None

    @classmethod
    def start(cls, var: Path, *, durable: bool = True) -> Engines:
        """Start what is not running yet and wait until it answers. `durable=False` (tests): no fsync."""
        engines = cls(var, durable)
        if not engines.var.is_dir():
            engines.var.mkdir(parents=True)
            engines.var.chmod(PASSABLE)
        with engines._alone():
            engines._users = (engines.var / "engines.users").open("wb")
            fcntl.flock(engines._users, fcntl.LOCK_SH)
            try:
                engines._raise_up()
            except BaseException:
                engines._leave()
                raise
        return engines

    @property
    def database_url(self) -> str:
        """For SQLAlchemy. Other databases of the same server: replace the last part."""
        mine = self._state["postgres"]
        return f"postgresql+psycopg://outreach:{mine['password']}@127.0.0.1:{mine['port']}/outreach"

    @property
    def redis_url(self) -> str:
        mine = self._state["valkey"]
        return f"redis://:{mine['password']}@127.0.0.1:{mine['port']}/0"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by engine name."""
        return {name: self._state[name]["pid"] for name in _START}

    def ensure(self) -> list[str]:
        """Restart what died, on its old port; the names of what was restarted. Cheap when all is well."""
        if all(alive(self._state[name]) for name in _START):
            return []
        with self._alone():
            return self._raise_up()

    def stop(self) -> None:
        """Leave; the last one out stops the engines. Harmless when called twice."""
        if self._users is None:
            return
        with self._alone():
            self._leave()

    @staticmethod
    def discard(var: Path) -> None:
        """Remove a data folder for good, and what was put elsewhere for it (tests, rehearsals). Nobody may use it."""
        home = _read(var).get("home")
        for folder in (home, var):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    def _leave(self) -> None:
        if (users := self._users) is None:
            return
        self._users = None
        with users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody else still works here
            self._state = _read(self.var)
            guard = self._state.pop("guard", None)
            _stop_engines(self._state)
            _write(self.var, self._state)
            end(guard, signal.SIGTERM, 2)

    def _raise_up(self) -> list[str]:
        """Bring up what is down; called with the lock held. Names of what was started."""
        self._state = _read(self.var)
        dead = [name for name in _START if not alive(self._state.get(name, {}))]
        if not dead:
            return []
        recorded = self._state.get("home")
        home = find_home(self.var, Path(recorded) if recorded else None)
        self._state["home"] = str(home)
        _write(self.var, self._state)
        lodging = lodge(home)
        for name in dead:
            mine = self._state.setdefault(name, {"password": secrets.token_urlsafe(24)})
            mine["port"] = free_port(mine.get("port"))
            _write(self.var, self._state)
            mine.update(identity_of(_START[name](lodging, mine["port"], mine["password"], self._durable)))
            _write(self.var, self._state)
        if not alive(self._state.get("guard", {})):
            self._state["guard"] = identity_of(keep(_start_guard(self.var)))
            _write(self.var, self._state)
        return dead

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes what runs."""
        try:
            file = (self.var / "engines.lock").open("wb")
        except PermissionError:
            raise OutreachError(
                f"{self.var} belongs to another account: run as that one, or set OUTREACH_VAR to a folder of your own"
            ) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _stop_engines(state: dict[str, Any]) -> None:
    running = [(state[name], how) for name, how in _STOP.items() if name in state]
    for mine, how in running:  # all are told before any is waited for
        end(mine, how, 0)
    for mine, how in running:
        end(mine, how, 8)
        mine.pop("pid", None)


def _read(var: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((var / "engines.json").read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise OutreachError(
            f"{var / 'engines.json'} is damaged: stop everything, move {var} aside and start again"
        ) from None
    return state


def _write(var: Path, state: dict[str, Any]) -> None:
    """Whole or not at all; it holds passwords."""
    part = var / "engines.json.part"
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(json.dumps(state, indent=1))
    part.replace(var / "engines.json")


def _start_guard(var: Path) -> subprocess.Popen[bytes]:
    """A process that waits until nobody uses the engines and then stops them: kill -9 leaves nothing behind."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "outreach.embedded", str(var)],
        cwd="/", env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _guard(var: Path) -> None:
    """Holds no other lock meanwhile: a process that starts waits in its shared lock until the engines are down."""
    with (var / "engines.users").open("wb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            _stop_engines(_read(var))


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
