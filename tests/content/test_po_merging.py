"""Bringing a catalog up to date: by key alone, every word that was there still there, every other line in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.content import extraction
from outreach.content.checker.house import House
from outreach.content.checker.review import review
from outreach.content.po_merging import merged
from outreach.content.pofile import parse
from outreach.errors import BadFile
from outreach.settings import ROOT

PO = Path("es.po")
POT = """msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

#. how many
#: b.html
#, python-format
msgctxt "b"
msgid "One"
msgid_plural "%(n)s"
msgstr[0] ""
msgstr[1] ""

#: a.html
msgctxt "a"
msgid "Do not eat before your visit."
msgstr ""

#: new.html
msgctxt "new"
msgid "Eat before your visit!"
msgstr ""

#: same.html
msgctxt "same"
msgid "Stays"
msgstr ""
"""
CATALOG = """# Spanish.
# Ana <ana@clinic.example>, 2025.
#
msgid ""
msgstr ""
"Language: es\\n"
"X-Editor: mine\\n"

# a note for the next translator
#: old/place.html
#, no-wrap
msgctxt "a"
msgid "Eat before "
"your visit."
msgstr ""
"Coma antes "
"de su cita."

#: same.html
msgctxt "same"
msgid "Stays"
msgstr "Se queda"

#: b.html
#, python-format
msgctxt "b"
msgid "One"
msgid_plural "%(n)s"
msgstr[0] "uno"
msgstr[1] "%(n)s"

msgctxt "left"
msgid "Goes"
msgstr "Se va"

msgctxt "empty"
msgid "Goes too"
msgstr ""

#~ msgctxt "new"
#~ msgid "Eat before your visit!"
#~ msgstr "¡Coma antes!"

#, fuzzy
#~| msgid "Old"
#~ msgctxt "gone"
#~ msgid "Gone"
#~ msgstr "Ido"
"""
EXPECTED = """# Spanish.
# Ana <ana@clinic.example>, 2025.
#
msgid ""
msgstr ""
"Language: es\\n"
"X-Editor: mine\\n"

# a note for the next translator
#: a.html
#, fuzzy, no-wrap
#| msgid "Eat before "
#| "your visit."
msgctxt "a"
msgid "Do not eat before your visit."
msgstr ""
"Coma antes "
"de su cita."

#: new.html
msgctxt "new"
msgid "Eat before your visit!"
msgstr "¡Coma antes!"

#: same.html
msgctxt "same"
msgid "Stays"
msgstr "Se queda"

#. how many
#: b.html
#, python-format
msgctxt "b"
msgid "One"
msgid_plural "%(n)s"
msgstr[0] "uno"
msgstr[1] "%(n)s"

#, fuzzy
#~| msgid "Old"
#~ msgctxt "gone"
#~ msgid "Gone"
#~ msgstr "Ido"

#~ msgctxt "left"
#~ msgid "Goes"
#~ msgstr "Se va"
"""


def test_a_catalog_is_brought_up_to_date_entry_by_entry() -> None:
    assert merged(PO, CATALOG, POT, 2) == EXPECTED
    assert merged(PO, EXPECTED, POT, 2) == EXPECTED
    assert merged(PO, CATALOG.replace("\n", "\r\n"), POT, 2) == EXPECTED.replace("\n", "\r\n")


def test_an_english_that_changes_twice_is_shown_as_it_was_when_it_was_translated() -> None:
    again = merged(PO, EXPECTED, POT.replace("Do not eat", "Never eat"), 2)
    [entry] = [one for one in parse(PO, again) if one.key == "a"]
    assert entry.fuzzy
    assert entry.was == {"msgid": "Eat before your visit."}
    assert entry.source == "Never eat before your visit."
    back = merged(PO, again, POT.replace("Do not eat", "Eat"), 2)
    [entry] = [one for one in parse(PO, back) if one.key == "a"]
    assert entry.fuzzy, "whether it is right now, a person says"
    assert not entry.was


def test_what_becomes_a_plural_keeps_what_was_said_in_its_first_form() -> None:
    plural = POT.replace('msgid "Stays"\nmsgstr ""', 'msgid "Stays"\nmsgid_plural "Stay"\nmsgstr[0] ""\nmsgstr[1] ""')
    [entry] = [one for one in parse(PO, merged(PO, CATALOG, plural, 2)) if one.key == "same"]
    assert (entry.forms, entry.fuzzy) == (("Se queda", ""), True)


def test_a_plural_has_as_many_forms_as_its_language_and_those_that_were_there_stay() -> None:
    after = merged(PO, CATALOG, POT.replace('"b"', '"c"') + POT.partition("\n\n")[2].partition("\n\n")[0] + "\n", 3)
    assert {one.key: one.forms for one in parse(PO, after) if one.plural} == {
        "b": ("uno", "%(n)s", ""),
        "c": ("", "", ""),
    }
    assert merged(PO, after, POT.replace('"b"', '"c"'), 3).count("msgstr[2]") == 2, "the one that is gone is kept"
    alone = merged(PO, CATALOG, POT, 1)
    assert [one.forms for one in parse(PO, alone) if one.plural] == [("uno", "%(n)s")], (
        "no word is lost to a wrong header"
    )


def test_words_of_other_english_are_told_of_and_are_not_sent() -> None:
    house = House(ROOT)
    path = house.catalog("es")
    text = path.read_text("utf-8").replace(
        'msgctxt "canned.call_soon"', '#, fuzzy\n#| msgid "We call."\nmsgctxt "canned.call_soon"'
    )
    [found] = [one for one in review(path, text.encode(), house.standard("es"), house.source) if one.fault.blocking]
    assert (found.key, found.fault.rule) == ("canned.call_soon", "entry.stale")
    assert "“We call.”" in found.fault.what
    assert "We will call you soon." in found.fault.remedy


def test_updating_the_catalogs_that_ship_changes_no_byte(tmp_path: Path) -> None:
    for folder in ("config", "templates", "locales"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    pot = extraction.template(ROOT)
    for locale in extraction.targets(ROOT):
        path = tmp_path / "locales" / locale / "LC_MESSAGES" / "messages.po"
        before = path.read_bytes()
        assert extraction.brought_up(path, locale, pot, "").read_bytes() == before, locale


def test_what_is_no_catalog_is_refused_with_its_line() -> None:
    with pytest.raises(BadFile, match=r"es\.po:9: this is no line"):
        merged(PO, CATALOG.replace("# a note", "a note"), POT, 2)
    with pytest.raises(BadFile, match="header"):
        merged(PO, 'msgctxt "a"\nmsgid "x"\nmsgstr "y"\n', POT, 2)


_units = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["One.", "Two.", "Eat.", "Do not eat."]))


@settings(max_examples=60, deadline=None)
@given(_units, _units, st.sets(st.sampled_from("abcdef")))
def test_nothing_is_guessed_and_nothing_is_lost(old: dict[str, str], new: dict[str, str], said: set[str]) -> None:
    def text(units: dict[str, str], done: set[str]) -> str:
        body = [f'msgctxt "{k}"\nmsgid "{v}"\nmsgstr "{f"{k}: {v}" if k in done else ""}"\n' for k, v in units.items()]
        return "\n".join(['msgid ""\nmsgstr "X: y\\n"\n', *body])

    after = merged(PO, text(old, said), text(new, set()), 1)
    entries = parse(PO, after)[1:]
    assert {one.key: one.source for one in entries} == new
    for one in entries:
        kept = one.key in old and one.key in said
        assert one.forms == ((f"{one.key}: {old[one.key]}",) if kept else ("",)), "only ever what its own key said"
        assert one.fuzzy == (kept and old[one.key] != one.source)
    assert merged(PO, after, text(new, set()), 1) == after
    for key in set(old) & said:
        assert f"{key}: {old[key]}" in after
