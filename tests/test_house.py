"""The house tests itself: what README, CONTRIBUTING and the floors promise is so on the disk."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from outreach.content.compose import Values, Words
from outreach.content.sequences import load as load_sequence
from outreach.domain.channel import SPECS, Channel
from outreach.domain.status import ENDS, RANK, Status
from outreach.errors import Reason
from outreach.settings import ROOT
from tests import shipped
from workers import tasks
from workers.app import app

PACKAGES = ("outreach", "workers")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MIGRATIONS = ROOT / "outreach" / "store" / "migrations"
OURS = [path for path in MODULES if MIGRATIONS not in path.parents]
SEQUENCES = [load_sequence(path) for path in sorted((ROOT / "config" / "sequences").glob("*.yaml"))]
STEPS = [(sequence.name, step) for sequence in SEQUENCES for step in sequence.steps]

MOST_LINES = 260
USUAL = "outreach/bench/usual.py"
"""Imports Celery although only workers may: it is the usual design, a task per message, kept to be measured against."""
MANUAL: frozenset[str] = frozenset()
"""Tasks that nobody schedules because a person starts them."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """What git knows, or would take if asked; without git, everything that is not made on this machine."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    made = {".venv", "var", "__pycache__", ".git"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.relative_to(ROOT).parts)]


def texts(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture


# The tree


def drawn() -> set[str]:
    """The modules README draws: `name/` opens a room, other lines name modules of the room they are indented under."""
    block = re.search(r"## Where things stand\n+```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block, "README.md has no tree under '## Where things stand'"
    found: set[str] = set()
    rooms: list[tuple[int, str]] = []
    for line in block[1].splitlines():
        depth = len(line) - len(line.lstrip())
        rooms = [room for room in rooms if room[0] < depth]
        folder = "".join(room for _, room in rooms)
        first = line.split()[0]
        if first.endswith("/"):
            rooms.append((depth, first))
            found.add(folder + first)
        else:
            found.update(f"{folder}{word}.py" for word in line.split())
    return found


def test_the_readme_draws_the_tree_as_it_is_on_disk() -> None:
    modules = {name_of(path) for path in OURS if not path.name.startswith("_")}
    rooms = {name_of(path.parent) + "/" for path in OURS} | {"outreach/store/migrations/"}
    around = {f"{folder}/" for folder in ("templates", "locales", "config", "tests", "docs")}
    on_disk = modules | rooms | around
    assert sorted(drawn() - on_disk) == [], "drawn in README, absent on disk"
    assert sorted(on_disk - drawn()) == [], "on disk, not drawn in README"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{name_of(page)} links to {target}, which is not there"


def test_every_setting_the_readme_names_exists() -> None:
    source = (ROOT / "outreach" / "settings.py").read_text("utf-8")
    for variable in re.findall(r"OUTREACH_([A-Z_]+[A-Z])", (ROOT / "README.md").read_text("utf-8")):
        assert re.search(rf"^    {variable.lower()}: ", source, re.MULTILINE), f"OUTREACH_{variable} is no setting"


# The code


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_a_module_says_what_lives_in_it() -> None:
    assert [name_of(path) for path in MODULES if not ast.get_docstring(parsed(path))] == [], "no docstring"


def test_a_module_stays_small() -> None:
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in OURS}
    assert {name: most for name, most in lines.items() if most > MOST_LINES} == {}, f"{MOST_LINES} lines are the most"


def test_a_module_is_named_by_what_it_is() -> None:
    vague = {"util", "utils", "helper", "helpers", "manager", "service", "services", "handler", "handlers", "common"}
    named = {name_of(path): set(path.stem.split("_")) for path in OURS}
    assert [name for name, words in named.items() if words & vague] == []


COMMITTING = {"rows", "reach"}
"""How the pump's desks, which are given the session maker, commit what still waits with its last statement; and how a
connection is undone for whoever ends a transaction."""


@pytest.mark.parametrize("room", ["store", "actions"])
def test_only_entrances_commit(room: str) -> None:
    calls = [
        f"{name_of(path)}:{node.lineno}"
        for path in (ROOT / "outreach" / room).glob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"} and path.stem not in COMMITTING
    ]
    assert calls == []


@cache
def imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def importers(of: str, among: str) -> list[str]:
    return [
        name_of(path)
        for path in OURS
        if name_of(path).startswith(among) and any(name == of or name.startswith(f"{of}.") for name in imports(path))
    ]


BEYOND = [
    *[("outreach/domain/", f"outreach.{room}") for room in ("content", "providers", "store", "actions", "settings")],
    *[("outreach/content/", f"outreach.{room}") for room in ("providers", "store", "actions", "settings")],
    *[("outreach/providers/", f"outreach.{room}") for room in ("content", "store", "actions", "settings")],
    *[("outreach/store/", f"outreach.{room}") for room in ("content", "providers", "actions", "settings")],
    *[("outreach/actions/", f"outreach.{room}") for room in ("web", "cli", "sandbox", "wiring", "settings")],
    *[("outreach/sandbox/", f"outreach.{room}") for room in ("store", "actions", "content", "providers", "settings")],
]  # fmt: skip


def test_only_workers_import_celery_and_what_they_are_measured_against() -> None:
    assert importers("celery", "outreach/") == [USUAL]


@pytest.mark.parametrize(("room", "forbidden"), BEYOND, ids=[f"{room}-{name}" for room, name in BEYOND])
def test_floors_hold(room: str, forbidden: str) -> None:
    """The direct imports alone; `make check` follows the indirect ones."""
    assert importers(forbidden, room) == []


def test_the_floors_are_contracts_of_the_build_as_well() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert {contract["type"] for contract in contracts} == {"layers", "forbidden"}


def test_every_task_is_scheduled_or_marked_manual() -> None:
    declared = {name for name in app.tasks if name.startswith(tasks.__name__)}
    assert declared
    assert declared == {entry["task"] for entry in app.conf.beat_schedule.values()} | MANUAL


def test_every_wake_up_expires_and_carries_nothing() -> None:
    for name, entry in app.conf.beat_schedule.items():
        assert entry["options"]["expires"] > 0, f"{name}: without `expires` wake-ups pile up while workers are down"
        assert not entry.get("args"), f"{name}: patient data has no business in the broker"
        assert not entry.get("kwargs"), f"{name}: patient data has no business in the broker"


def test_every_status_has_its_rank() -> None:
    assert set(RANK) == set(Status)
    assert {status.value for status in ENDS} == {
        "delivered", "undelivered", "failed", "suppressed", "cancelled", "expired",
    }  # fmt: skip


@pytest.mark.xdist_group("house")
def test_a_group_of_tests_stays_in_one_process(request: pytest.FixtureRequest) -> None:
    """Where groups count at all (`make test`): pytest-xdist tells them by the end of a test's name."""
    assert request.node.nodeid.endswith("@house") == bool(request.config.getoption("loadgroup", False))


# The words


def said_in_console(table: str) -> set[str]:
    source = (ROOT / "templates" / "console" / "words.html").read_text("utf-8")
    block = re.search(rf"{{% set {table} = {{\n(.*?)\n}} %}}", source, re.DOTALL)
    assert block, f"templates/console/words.html has no {table}"
    return set(re.findall(r'"([^"]+)":', block[1]))


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("STATUSES", {status.value for status in Status}),
        ("REASONS", {reason.value for reason in Reason}),
        ("STEPS", {step.key for _, step in STEPS}),
    ],
    ids=["statuses", "reasons", "steps"],
)
def test_what_is_stored_has_plain_words_for_staff(table: str, values: set[str]) -> None:
    assert sorted(values - said_in_console(table)) == []


@pytest.mark.parametrize("step", [pytest.param(step, id=f"{name}-{step.key}") for name, step in STEPS])
def test_a_step_has_the_parts_its_channels_need(step: object) -> None:
    key, channels = step.key, step.channels  # type: ignore[attr-defined]
    folder = ROOT / "templates" / "messages" / key
    missing = [part for channel in channels for part in SPECS[channel].parts if not (folder / part).is_file()]
    assert missing == [], f"templates/messages/{key} lacks parts"


def test_every_message_belongs_to_a_step() -> None:
    folders = {path.name for path in (ROOT / "templates" / "messages").iterdir()} - {"neutral", "page", "canned"}
    assert sorted(folders - {step.key for _, step in STEPS}) == []


@pytest.fixture(scope="module")
def words() -> Words:
    return shipped.words()


VALUES = Values(
    clinic="Sample Clinic", clinic_phone="+12025550143", zone="America/New_York", clinic_address="1 Sample Street",
    emergency="911", visit_start=datetime(2026, 11, 28, 15, tzinfo=UTC), visit_minutes=60, visit_uid="1@example.org",
    old_start=datetime(2026, 11, 27, 15, tzinfo=UTC), next_visit=datetime(2026, 12, 2, 15, tzinfo=UTC),
    link="https://example.org/p/0123456789abcdefghijkl", unsubscribe="https://example.org/u/0123456789abcdefghijkl",
    text="Please come a little earlier.",
)  # fmt: skip


def test_at_least_three_languages_are_offered(words: Words) -> None:
    assert {"en", "es", "ar"} <= set(words.locales)


@pytest.mark.parametrize("wording", ["full", "neutral"])
@pytest.mark.parametrize("step", [pytest.param(step, id=f"{name}-{step.key}") for name, step in STEPS])
def test_every_message_can_be_said_in_every_language(words: Words, step: object, wording: str) -> None:
    for locale in words.locales:
        for channel in step.channels:  # type: ignore[attr-defined]
            now = VALUES.visit_start - timedelta(days=3) if VALUES.visit_start else None
            content = words.compose(step.key, channel, locale, wording, VALUES, now=now)  # type: ignore[attr-defined, arg-type]
            assert content.text.strip()
            assert not re.search(r"\{\{|%\(|\bNone\b|Undefined", content.text)
            if channel is Channel.SMS:
                assert 1 <= content.segments <= 3


# What must not get in


def nines(text: str) -> set[tuple[str, ...]]:
    found = re.findall(r"[^\W_]+", text.lower())
    return {tuple(found[at : at + 9]) for at in range(len(found) - 8)}


def test_no_sentence_was_copied_from_the_source_documents(shared: Callable[[str], Path]) -> None:
    sources = sorted(shared("seeds").glob("*.txt"))
    assert sources
    theirs = set().union(*(nines(path.read_text("utf-8", errors="replace")) for path in sources))
    rooms = ("templates/", "locales/", "config/", "outreach/", "docs/", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
    ours = [path for path in tracked() if name_of(path).startswith(rooms)]
    copied = {name_of(path): " ".join(sorted(both)[0]) for path, text in texts(ours) if (both := nines(text) & theirs)}
    assert copied == {}


def test_no_address_of_a_registry_or_a_machine_is_kept() -> None:
    """Whatever index or folder somebody works with is theirs; put together here so that this file does not match."""
    addresses = ("--index-" + "url", "--extra-index-" + "url", "py" + "thonhosted", "py" + "pi.org", "artifact" + "ory")
    homes = ("root", "work", "mnt", "workspace", "home/[a-z]+", "Users/[A-Za-z]+")
    unfit = re.compile("|".join(addresses) + r"|(?<![^\s\"'`(=:])/(?:" + "|".join(homes) + r")/[a-z.]", re.IGNORECASE)
    found = [
        f"{name_of(path)}:{text.count(chr(10), 0, match.start()) + 1}"
        for path, text in texts(tracked())
        for match in unfit.finditer(text)
    ]
    assert found == []
