"""`outreach up`: engines, migrations, sample, then web, worker, beat and sandbox under one roof."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import signal
import sys
import time
from collections.abc import Iterator

import typer

from outreach.actions.sample import load_sample
from outreach.cli.checks import answers, check_database, check_redis, only_one, refuse_taken_ports
from outreach.cli.supervise import Child, Supervisor, say
from outreach.data_folder import make_var, master_key
from outreach.embedded import Engines
from outreach.errors import OutreachError
from outreach.settings import ROOT, Settings, load_settings
from outreach.store.migrate import upgrade
from outreach.wiring import build

START_SECONDS = 60.0
CHECK_ENGINES_EVERY = 1.0


def register(app: typer.Typer) -> None:
    app.command("up")(up)


def up() -> None:
    """Run everything: web, worker, beat, and where nothing else is configured database, broker and sandbox."""
    settings = load_settings()
    refuse_taken_ports(settings)
    make_var(settings.var)
    (settings.var / "log").mkdir(mode=0o700, exist_ok=True)
    with only_one(settings), _signals_end_it():
        _run(settings)


@contextlib.contextmanager
def urls(settings: Settings) -> Iterator[tuple[str, str, Engines | None]]:
    """Database and Redis URLs: the configured ones, or the embedded engines for as long as the block lasts."""
    if settings.database_url is not None and settings.redis_url is not None:
        yield settings.database_url, settings.redis_url, None
        return
    engines = Engines.start(settings.var)
    try:
        yield engines.database_url, engines.redis_url, engines
    finally:
        engines.stop()


def _run(settings: Settings) -> None:
    with urls(settings) as (database, broker, engines):
        if engines is None:
            check_database(database)
            check_redis(broker)
        upgrade(database)
        environment = child_environment(settings, database, broker)
        load_sample_once(settings, database, broker)
        supervisor = Supervisor(children(settings, environment))
        try:
            supervisor.start()
            supervisor.until(lambda: answers(settings), START_SECONDS)
            say(f"ready http://127.0.0.1:{settings.port}")
            if settings.sandbox:
                say(f"phones and mailboxes: http://127.0.0.1:{settings.sandbox_http_port}/phones")
            say("Ctrl-C stops everything")
            _watch(supervisor, engines)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            say("stopping")
            supervisor.stop()


def load_sample_once(settings: Settings, database: str, broker: str) -> None:
    """A demo whose database has no clinic yet gets the sample clinic and its patients."""
    if not settings.demo:
        return
    out = build(settings.model_copy(update={"database_url": database, "redis_url": broker}))
    try:
        with out.sessions.begin() as session:
            loaded = load_sample(session, ROOT, out.clock(), out.sequences, out.words, out.answering)
    finally:
        out.close()
    if loaded is not None:
        say("the sample clinic and its patients are loaded")


def _watch(supervisor: Supervisor, engines: Engines | None) -> None:
    checked = 0.0
    while True:
        supervisor.tick()
        now = time.monotonic()
        if engines is not None and now - checked > CHECK_ENGINES_EVERY:
            checked = now
            try:
                for name in engines.ensure():
                    say(f"{name} had stopped; it runs again")
            except (OutreachError, OSError) as error:  # a full disk may have room again: the next round tries anew
                say(f"error: an engine does not start again: {error}")
        time.sleep(0.2)


def children(settings: Settings, environment: dict[str, str]) -> list[Child]:
    """Web, worker, beat and, where it stands in for the carriers, the sandbox."""
    celery = ["-m", "celery", "-A", "workers.app", "--quiet"]
    commands = {
        "web": [
            "-m", "uvicorn", "outreach.web.app:create", "--factory", "--host", settings.host,
            "--port", str(settings.port), "--no-access-log", "--log-level", "warning",
            "--timeout-graceful-shutdown", "4", "--forwarded-allow-ips", settings.trusted_proxies,
        ],
        "worker": [
            *celery, "worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "WARNING",
            "--without-gossip", "--without-mingle",
        ],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile=", "--schedule", str(settings.var / "beat")],
    }  # fmt: skip
    if settings.sandbox:
        commands["sandbox"] = ["-m", "outreach.sandbox"]
    return [
        Child(name, [sys.executable, *arguments], environment, ROOT, settings.var.absolute() / "log" / f"{name}.log")
        for name, arguments in commands.items()
    ]


def child_environment(settings: Settings, database: str, broker: str) -> dict[str, str]:
    """What children read: everything decided once, here, so that all of them agree."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
        "OUTREACH_DATABASE_URL": database,
        "OUTREACH_REDIS_URL": broker,
        "OUTREACH_VAR": str(settings.var.absolute()),
        "OUTREACH_PORT": str(settings.port),
        "OUTREACH_PUBLIC_URL": settings.public_url,
        "OUTREACH_SANDBOX": str(settings.sandbox).lower(),
        "OUTREACH_DEMO": str(settings.demo).lower(),
    }
    if settings.sandbox:
        environment |= _sandbox_environment(settings)
    return environment


def _sandbox_environment(settings: Settings) -> dict[str, str]:
    """The carriers' settings point at the sandbox; its account is ours alone, and the same at every start."""
    secret = hmac.new(master_key(settings), b"outreach/sandbox account", hashlib.sha256).hexdigest()
    sid, token = "AC" + secret[:32], secret[32:]
    http_port, smtp_port = str(settings.sandbox_http_port), str(settings.sandbox_smtp_port)
    return {
        "OUTREACH_TWILIO_ACCOUNT_SID": sid,
        "OUTREACH_TWILIO_AUTH_TOKEN": token,
        "OUTREACH_TWILIO_BASE_URL": f"http://127.0.0.1:{http_port}",
        "OUTREACH_SMTP_HOST": "127.0.0.1",
        "OUTREACH_SMTP_PORT": smtp_port,
        "OUTREACH_SMTP_SECURITY": "none",
        "OUTREACH_SANDBOX_HTTP_PORT": http_port,
        "OUTREACH_SANDBOX_SMTP_PORT": smtp_port,
        "OUTREACH_SANDBOX_ACCOUNT_SID": sid,
        "OUTREACH_SANDBOX_AUTH_TOKEN": token,
        "OUTREACH_SANDBOX_INBOUND_URL": f"{settings.public_url}/hooks/twilio/inbound",
        "OUTREACH_SANDBOX_SHELF": str(settings.var.absolute() / "sandbox.json"),
    }


@contextlib.contextmanager
def _signals_end_it() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal all mean: stop everything, and that is a success."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    with contextlib.suppress(KeyboardInterrupt):
        yield
    say("stopped")
