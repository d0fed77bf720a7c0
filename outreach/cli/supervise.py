"""Keeps child processes running: starts them, restarts what dies, shows their warnings, stops them all."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outreach.errors import OutreachError

GRACE = 6.0
"""Seconds that children have to finish what they do; Ctrl-C must be over within 10."""
LONGEST_PAUSE = 30.0
STEADY = 30.0
"""A child that lived this many seconds is well again: its next death is a first one."""
ALIVE = 3.0
"""A child that has died once and lived this many seconds since has started."""
_LOG_LIMIT = 10_000_000
_WARNING = re.compile(r"\b(warning|error|critical)\b|^\w*(Error|Exception)\b", re.IGNORECASE)
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(text, flush=True)


@dataclass
class Child:
    """One supervised process; `log` receives all it says."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    deaths: int = 0
    started: float = 0.0
    resume: float | None = None
    process: subprocess.Popen[bytes] | None = None
    _read: int = field(default=0, repr=False)

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._read = output.tell()
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, preexec_fn=_die_with_parent,
            )  # fmt: skip
        self.started, self.resume = time.monotonic(), None

    def signal(self, number: signal.Signals) -> None:
        """To the whole group: a child's own children go with it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def news(self) -> list[str]:
        """Whole lines written since the last call."""
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as file:
            file.seek(self._read)
            text, newline, _rest = file.read().rpartition(b"\n")
            self._read += len(text) + len(newline)
            return text.decode("utf-8", "replace").splitlines()
        return []

    def last_words(self, count: int = 8) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-count:])


class Supervisor:
    """The children of one command. One thread: `tick` is called a few times a second."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)

    def start(self) -> None:
        for child in self.children:
            child.start()

    def tick(self) -> None:
        """Show warnings, notice deaths, restart what has waited long enough."""
        for child in self.children:
            _show(child)
            if child.resume is not None:
                if time.monotonic() >= child.resume:
                    child.start()
            elif child.process is not None and child.process.poll() is not None:
                self._mourn(child, child.process.returncode)

    def _mourn(self, child: Child, code: int) -> None:
        child.signal(signal.SIGKILL)  # what it may have left of its group
        now = time.monotonic()
        child.deaths = 1 if now - child.started > STEADY else child.deaths + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (child.deaths - 1))
        child.resume = now + pause
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        say(f"{child.name} stopped ({how}); starting it again in {pause:g} s. Its log: {child.log}")

    def until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Tick until `ready`; OutreachError with the log's end when a child keeps dying or time is up."""
        deadline = time.monotonic() + seconds
        while not (ready() and all(map(_stands, self.children))):
            self.tick()
            for child in self.children:
                if child.deaths >= 3:
                    raise OutreachError(f"{child.name} does not start; the end of {child.log}:\n{child.last_words()}")
            if time.monotonic() > deadline:
                raise OutreachError(f"not ready after {seconds:.0f} s; see the logs in {self.children[0].log.parent}")
            time.sleep(0.1)

    def stop(self) -> None:
        """All are told at once; who has not finished after GRACE seconds is killed."""
        for child in self.children:
            child.resume = None
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        running = [child.process for child in self.children if child.process is not None]
        while any(process.poll() is None for process in running) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in self.children:
            child.signal(signal.SIGKILL)
        for process in running:
            process.wait()


def _stands(child: Child) -> bool:
    """It runs, and is not about to die once more, as far as can be seen."""
    return child.resume is None and (child.deaths == 0 or time.monotonic() - child.started > ALIVE)


def _show(child: Child) -> None:
    for line in child.news():
        if _WARNING.search(line) and "DeprecationWarning" not in line:
            say(f"{child.name}: {_concise(line)}")


def _concise(line: str) -> str:
    """Our own JSON lines as `event key=value`; anything else as it is, cut."""
    with contextlib.suppress(ValueError):
        said = json.loads(line)
        if isinstance(said, dict):
            level, event = said.pop("level", ""), said.pop("event", "")
            said.pop("timestamp", None)
            return " ".join([f"{level} {event}".strip(), *(f"{key}={value}" for key, value in said.items())])
    return line[:300]


def _die_with_parent() -> None:
    """Linux tells the child when its supervisor was killed with -9; elsewhere nothing does."""
    if _libc is not None:
        _libc.prctl(_DEATH_SIGNAL, signal.SIGTERM)
