"""The files for a clinic's server: parsed, and their commands run outside Docker."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from typing import Any

import psycopg
import pytest
import yaml

from outreach.settings import ROOT, Settings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "outreach"]


def _instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.strip() for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


def _all(word: str) -> list[str]:
    return [rest for name, rest in _instructions() if name == word]


def _default_command() -> list[str]:
    """As the shell makes it of what the image says, with the proxies that the image itself believes."""
    shell, flag, line = json.loads(_all("CMD")[-1])
    assert (shell, flag) == ("sh", "-c")
    started, *command = shlex.split(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", line))
    assert started == "exec", "a shell that stays in between keeps the signals to itself"
    return command


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the image, here."""
    assert command[0] == "python"
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *command[1:]],
        cwd="/",
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_dockerfile_says_only_what_docker_knows() -> None:
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {name for name, _rest in _instructions()} <= known
    assert _instructions()[0] == ("FROM", "python:3.13-slim")


def test_the_image_installs_by_hash_and_runs_without_rights() -> None:
    installs = [command for command in _all("RUN") if "pip install" in command]
    assert len(installs) == 1
    assert "--require-hashes -r requirements.txt" in installs[0]
    names = [name for name, _rest in _instructions()]
    assert _all("USER") == ["outreach"]
    assert names.index("USER") < names.index("CMD"), "the account is set before anything runs"
    assert "RUN" not in names[names.index("USER") :]


def test_everything_copied_into_the_image_exists_and_nothing_secret_is() -> None:
    sources = [word for rest in _all("COPY") for word in shlex.split(rest)[:-1]]
    assert all((ROOT / source).exists() for source in sources), sources
    assert not {"var", ".", ".git"} & set(sources)
    assert "var" in (ROOT / ".dockerignore").read_text().split()


def test_the_server_has_the_rooms_it_needs() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "web", "worker", "beat"}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in {"migrate", "web"}])
def test_what_runs_for_long_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_the_web_has_the_health_check_of_the_image() -> None:
    assert "healthcheck" not in SERVICES["web"]
    check = _all("HEALTHCHECK")[0].partition("CMD ")[2]
    program = json.loads(check)
    assert program[:2] == ["python", "-c"]
    compile(program[2], "healthcheck", "exec")
    assert "/healthz" in program[2]


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name, rest in re.findall(r"\$\{(\w+)([^}]*)\}", text):
        secret = any(word in name for word in ("PASSWORD", "TOKEN", "KEY", "SID"))
        assert rest.startswith(":?set " if secret else (":?set ", ":-")), name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if any(word in name for word in ("PASSWORD", "TOKEN", "KEY", "AUTH", "_URL")):
                assert "${" in value, name


def test_every_variable_is_one_that_settings_know() -> None:
    for name in OURS:
        for variable in SERVICES[name]["environment"]:
            assert variable.removeprefix("OUTREACH_").lower() in Settings.model_fields, variable


def test_nothing_but_the_web_is_reachable_and_that_from_the_machine_alone() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(_default_command(), id="web"),
        pytest.param(SERVICES["worker"]["command"], id="worker"),
        pytest.param(SERVICES["worker"]["healthcheck"]["test"][1:], id="worker's health"),
        pytest.param(SERVICES["beat"]["command"], id="beat"),
    ],
)
def test_a_command_names_only_options_that_exist(command: list[str]) -> None:
    asked = _run([*command, "--help"])
    assert asked.returncode == 0, asked.stderr
    assert "Usage:" in asked.stdout


def test_the_commands_name_things_that_can_be_imported() -> None:
    module, _, name = _default_command()[3].partition(":")
    assert callable(getattr(import_module(module), name))
    assert import_module("workers.app").app.main == "outreach"


def test_migrate_migrates_and_a_second_time_changes_nothing(bare_database_url: str, redis_url: str) -> None:
    plain = bare_database_url.replace("+psycopg", "")
    for _time in range(2):
        done = _run(SERVICES["migrate"]["command"], OUTREACH_DATABASE_URL=plain, OUTREACH_REDIS_URL=redis_url)
        assert done.returncode == 0, done.stderr
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT count(*) FROM clinic").fetchone() == (0,)


def test_a_server_without_its_database_says_so_in_a_sentence() -> None:
    done = _run(
        SERVICES["migrate"]["command"],
        OUTREACH_DATABASE_URL="postgresql://outreach:hunter2@127.0.0.1:9/outreach",
        OUTREACH_REDIS_URL="redis://127.0.0.1:9/0",
    )
    assert done.returncode == 1
    assert "error: PostgreSQL at 127.0.0.1:9 does not let us in" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_valkey_gets_its_password_by_standard_input() -> None:
    shell, option, script = SERVICES["valkey"]["command"]
    shown = script.replace("$$", "$").replace("exec valkey-server -", "cat")
    said = subprocess.run(
        [shell, option, shown], env={"REDISCLI_AUTH": "s3cret"}, capture_output=True, text=True, check=True
    )
    assert said.stdout == 'requirepass s3cret\nsave ""\nappendonly no\n'


def test_the_locks_pin_by_hash_and_name_no_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert not re.search(r"^--", text, re.MULTILINE)
        pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
        asked = (ROOT / name.replace(".txt", ".in")).read_text()
        for line in re.findall(r"^[a-z][\w.-]*", asked, re.MULTILINE):
            assert re.search(rf"^{re.escape(line.replace('.', '-'))}(\[|==)", text, re.MULTILINE), line


def test_continuous_integration_runs_both_checks() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert "make test" in script
    assert "make check" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
