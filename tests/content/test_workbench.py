"""What translators work on, as it lies on disk: states, findings, back-translations, and files that change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from outreach.content.workbench import Workbench
from outreach.errors import NotFound
from outreach.settings import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what the workbench reads, with one language beside English."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "locales" / "ar", tmp_path / "locales" / "ar")
    shutil.copy(ROOT / "locales" / "messages.pot", tmp_path / "locales")
    return tmp_path


def catalog(root: Path) -> Path:
    return root / "locales" / "ar" / "LC_MESSAGES" / "messages.po"


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), "utf-8")


def test_each_state_of_a_unit_is_told_from_its_entry(root: Path) -> None:
    path = catalog(root)
    said = Workbench(root).shelf("ar").line("canned.noted").forms[0]
    rewrite(path, 'msgstr "شكرا، سجلنا ذلك."', 'msgstr ""')
    rewrite(path, 'msgctxt "canned.number"', '#, fuzzy\nmsgctxt "canned.number"')
    rewrite(path, 'msgid "Your visit stays as planned."', 'msgid "Your visit is as planned."')
    rewrite(path, 'msgstr "سنتصل بكم قريبا."', 'msgstr "سنتصل بكم قريبا على %(phone)s."')
    shelf = Workbench(root).shelf("ar")
    assert said == "شكرا، سجلنا ذلك."
    states = {key: shelf.line(f"canned.{key}").state for key in ("noted", "number", "as_planned", "call_soon", "tried")}
    assert states == {
        "noted": "missing", "number": "fuzzy", "as_planned": "changed", "call_soon": "translated",
        "tried": "translated",
    }  # fmt: skip
    assert shelf.line("canned.call_soon").blocked
    assert shelf.line("canned.call_soon").faults[0].rule.startswith("placeholder")
    assert shelf.line("canned.call_soon").unread, "its back-translation is of the wording before"
    assert not shelf.line("canned.tried").blocked
    assert not shelf.line("canned.tried").unread
    assert shelf.done == len(shelf.lines) - 3
    with pytest.raises(NotFound):
        shelf.line("canned.unheard")


def test_a_file_that_changes_is_read_again_and_one_that_does_not_is_not(root: Path) -> None:
    bench = Workbench(root)
    first = bench.shelf("ar")
    assert bench.shelf("ar") is first
    before = first.line("canned.noted").digest
    rewrite(catalog(root), "شكرا، سجلنا ذلك.", "شكرا لكم، سجلنا ذلك.")
    again = bench.shelf("ar")
    assert again is not first
    assert again.line("canned.noted").forms == ("شكرا لكم، سجلنا ذلك.",)
    assert again.line("canned.noted").digest != before
    assert again.line("canned.tried").digest == first.line("canned.tried").digest
    template = root / "templates" / "messages" / "canned" / "ui.txt"
    rewrite(template, "Thank you, we have noted it.", "Thank you, it is noted.")
    assert bench.shelf("ar").line("canned.noted").state == "changed"


def test_a_catalog_that_cannot_be_read_is_told_of_and_has_no_words(root: Path) -> None:
    path = catalog(root)
    path.write_text(path.read_text("utf-8") + '<<<<<<< mine\nmsgid "x"\n', "utf-8")
    shelf = Workbench(root).shelf("ar")
    assert shelf.problem is not None
    assert "merge" in shelf.problem.what
    assert shelf.done == 0


def test_broken_back_translations_stop_one_language_and_not_its_page(root: Path) -> None:
    (root / "locales" / "ar" / "back.yaml").write_text("units: [oh]\n", "utf-8")
    shelf = Workbench(root).shelf("ar")
    assert shelf.problem is not None
    assert shelf.done == len(shelf.lines)


def test_a_unit_is_shown_with_its_comment_its_facts_and_its_templates(root: Path) -> None:
    grounds = Workbench(root).grounds()
    assert "STOP stays as it is" in grounds.comments["neutral.sms"]
    assert "STOP" not in grounds.comments.get("neutral.subject", ""), "a comment belongs to the next unit alone"
    assert grounds.rests["pre.the_day.body.vein"] == ("K2", "T2")
    assert grounds.rests["canned.noted"] == ()
    assert grounds.places["layout.from"] == ("layouts/email.html", "layouts/email.txt")
    assert list(grounds.samples) == ["short", "typical", "longest"]
