"""The processes of a run: started, killed, frozen and woken by their process ids, never by a name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from outreach.embedded import Engines
from outreach.errors import OutreachError
from outreach.settings import ROOT

GRACE = 6.0


@dataclass
class Runner:
    """One process of ours and all that it starts; `log` receives what it says."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Harmless where it runs."""
        if self.running:
            return
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """To its whole group."""
        if self.running and self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def last_words(self, count: int = 8) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])


class Cast:
    """Everything that can be hit: our processes by name, and the engines "postgres" and "valkey"."""

    def __init__(self, runners: Sequence[Runner], engines: Engines) -> None:
        self._runners = {runner.name: runner for runner in runners}
        self._engines = engines

    def start(self) -> None:
        for runner in self._runners.values():
            runner.start()

    def kill(self, name: str) -> None:
        """kill -9. PostgreSQL's children see their parent gone and end by themselves."""
        if name in self._runners:
            self._runners[name].kill()
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self._engines.pids[name]).kill()

    def kill_backend(self, random: Random) -> None:
        """kill -9 one connection's server process: PostgreSQL throws every connection out and recovers."""
        backends = [one for one in self._family("postgres")[1:] if _is_client(one)]
        if backends:
            with contextlib.suppress(psutil.NoSuchProcess):
                random.choice(backends).kill()

    def freeze(self, name: str) -> None:
        self._each(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._each(name, signal.SIGCONT)

    def mend(self, name: str) -> None:
        """Start again what was killed. OutreachError when an engine does not come up."""
        if name in self._runners:
            self._runners[name].start()
        else:
            self._engines.ensure()

    def mend_all(self) -> None:
        """Everything awake and running; what died by itself of another's death too."""
        for name in (*self._runners, "postgres", "valkey"):
            self.thaw(name)
            self.mend(name)

    def last_words(self) -> str:
        return "\n".join(f"{name}: {runner.last_words()}" for name, runner in self._runners.items())

    def stop(self) -> None:
        """Asked first, killed after GRACE seconds."""
        for name, runner in self._runners.items():
            self.thaw(name)
            runner.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for runner in self._runners.values():
            while runner.running and time.monotonic() < deadline:
                time.sleep(0.05)
            runner.kill()

    def _each(self, name: str, number: signal.Signals) -> None:
        if name in self._runners:
            self._runners[name].signal(number)
            return
        for process in self._family(name):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _family(self, name: str) -> list[psutil.Process]:
        """An engine's process and its children, who lead groups of their own."""
        with contextlib.suppress(psutil.NoSuchProcess, KeyError):
            process = psutil.Process(self._engines.pids[name])
            return [process, *process.children(recursive=True)]
        return []


def _is_client(process: psutil.Process) -> bool:
    """PostgreSQL names its processes by what they do: `postgres: user database host(port) state`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "127.0.0.1(" in " ".join(process.cmdline())
    return False


def wait_for(what: str, ready: Callable[[], bool], seconds: float, cast: Cast) -> None:
    """Poll `ready()`; OutreachError with the logs' ends when time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise OutreachError(f"{what} is not there after {seconds:.0f} s. Last words:\n{cast.last_words()}")
        time.sleep(0.1)
