"""How one engine is started, asked whether it is ready, and ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg

from outreach.errors import OutreachError
from outreach.lodging import Lodging

PATIENCE = 30.0
"""Seconds an engine may take to answer: a loaded machine replaying its log after a crash is slow."""
LOG_LIMIT = 5_000_000
_LIGHT = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "jit": "off",
}
"""A cluster that dies with its tests: a killed PostgreSQL still loses no commit, only a dead machine does."""
_ours: list[subprocess.Popen[bytes]] = []
"""What this process started: kept so that a dead one is reaped, and a living one outlives its Engines."""


def start_postgres(lodging: Lodging, port: int, password: str, durable: bool) -> subprocess.Popen[bytes]:
    """PostgreSQL on loopback TCP with a password; the database `outreach` is there when this returns."""
    data = lodging.home / "postgres"
    if not data.exists():
        _initialise(lodging, data, password)
    _forget_stale_pid(data)
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",  # a socket's path may have 107 bytes, ours may be longer
        "timezone": "UTC",
        "log_timezone": "UTC",
        **({} if durable else _LIGHT),
        "log_min_error_statement": "panic",  # a failing statement holds what people wrote
        "log_error_verbosity": "terse",  # and so does its DETAIL line
    }
    command = [str(lodging.postgres / "postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]

    def ready(pid: int) -> bool:
        with contextlib.suppress(OSError):
            lines = (data / "postmaster.pid").read_text().split("\n")
            return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"
        return False

    process = _launch("PostgreSQL", lodging.home / "postgres.log", lodging, command, ready)
    _make_database(port, password)
    return process


def start_valkey(lodging: Lodging, port: int, password: str, durable: bool) -> subprocess.Popen[bytes]:
    """Valkey on loopback with a password and no file: it only carries wake-ups. Its settings never show in `ps`."""
    del durable
    settings = f"""bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
databases 128
maxmemory-policy noeviction
loglevel warning
"""

    def ready(_pid: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while len(answer) < 12 and (more := connection.recv(64)):
                answer += more
            return answer.startswith(b"+OK\r\n+PONG")
        return False

    return _launch("Valkey", lodging.home / "valkey.log", lodging, [str(lodging.valkey), "-"], ready, settings)


def free_port(wanted: int | None) -> int:
    """`wanted` when it can be had, else any that is free now."""
    for port in ([wanted] if wanted else []) + [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found: int = probe.getsockname()[1]
                return found
    raise OutreachError("no free port on 127.0.0.1")


def keep(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Remember a child so that it is reaped when it dies, and left alone when it lives on."""
    _ours.append(process)
    return process


def identity_of(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """A process as it is recorded: its number alone may belong to another one tomorrow."""
    return {"pid": process.pid, "born": psutil.Process(process.pid).create_time()}


def alive(mine: dict[str, Any]) -> bool:
    """Whether the recorded process still runs."""
    return _found(mine) is not None


def end(mine: dict[str, Any] | None, how: signal.Signals, seconds: float) -> None:
    """Signal the recorded process and wait; what does not go in time is killed. With 0 seconds: only signal."""
    process = _found(mine or {})
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(how)
        if seconds and not _gone(mine or {}, seconds):
            process.kill()
            _gone(mine or {}, 2)


def _gone(mine: dict[str, Any], seconds: float) -> bool:
    """Whether it went in time. A zombie has gone: it only waits for a parent that may be another process than we."""
    deadline = time.monotonic() + seconds
    while _found(mine) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _found(mine: dict[str, Any]) -> psutil.Process | None:
    _reap()
    with contextlib.suppress(psutil.NoSuchProcess, KeyError):
        process = psutil.Process(mine["pid"])
        if abs(process.create_time() - mine["born"]) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _reap() -> None:
    _ours[:] = [process for process in _ours if process.poll() is None]


def _launch(
    name: str, log: Path, lodging: Lodging, command: list[str], ready: Callable[[int], bool], text: str = ""
) -> subprocess.Popen[bytes]:
    """Start, and wait until it is ready; a crashed forerunner's shared memory may need a moment to go."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with _log(log) as output:
            process = subprocess.Popen(
                command, cwd=lodging.home, env=_environment(), start_new_session=True,
                stdin=subprocess.PIPE, stdout=output, stderr=output, **lodging.identity,
            )  # fmt: skip
        keep(process)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as channel:
            channel.write(text.encode())
        try:
            while process.poll() is None and time.monotonic() < deadline:
                if ready(process.pid):
                    return process
                time.sleep(0.02)
        except BaseException:  # Ctrl-C at this moment: nobody else knows of it yet
            _kill(process)
            raise
        if time.monotonic() >= deadline:
            _kill(process)
            raise OutreachError(f"{name} did not start within {PATIENCE:.0f} s; its last words in {log}:\n{_tail(log)}")
        deadline = min(deadline, time.monotonic() + 10)
        time.sleep(0.3)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _initialise(lodging: Lodging, data: Path, password: str) -> None:
    """initdb, beside its place and then moved: an interrupted first run leaves no half-made cluster."""
    part = data.with_name("postgres.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    lodging.give(part)
    secret = data.with_name("password")
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    lodging.give(secret)
    try:
        made = subprocess.run(
            [
                str(lodging.postgres / "initdb"), f"--pgdata={part}", "--username=outreach", f"--pwfile={secret}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--no-instructions",
            ],
            cwd=lodging.home, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", check=False, **lodging.identity,
        )  # fmt: skip
    finally:
        secret.unlink()
    if made.returncode != 0:
        raise OutreachError(f"PostgreSQL could not make its data folder {data}:\n{made.stderr.strip()}")
    part.rename(data)


def _make_database(port: int, password: str) -> None:
    with psycopg.connect(
        host="127.0.0.1", port=port, user="outreach", password=password, dbname="postgres", autocommit=True
    ) as connection:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            connection.execute("CREATE DATABASE outreach")


def _forget_stale_pid(data: Path) -> None:
    """After kill -9 or a power cut the file may name a process that is somebody else's by now."""
    path = data / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        owner = psutil.Process(int(path.read_text().split("\n")[0]))
        if not owner.name().startswith("postgres"):
            path.unlink()


def _environment() -> dict[str, str]:
    """Nothing of ours: PGPORT, PGDATA, a locale or a proxy of the caller must not matter."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.unlink()
    return path.open("ab")


def _tail(path: Path) -> str:
    return "\n".join(path.read_text("utf-8", "replace").splitlines()[-5:])
