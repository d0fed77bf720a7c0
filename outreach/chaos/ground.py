"""The ground of a run: engines of its own in a folder that goes away, the stand-in carrier, workers, beat and web."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from outreach.bench.carrier_process import CarrierProcess, carrier
from outreach.chaos.processes import Cast, Runner, wait_for
from outreach.embedded import Engines
from outreach.settings import Settings
from outreach.store.migrate import upgrade
from outreach.wiring import Outreach, build

ACCOUNT = "AC" + "c" * 32
START_SECONDS = 60.0
PAUSE_MS = 2500
"""Between the tries of a callback: six tries outlive every outage that a run makes."""

Commands = Callable[[Settings], Mapping[str, Sequence[str]]]
"""The service's own command lines by name ("worker", "beat", "web"): those that `outreach up` starts."""
Environment = Callable[[Settings, str, str], dict[str, str]]
"""What they read: from settings, database URL and broker URL."""


@dataclass(frozen=True)
class Pace:
    """How the service is set for a run, in seconds; `window` is how many messages a worker holds at most."""

    lease: float = 6.0
    timeout: float = 2.0
    wake: float = 0.5
    recover: float = 2.0
    hold: float = 5.0
    latency_ms: float = 50.0

    @property
    def environment(self) -> dict[str, str]:
        return {
            "OUTREACH_LEASE_SECONDS": str(self.lease),
            "OUTREACH_CARRIER_TIMEOUT_SECONDS": str(self.timeout),
            "OUTREACH_WAKE_SECONDS": str(self.wake),
            "OUTREACH_RECOVER_SECONDS": str(self.recover),
            "OUTREACH_DOUBT_HOLD_SECONDS": str(self.hold),
        }


@dataclass(frozen=True)
class Ground:
    """What runs. `folder` holds the logs."""

    out: Outreach
    cast: Cast
    engines: Engines
    carrier: CarrierProcess
    pace: Pace
    token: str
    folder: Path

    def weather(self, faults: dict[str, object]) -> None:
        """Put faults of the carrier into force; its callbacks always come doubled and reversed now and then."""
        self.carrier.faults(latency_ms=self.pace.latency_ms, **faults)

    def call_back(self, seed: int) -> None:
        """From now on the carrier tells what becomes of messages."""
        self.carrier.faults(
            latency_ms=self.pace.latency_ms,
            callbacks={"token": self.token, "delay_ms": 150, "duplicates": 0.1, "reversed": 0.2, "seed": seed,
                       "pause_ms": PAUSE_MS},
        )  # fmt: skip


@contextlib.contextmanager
def ground(
    commands: Commands, environment: Environment, pace: Pace, *, workers: int = 2, durable: bool = True
) -> Iterator[Ground]:
    """Set up, and take down without a trace. The processes are not started yet: `Ground.cast.start()`."""
    folder = Path(tempfile.mkdtemp(prefix="outreach-chaos-"))
    folder.chmod(0o711)
    with contextlib.ExitStack() as stack:
        stack.callback(Engines.discard, folder)
        engines = Engines.start(folder, durable=durable)
        stack.callback(engines.stop)
        stand_in = stack.enter_context(carrier(pace.latency_ms))
        upgrade(engines.database_url)
        token = secrets.token_hex(16)
        settings = _settings(engines, stand_in, folder, token)
        variables = (
            environment(settings, engines.database_url, engines.redis_url) | _private(settings) | pace.environment
        )
        cast = Cast(_runners(commands(settings), variables, workers, folder), engines)
        stack.callback(cast.stop)
        out = build(settings)
        stack.callback(out.close)
        yield Ground(out, cast, engines, stand_in, pace, token, folder)


def wait_until_up(ground: Ground) -> None:
    """Start the processes and wait until web listens."""
    ground.cast.start()
    port = ground.out.settings.port
    wait_for("web", lambda: _listening(port), START_SECONDS, ground.cast)


def _settings(engines: Engines, stand_in: CarrierProcess, folder: Path, token: str) -> Settings:
    port = _free_port()
    return Settings(
        database_url=engines.database_url, redis_url=engines.redis_url, var=folder, port=port,
        key=base64.b64encode(secrets.token_bytes(32)).decode(), public_url=f"http://127.0.0.1:{port}",
        twilio_account_sid=ACCOUNT, twilio_auth_token=token, twilio_base_url=stand_in.url, sandbox=False, demo=False,
    )  # fmt: skip


def _private(settings: Settings) -> dict[str, str]:
    """What the children need and the command's own environment must not decide."""
    return {
        "OUTREACH_KEY": settings.key or "",
        "OUTREACH_HOST": "127.0.0.1",
        "OUTREACH_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "OUTREACH_TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "OUTREACH_TWILIO_BASE_URL": settings.twilio_base_url or "",
        "OUTREACH_SMTP_HOST": "",
        "OUTREACH_CLOCK": "system",
    }


def _runners(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], workers: int, folder: Path
) -> list[Runner]:
    """Several workers of one command line, told apart by their names."""
    found = []
    for name, command in commands.items():
        for number in range(1, workers + 1) if name == "worker" else (0,):
            called = f"{name} {number}" if number else name
            own = ["--hostname", f"chaos{number}@%h"] if number else []
            found.append(Runner(called, [*command, *own], environment, folder / f"{called.replace(' ', '')}.log"))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
