"""A language begun: everything stands where it belongs, and only the translating is left."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outreach.content import measure
from outreach.content.checker.house import House, check_locale
from outreach.content.compose import Words
from outreach.content.formats import load_languages
from outreach.content.new_locale import begin
from outreach.errors import BadInput
from outreach.settings import ROOT

NOW = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "templates" / "messages", tmp_path / "templates" / "messages")
    shutil.copytree(ROOT / "templates" / "layouts", tmp_path / "templates" / "layouts")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "locales" / "es").mkdir(parents=True)
    shutil.copy(ROOT / "locales" / "es" / "glossary.yaml", tmp_path / "locales" / "es")
    return tmp_path


def test_a_language_begun_is_loaded_not_offered_and_lacks_only_its_translations(root: Path) -> None:
    for tag, row in [
        ("it", ("Italian", "Italiano", "ltr", "it", 24)),
        ("pl", ("Polish", "Polski", "ltr", "pl", 24)),
        ("ja", ("Japanese", "日本語", "ltr", "ja", 24)),
        ("ur", ("Urdu", "اردو", "rtl", "ur", 12)),
    ]:
        begun = begin(root, tag, "es", NOW)
        made = load_languages(root / "config" / "languages.yaml")[tag]
        assert (made.name, made.own_name, made.direction, made.formats, made.clock) == row
        assert all(path.is_file() for path in begun.written)
        house = House(root)
        found = check_locale(house, tag, measure.longest(root / "config" / "longest.yaml"))
        assert {one.fault.rule for one in found} == {"entry.untranslated"}
        assert len(found) == len(house.units)
        words = Words.load(root, ["en", tag])
        assert words.locales == ("en",), "offered only when not one unit is missing"
        assert any(f"kind: urgent, locale: {tag}" in line for line in begun.left)
        assert any(line.startswith(f"config/concepts/{tag}.yaml: ") for line in begun.left)
        assert "  # side effect: []\n" in begun.written[3].read_text("utf-8")
        assert "2026-11-21 22:30" in begun.written[1].read_text("utf-8")
    table = (root / "config" / "languages.yaml").read_text("utf-8")
    assert table.startswith((ROOT / "config" / "languages.yaml").read_text("utf-8")), "no other row has changed"


def test_what_cannot_be_begun_is_refused_with_what_would_be_right_and_leaves_nothing(root: Path) -> None:
    before = (root / "config" / "languages.yaml").read_text("utf-8")
    for tag, said in [
        ("es", "es is there already"),
        ("pt", "pt_BR is there already"),
        ("tl", "fil is there already"),
        ("zh-CN", "zh_Hans is there already"),
        ("iw", "'iw' is written he here"),
        ("italian", "Did you mean it?"),
        ("klingonese", "no language tag"),
        ("xx", "'xx' is no language tag"),
        ("../it", "no language tag"),
        ("IT", "'IT' is no language tag. Did you mean it?"),
        ("cs", 'Add it to HEADERS in outreach/content/plurals.py.*"cs": "nplurals=4; plural='),
    ]:
        with pytest.raises(BadInput, match=said.replace("?", r"\?").replace("tag. ", r"tag\. ")):
            begin(root, tag, "es", NOW)
    with pytest.raises(BadInput, match="'xx' is no language that is there; begin from one of ar, en"):
        begin(root, "it", "xx", NOW)
    assert (root / "config" / "languages.yaml").read_text("utf-8") == before
    assert [one.name for one in (root / "locales").iterdir()] == ["es"]
