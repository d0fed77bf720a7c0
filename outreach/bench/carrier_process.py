"""Starts the stand-in as a process of its own, and asks and tells it things."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from outreach.errors import OutreachError
from outreach.settings import ROOT


@dataclass(frozen=True)
class CarrierProcess:
    """A running stand-in; `url` is its base (no slash at the end)."""

    url: str
    process: subprocess.Popen[bytes]

    def counts(self) -> dict[str, Any]:
        return cast(dict[str, Any], self._ask("counts"))

    def attempts(self) -> list[str]:
        """Attempt ids in the order of taking; one taken twice stands twice."""
        return cast(list[str], self._ask("attempts"))

    def taken(self) -> list[tuple[str, float]]:
        """As `attempts`, each with its instant (seconds since 1970)."""
        return [(attempt, at) for attempt, at in self._ask("taken")]

    def told(self) -> list[tuple[str, str]]:
        """(attempt id, word) of each callback that was answered with 2xx."""
        return [(attempt, word) for attempt, word in self._ask("told")]

    def faults(self, **told: Any) -> None:
        """See carrier_faults.Faults and carrier_settings.CallbackSettings (`callbacks=`)."""
        self._ask("faults", told)

    def reset(self) -> None:
        self._ask("reset", {})

    def _ask(self, name: str, told: dict[str, Any] | None = None) -> Any:
        data = None if told is None else json.dumps(told).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(f"{self.url}/control/{name}", data), timeout=30) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def carrier(latency_ms: float = 0.0, *, forget: bool = False) -> Iterator[CarrierProcess]:
    """A stand-in for as long as the block lasts. OutreachError: it did not start."""
    command = [sys.executable, "-m", "outreach.bench.carrier", "--port", "0", "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(
        command + ["--forget"] * forget, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise OutreachError(f"the carrier's stand-in did not start (exit {process.wait()})")
        yield CarrierProcess(f"http://127.0.0.1:{json.loads(line)['port']}", process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
