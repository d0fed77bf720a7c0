"""Words exchanged while others speak: wholly the new or wholly the old ones, and the old ones while files are wrong."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from outreach.content import catalogs
from outreach.content.compose import Values, Words
from outreach.content.lexicon import Lexicon
from outreach.domain.channel import Channel
from outreach.settings import ROOT
from tests import shipped

ES = "locales/es/LC_MESSAGES/messages.po"
KEY = "pre.tomorrow"
VALUES = Values(
    "Fern Street Clinic", "+12025550199", "America/Chicago", "12 Fern Street", emergency="911",
    visit_start=datetime(2026, 12, 8, 9, 30, tzinfo=ZoneInfo("America/Chicago")),
)  # fmt: skip
SAID = 'msgstr "%(clinic)s: Su infusión es mañana'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """English, Spanish and Arabic of ours, to be spoilt."""
    for folder in ("messages", "layouts"):
        shutil.copytree(ROOT / "templates" / folder, tmp_path / "templates" / folder)
    for locale in ("es", "ar"):
        shutil.copytree(ROOT / "locales" / locale, tmp_path / "locales" / locale)
    rows = (ROOT / "config" / "languages.yaml").read_text("utf-8").split("\n")
    wanted, keeping = [], False
    for row in rows:
        if row[:1].strip():
            keeping = row.split(":")[0] in ("en", "es", "ar")
        if keeping:
            wanted.append(row)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "languages.yaml").write_text("\n".join(wanted) + "\n", "utf-8")
    return tmp_path


def sms(words: Words, locale: str = "es") -> str:
    return words.compose(KEY, Channel.SMS, locale, "full", VALUES).text


def edit(root: Path, old: str, new: str, path: str = ES) -> None:
    """As the workbench saves: written beside it, then put in its place."""
    file = root / path
    text = file.read_text("utf-8")
    assert old in text
    beside = file.with_suffix(".new")
    beside.write_text(text.replace(old, new), "utf-8")
    beside.replace(file)


def told(lexicon: Lexicon) -> str:
    return str(lexicon.trouble or "")


def look(lexicon: Lexicon) -> bool:
    """Two looks: a change counts once the second found it the same."""
    assert not lexicon.refresh()
    return lexicon.refresh()


def test_a_save_is_seen_at_the_second_look_and_only_its_language_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lexicon = Lexicon.load(root)
    before, was = lexicon.words, sms(lexicon.words)
    sms(before, "ar")
    assert not look(lexicon)  # nothing has changed
    edit(root, SAID, 'msgstr "%(clinic)s: Le esperamos, su infusión es mañana')
    read: list[Path] = []
    load = catalogs.load

    def noted(path: Path, *rest: Any) -> catalogs.Catalog:
        read.append(path)
        return load(path, *rest)

    monkeypatch.setattr(catalogs, "load", noted)
    assert look(lexicon)
    assert read == [root / ES]
    assert "Le esperamos" in sms(lexicon.words)
    assert sms(before) == was, "a snapshot that somebody holds stays what it was"
    assert lexicon.words.voices["ar"] is before.voices["ar"], "with the templates compiled for it"
    assert lexicon.words.voices["en"] is before.voices["en"]
    assert not look(lexicon)


def test_templates_and_the_language_table_are_seen_too(root: Path) -> None:
    lexicon = Lexicon.load(root)
    edit(root, "Questions, or late?", "Questions?", "templates/messages/pre.tomorrow/sms.txt")
    assert look(lexicon)
    assert "Questions? Call" in sms(lexicon.words, "en")
    assert "pre.tomorrow.sms" in lexicon.words.missing("es"), "its English has changed since"
    edit(root, "own_name: Español", "own_name: Castellano", "config/languages.yaml")
    assert look(lexicon)
    assert lexicon.words.language("es").own_name == "Castellano"


def cut_after(text: str) -> Callable[[Path], object]:
    def spoil(file: Path) -> None:
        said = file.read_bytes()
        file.write_bytes(said[: said.index(text.encode())])

    return spoil


def instead(old: str, new: str) -> Callable[[Path], object]:
    return lambda file: file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")


WRONG: list[tuple[str, str, Callable[[Path], object], str]] = [
    ("a placeholder is gone", ES, instead(SAID, 'msgstr "Su infusión es mañana'), r":\d+: pre.tomorrow.sms: .*clinic"),
    ("cut within a line", ES, cut_after("Su infusión es mañana, %(time)s, %(day)s."), "quotation marks"),
    ("cut within an entry", ES, cut_after(SAID), "breaks off in the middle"),
    ("cut between entries", ES, cut_after("#: messages/pre.tomorrow/sms.txt"), "pre.tomorrow.sms; .*cut short"),
    ("empty", ES, lambda file: file.write_bytes(b""), "header"),
    ("gone", ES, lambda file: file.unlink(), "Spanish has no catalog"),
    ("zero bytes after a crash", ES, lambda file: file.write_bytes(b"\0" * 4096), "zero byte"),
    ("a merge begun", ES, instead(SAID, f"<<<<<<< HEAD\n{SAID}"), "merge conflict"),
    ("a template that does not close", "templates/messages/pre.tomorrow/sms.txt", instead("endtrans", "endtranz"),
     r"sms.txt:\d+: the template cannot be read"),
    ("a template emptied", "templates/messages/pre.tomorrow/sms.txt", lambda file: file.write_text(""),
     "sms.txt: .*no words"),
    ("a table of languages cut", "config/languages.yaml", cut_after(", direction: rtl"), "languages.yaml"),
]  # fmt: skip


def test_earlier_words_stay_while_files_are_wrong_and_it_is_told_once(root: Path) -> None:
    lexicon = Lexicon.load(root)
    words = lexicon.words
    for name, path, spoil, said in WRONG:
        right = (root / path).read_bytes()
        spoil(root / path)
        with capture_logs() as logs:
            for _ in range(5):
                assert not lexicon.refresh(), name
        assert lexicon.words is words, name
        assert re.search(said, told(lexicon)), f"{name}: {told(lexicon)!r}"
        assert str(root) not in told(lexicon), "staff see a path of the project, not of the machine"
        assert [one["log_level"] for one in logs] == ["error"], name
        (root / path).write_bytes(right)
        with capture_logs() as logs:
            assert look(lexicon), name
        assert not told(lexicon), name
        assert sms(lexicon.words) == sms(words), name
        words = lexicon.words


def test_what_is_being_written_is_not_taken(root: Path) -> None:
    lexicon = Lexicon.load(root)
    file, words = root / ES, lexicon.words
    whole = file.read_bytes().replace("Su infusión es mañana".encode(), "Mañana es su infusión".encode())
    for part in range(1, 9):  # each look finds more of it than the one before
        file.write_bytes(whole[: len(whole) * part // 8])
        assert not lexicon.refresh()
        assert lexicon.words is words
        assert not told(lexicon)
    assert lexicon.refresh()
    assert "Mañana es su infusión" in sms(lexicon.words)


def test_a_file_put_back_as_it_was_ends_the_trouble(root: Path) -> None:
    lexicon = Lexicon.load(root)
    words, aside = lexicon.words, root / "aside"
    (root / ES).rename(aside)
    assert not look(lexicon)
    assert told(lexicon)
    aside.rename(root / ES)
    assert not lexicon.refresh()
    assert lexicon.words is words
    assert not told(lexicon)


def test_each_text_is_wholly_of_one_snapshot_while_eight_threads_speak(root: Path) -> None:
    """Two catalogs in turn, whose every message begins differently: a text of both would be neither's."""
    lexicon = Lexicon.load(root)
    file = root / ES
    one = file.read_text("utf-8")
    other = one.replace(SAID, 'msgstr "%(clinic)s: Le esperamos, su infusión es mañana').replace(
        "¿Dudas o retraso? Llame: %(phone)s.", "¿Alguna duda? Llame: %(phone)s."
    )
    texts = {sms(lexicon.words)}
    file.write_text(other, "utf-8")
    assert look(lexicon)
    texts.add(sms(lexicon.words))
    assert len(texts) == 2
    heard: list[set[str]] = [set() for _ in range(8)]
    ended = threading.Event()

    def speak(mine: set[str]) -> None:
        while not ended.wait(0.001):
            words = lexicon.words
            first, second = sms(words), sms(words)
            mine.update((first, second) if first == second else ("of two snapshots",))

    threads = [threading.Thread(target=speak, args=(mine,)) for mine in heard]
    for thread in threads:
        thread.start()
    try:
        for turn in range(6):
            file.write_text(one if turn % 2 == 0 else other, "utf-8")
            assert look(lexicon)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert set().union(*heard) == texts


def test_the_thread_sees_a_save_by_itself_and_ends(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.content.lexicon.PERIOD", 0.02)
    lexicon = Lexicon.load(root)
    taken = threading.Event()
    before = threading.active_count()
    lexicon.watch(taken.set)
    lexicon.watch()
    assert threading.active_count() == before + 1
    edit(root, SAID, 'msgstr "%(clinic)s: Le esperamos, su infusión es mañana')
    assert taken.wait(20)
    assert "Le esperamos" in sms(lexicon.words)
    lexicon.close()
    assert threading.active_count() == before


def test_words_that_are_given_never_change() -> None:
    lexicon = Lexicon.of(shipped.words())
    lexicon.watch()
    assert not look(lexicon)
    assert lexicon.words is shipped.words()
    lexicon.close()
