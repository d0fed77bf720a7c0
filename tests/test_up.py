"""`outreach up` as a person starts it: a process of its own, real children, real signals."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from sqlalchemy.engine import make_url

from outreach.cli.checks import check_database, check_redis, only_one, refuse_taken_ports
from outreach.cli.supervise import Child, Supervisor
from outreach.data_folder import make_var, master_key
from outreach.embedded import Engines
from outreach.errors import BadInput, OutreachError
from outreach.settings import ROOT, Settings, load_settings


class Run:
    """A running `outreach up` and the lines it printed."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        environment = {"PATH": os.environ["PATH"], "OUTREACH_VAR": str(var), "OUTREACH_PORT": str(port)}  # no HOME
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outreach", "up"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line.rstrip("\n"))
        self._lines.put("<end>")

    def wait_for(self, wanted: str, seconds: float = 90) -> str:
        """The next line that contains `wanted`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"never said {wanted!r}; said: {self.said}")
            self.said.append(line)
            if wanted in line:
                return line
            if line == "<end>":
                pytest.fail(f"ended without {wanted!r}; said: {self.said}")

    def family(self) -> dict[str, psutil.Process]:
        """Children by what they run."""
        words = {"uvicorn": "web", "worker": "worker", "beat": "beat", "outreach.sandbox": "sandbox"}
        found = {}
        for process in psutil.Process(self.process.pid).children():
            command = process.cmdline()
            found |= {name: process for word, name in words.items() if word in command}
        return found

    def end(self, how: signal.Signals) -> float:
        """Signal it, wait for its end; the seconds that took."""
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(20)
        self._reader.join(10)
        return time.monotonic() - began


def _of(var: Path) -> set[psutil.Process]:
    """Every process that belongs to a data folder, by its command, its environment or the engines' record."""
    record = var / "engines.json"
    engines = json.loads(record.read_text()) if record.exists() else {}
    pids = {mine.get("pid") for mine in engines.values() if isinstance(mine, dict)}
    return {process for process in psutil.process_iter() if process.pid in pids or _names(process, var)} & _living()


def _names(process: psutil.Process, var: Path) -> bool:
    try:
        return str(var) in process.cmdline() or process.environ().get("OUTREACH_VAR") == str(var)
    except psutil.Error:
        return False


def _living() -> set[psutil.Process]:
    return {one for one in psutil.process_iter(["status"]) if one.info["status"] != psutil.STATUS_ZOMBIE}


def _eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Run]]:
    """Starts `outreach up` on one data folder (closed to others when we are root) and one set of ports."""
    var, port = tmp_path_factory.mktemp("up") / "var", _three_free_ports()
    runs: list[Run] = []

    def begin() -> Run:
        runs.append(Run(var, port))
        return runs[-1]

    yield begin
    for run in runs:
        run.end(signal.SIGKILL)
    for process in _of(var):
        process.kill()
    Engines.discard(var)


def _three_free_ports() -> int:
    for base in range(21_000 + os.getpid() % 1000 * 3, 30_000, 3):
        try:
            for port in range(base, base + 3):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return base
    pytest.fail("no free ports")


ALL = {"web", "worker", "beat", "sandbox"}


def test_a_first_day_from_start_to_ctrl_c(start: Callable[[], Run]) -> None:
    run = start()
    run.wait_for(f"ready http://127.0.0.1:{run.port}")
    with urlopen(f"http://127.0.0.1:{run.port}/healthz") as answer:
        assert answer.status == 200
    assert set(run.family()) == ALL

    for name, process in run.family().items():
        process.kill()
        assert "signal 9" in run.wait_for(f"{name} stopped")
    assert _eventually(lambda: set(run.family()) == ALL), "all are back"
    for name in ("valkey", "postgres"):
        psutil.Process(json.loads((run.var / "engines.json").read_text())[name]["pid"]).kill()
        run.wait_for(f"{name} had stopped; it runs again")

    second = start()
    # Of the three, the one whose child is back first: what was killed above may just be starting again.
    assert re.search(rf"port ({run.port}|{run.port + 1}|{run.port + 2}) ", second.wait_for("error: "))
    assert second.process.wait(10) == 1

    everybody = _of(run.var)
    assert len(everybody) >= 1 + len(ALL) + 3, "supervisor, children, two engines and their guard"
    assert run.end(signal.SIGINT) < 10
    assert run.process.returncode == 0
    assert _eventually(lambda: not (everybody | _of(run.var)) & _living()), "somebody was left behind"


def test_a_killed_supervisor_leaves_nobody_behind(start: Callable[[], Run]) -> None:
    run = start()
    run.wait_for("ready ")
    everybody = _of(run.var)
    run.end(signal.SIGKILL)
    assert _eventually(lambda: not (everybody | _of(run.var)) & _living()), "somebody was left behind"


def test_a_start_can_be_broken_off(start: Callable[[], Run]) -> None:
    run = start()
    assert _eventually((run.var / "engines.users").exists)
    assert run.end(signal.SIGTERM) < 10
    assert run.process.returncode == 0
    assert _eventually(lambda: not _of(run.var)), "somebody was left behind"


@pytest.mark.parametrize("offset", [0, 1, 2], ids=["web", "sandbox http", "sandbox smtp"])
def test_a_taken_port_is_named_before_anything_starts(offset: int) -> None:
    base = _three_free_ports()
    with socket.create_server(("127.0.0.1", base + offset)):
        with pytest.raises(OutreachError, match=rf"port {base + offset} .*OUTREACH_PORT="):
            refuse_taken_ports(Settings(port=base))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("mysql://a:hunter2@b/c", "PostgreSQL is the one database", id="another database"),
        pytest.param("postgresql://a:hunt@er2@b/c", "%40", id="unescaped password"),
        pytest.param("postgresql://a:hunter2@b:abc/c", "a port that is no number", id="no port"),
        pytest.param("postgresql://a:hunter2@b/c", "OUTREACH_REDIS_URL is missing", id="only one of two"),
    ],
)
def test_a_wrong_url_is_explained_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    monkeypatch.setenv("OUTREACH_DATABASE_URL", url)
    with pytest.raises(BadInput) as refused:
        load_settings()
    assert said in str(refused.value)
    assert "hunt" not in str(refused.value)


def test_a_database_that_does_not_answer_is_named_without_its_password(engines: Engines) -> None:
    port = _three_free_ports()
    with pytest.raises(OutreachError, match=f"127.0.0.1:{port} .*OUTREACH_DATABASE_URL") as refused:
        check_database(f"postgresql+psycopg://me:hunter2@127.0.0.1:{port}/outreach")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(OutreachError, match="password authentication failed"):
        check_database(engines.database_url.replace("outreach:", "outreach:hunter2"))
    host = make_url(engines.database_url)
    same = host.set(password="outreach").render_as_string(hide_password=False)
    with pytest.raises(OutreachError, match='password authentication failed for user "…"'):
        check_database(same)
    with pytest.raises(OutreachError, match="OUTREACH_REDIS_URL") as refused:
        check_redis(f"redis://:hunter2@127.0.0.1:{port}/0")
    assert "hunter2" not in str(refused.value)


def test_a_child_that_keeps_dying_waits_longer_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = Child(
        "web", [sys.executable, "-c", "raise SystemExit('no such thing')"], {}, tmp_path, tmp_path / "web.log"
    )
    supervisor = Supervisor([child])
    supervisor.start()
    with pytest.raises(OutreachError, match="no such thing"):
        supervisor.until(lambda: False, 30)
    supervisor.stop()
    said = capsys.readouterr().out
    assert [pause in said for pause in ("in 0.5 s", "in 1 s", "in 2 s")] == [True] * 3


def test_a_child_that_dies_as_soon_as_it_runs_is_never_said_to_be_ready(tmp_path: Path) -> None:
    begins = "import time; time.sleep(0.3); raise SystemExit('cannot go on')"
    well = Child("web", [sys.executable, "-c", "import time; time.sleep(60)"], {}, tmp_path, tmp_path / "web.log")
    supervisor = Supervisor([well, Child("beat", [sys.executable, "-c", begins], {}, tmp_path, tmp_path / "beat.log")])
    supervisor.start()
    answered = iter([False] * 20)  # as long as the web takes to answer, the other has died once
    try:
        with pytest.raises(OutreachError, match="beat does not start"):
            supervisor.until(lambda: next(answered, True), 60)
    finally:
        supervisor.stop()


def test_a_data_folder_that_cannot_be_had_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"cannot be written \(Not a directory\)\. .*OUTREACH_VAR"):
        make_var(tmp_path / "file" / "var")


def test_the_data_folder_is_one_place_wherever_a_child_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTREACH_VAR", "data")
    assert load_settings().var == tmp_path / "data"


def test_a_wrong_port_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_PORT", "99999")
    with pytest.raises(BadInput) as refused:
        load_settings()
    assert str(refused.value).splitlines() == ["OUTREACH_PORT: Input should be less than or equal to 65533"]


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path / "var")
    assert master_key(settings) == master_key(settings)
    assert len(master_key(settings)) == 32
    assert (tmp_path / "var" / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="openssl rand -base64 32"):
        master_key(Settings(key="short"))


def test_a_second_run_in_the_same_folder_is_refused_by_name(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, port=18123)
    with only_one(settings):
        with pytest.raises(OutreachError, match=r"already runs on .* \(port 18123, pid [0-9]+\)"), only_one(settings):
            pass
    with only_one(settings):
        pass
