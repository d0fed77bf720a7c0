"""Catalogs with one fault each: refused with file, line and key, or left unsaid; never sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.pofile import read_po

from outreach.content import extraction, plurals
from outreach.content.catalogs import MOST_BYTES, Catalog, Unit, load
from outreach.content.compose import Words
from outreach.content.sources import read, units
from outreach.errors import BadFile
from outreach.settings import ROOT

UNITS = {
    "a.sms": Unit("a.sms", "%(clinic)s: Call %(phone)s. Reply STOP to end."),
    "b.title": Unit("b.title", "Tomorrow at 9"),
    "c.often": Unit("c.often", "One message.", "%(count)s messages."),
}
GOOD = """# comment
msgid ""
msgstr ""
"Language: es\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2);\\n"

#, python-format
msgctxt "a.sms"
msgid "%(clinic)s: Call %(phone)s. Reply STOP to end."
msgstr "%(clinic)s: Llame al %(phone)s. Responda STOP."

msgctxt "b.title"
msgid "Tomorrow at 9"
msgstr ""
"Mañana "
"a las 9"

msgctxt "c.often"
msgid "One message."
msgid_plural "%(count)s messages."
msgstr[0] "Un mensaje."
msgstr[1] "%(count)s de mensajes."
msgstr[2] "%(count)s mensajes."

#~ msgctxt "gone"
#~ msgid "Old"
#~ msgstr "Viejo"
#~| msgid "Older"
"""
A = 'msgstr "%(clinic)s: Llame al %(phone)s. Responda STOP."'
B = '"Mañana "\n"a las 9"'


@pytest.fixture
def catalog(tmp_path: Path) -> Callable[..., Catalog]:
    def make(old: str = "", new: str = "", raw: bytes | None = None) -> Catalog:
        assert old in GOOD
        path = tmp_path / "messages.po"
        path.write_bytes(raw if raw is not None else GOOD.replace(old, new, 1).encode() if old else GOOD.encode())
        return load(path, "es", UNITS)

    return make


def test_a_good_catalog_speaks(catalog: Callable[..., Catalog]) -> None:
    good = catalog()
    assert good.form("b.title") == "Mañana a las 9"
    assert [good.form("c.often", n) for n in (1, 2, 1_000_000)] == [
        "Un mensaje.", "%(count)s mensajes.", "%(count)s de mensajes.",
    ]  # fmt: skip
    assert good.form("gone") is None


def test_line_ends_of_windows_are_harmless(catalog: Callable[..., Catalog]) -> None:
    assert catalog(raw=GOOD.replace("\n", "\r\n").encode()).forms == catalog().forms


UNSAID = [
    ("fuzzy", "#, python-format", "#, fuzzy, python-format"),
    ("fuzzy in capitals", "#, python-format", "#, Fuzzy"),
    ("fuzzy by the new sign", "#, python-format", "#= fuzzy"),
    ("empty", A, 'msgstr ""'),
    ("english changed since", 'msgid "%(clinic)s: Call', 'msgid "%(clinic)s: Ring'),
    ("key changed", 'msgctxt "a.sms"', 'msgctxt "a.smss"'),
]


@pytest.mark.parametrize(("old", "new"), [case[1:] for case in UNSAID], ids=[case[0] for case in UNSAID])
def test_what_is_not_finished_is_not_said(catalog: Callable[..., Catalog], old: str, new: str) -> None:
    assert "a.sms" not in catalog(old, new).forms


REFUSED = [
    ("placeholder dropped", A, A.replace("%(phone)s", ""), r":9: a\.sms: the placeholder %\(phone\)s is missing"),
    ("placeholder renamed", A, A.replace("(phone)", "(telefono)"), r"a\.sms: .*%\(telefono\)s is not in the English"),
    ("placeholder twice", A, A.replace("STOP", "%(phone)s STOP"), r"a\.sms: .*2 times"),
    ("letter missing", A, A.replace("%(phone)s.", "%(phone)."), r"a\.sms: .*neither a placeholder"),
    ("number format", A, A.replace("%(phone)s", "%(phone)d"), "neither a placeholder"),
    ("blank inside", A, A.replace("%(phone)s", "100% seguro %(phone)s"), "'% seguro %"),
    ("width", A, A.replace("%(phone)s", "%(phone)99999999s"), "neither a placeholder"),
    ("bare percent", A, A.replace("STOP", "STOP 20%"), "neither a placeholder"),
    ("full-width percent", A, A.replace("%(phone)s", "％(phone)s"), r"%\(phone\)s is missing"),
    ("html", A, A.replace("Llame", "<img onerror=x>"), "markup"),
    ("entity", A, A.replace("Llame", "&nbsp;"), "markup"),
    ("template", A, A.replace("Llame", "{{ 7 }}"), "markup"),
    ("markdown link", A, A.replace("Llame", "[x](y)"), "markup"),
    ("address", A, A.replace("Llame", "https://x.example"), "markup"),
    ("stop translated", A, A.replace("STOP", "ALTO"), "STOP is missing"),
    ("number changed", B, '"Mañana a las 8"', r"b\.title: the numbers differ"),
    ("number dropped", B, '"Mañana"', "numbers differ"),
    ("native digits", B, '"Mañana a las ٩"', "numbers differ"),
    ("zero-width space", B, '"Ma\u200bñana a las 9"', "U\\+200B"),
    ("bidi override", B, '"Mañana \u202ea las 9"', "U\\+202E"),
    ("isolate", B, '"Mañana \u2068a las 9"', "U\\+2068"),
    ("line separator", B, '"Mañana\u2028a las 9"', "U\\+2028"),
    ("control", B, '"Mañana \x04a las 9"', "U\\+0004"),
    ("decomposed", B, '"Man\u0303ana a las 9"', "NFD"),
    ("doubled space", B, '"Mañana  a las 9"', "a space too many"),
    ("trailing space", B, '"Mañana a las 9 "', "a space too many"),
    ("plural form missing", 'msgstr[1] "%(count)s de mensajes."\n', "", r"c\.often: 2 of 3 forms"),
    ("plural form empty", '"%(count)s de mensajes."', '""', r"c\.often: 2 of 3 forms"),
    ("plural form extra", 'msgstr[1] "', 'msgstr[3] "x"\nmsgstr[1] "', r"c\.often"),
    ("plural form absurd", 'msgstr[1] "', 'msgstr[9] "x"\nmsgstr[1] "', "beyond the 6"),
    ("plural placeholder dropped", '[2] "%(count)s ', '[2] "', r"c\.often: .*%\(count\)s is missing"),
    ("plural bomb", "nplurals=3", "nplurals=999999999", r"the plural rule is not that of es"),
    ("plural rule by zero", "n % 1000000 == 0", "n / 0", "the plural rule is not that of es"),
    ("plural rule as code", "n % 1000000 == 0", "__import__('os')", "the plural rule is not that of es"),
    ("plural rule missing", '"Plural-Forms:', '"X:', "the plural rule is not that of es"),
    ("other language", "Language: es", "Language: fr", r"Language 'fr', the folder 'es'"),
    ("other charset", "charset=utf-8", "charset=ISO-8859-1", "charset=utf-8"),
    ("header missing", 'msgid ""\nmsgstr ""\n"Language', 'msgctxt "x"\nmsgid "y"\nmsgstr ""\n"Language', "header"),
    ("header fuzzy", "# comment", "#, fuzzy", "marked fuzzy"),
    ("conflict", 'msgctxt "b', '<<<<<<< HEAD\nmsgctxt "b', r":13: a merge conflict"),
    ("conflict end", 'msgctxt "b', '>>>>>>> x\nmsgctxt "b', "merge conflict"),
    (
        "duplicate",
        "#~ msgctxt",
        'msgctxt "b.title"\nmsgid "Tomorrow at 9"\nmsgstr "x 9"\n#~ msgctxt',
        "line 13 already",
    ),
    ("truncated", '"a las 9"', '"a las 9', "quotation marks"),
    ("escape", '"a las 9"', '"a las \\x39"', "means nothing"),
    ("nonsense", 'msgctxt "b', 'msgtxt "b', "no line of a catalog"),
    ("keyword twice", '"Mañana "', '"x"\nmsgstr "Mañana "', "twice"),
]


@pytest.mark.parametrize(("old", "new", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_wrong_is_refused_where_it_stands(
    catalog: Callable[..., Catalog], old: str, new: str, said: str
) -> None:
    with pytest.raises(BadFile, match=said) as refusal:
        catalog(old, new)
    assert refusal.value.remedy
    assert refusal.value.line > 0
    assert "messages.po" in str(refusal.value)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xef\xbb\xbf" + GOOD.encode(), "byte order mark"),
        (GOOD.encode("latin-1"), r":16: the text is not UTF-8"),
        (GOOD.encode("utf-16"), "not UTF-8"),
        (b"", "header"),
        (b"#" * (MOST_BYTES + 1), "at most|At most"),
    ],
    ids=["bom", "latin-1", "utf-16", "empty file", "huge"],
)
def test_a_file_of_the_wrong_kind_is_refused(catalog: Callable[..., Catalog], raw: bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        catalog(raw=raw)


@pytest.mark.parametrize("locale", extraction.targets(ROOT))
def test_babel_reads_the_same_words(words: Words, locale: str) -> None:
    path = ROOT / "locales" / locale / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        theirs = {m.context: m.string if m.pluralizable else (m.string,) for m in read_po(file, locale=locale) if m.id}
    assert theirs == dict(words.voices[locale].catalog.forms)
    assert "not reviewed" in path.read_text("utf-8"), "a draft says that it is one"


@pytest.mark.parametrize("locale", [name for name in plurals.HEADERS if name != "ht"])
def test_our_plural_table_is_that_of_cldr(locale: str) -> None:
    count, _ = plurals.rule(locale)
    choose = load_rule(locale)
    category = Locale.parse(locale).plural_form
    numbers = [*range(1001), 1_000_000, 2_000_000, 1_000_001]
    pairs = {(choose(n), category(n)) for n in numbers}
    assert len(pairs) == count == len({index for index, _ in pairs})
    order = ["zero", "one", "two", "few", "many", "other"]
    assert [name for _, name in sorted(pairs)] == sorted((name for _, name in pairs), key=order.index)


def load_rule(locale: str) -> Callable[[int], int]:
    from outreach.content.catalogs import identity

    return identity(locale, {}).choose


def test_the_template_of_catalogs_is_up_to_date() -> None:
    assert (ROOT / "locales" / "messages.pot").read_bytes() == extraction.template(ROOT)


def test_extraction_and_rendering_see_the_same_units(tmp_path: Path) -> None:
    found = units(read(ROOT / "templates"), ROOT / "templates")
    with (ROOT / "locales" / "messages.pot").open("rb") as file:
        theirs = {m.context: m.id for m in read_po(file) if m.id}
    assert theirs == {u.key: (u.text, u.plural) if u.plural else u.text for u in found.values()}


def test_an_update_never_guesses(tmp_path: Path) -> None:
    (tmp_path / "templates" / "messages" / "m").mkdir(parents=True)
    (tmp_path / "templates" / "layouts").mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "babel.cfg").write_bytes((ROOT / "config" / "babel.cfg").read_bytes())
    sms = tmp_path / "templates" / "messages" / "m" / "sms.txt"
    sms.write_text('{% trans "m.sms" %}Eat before your visit.{% endtrans %}', "utf-8")
    path = extraction.update(tmp_path, "ar")
    path.write_text(path.read_text("utf-8").replace('visit."\nmsgstr ""', 'visit."\nmsgstr "x"'), "utf-8")
    sms.write_text('{% trans "m.sms" %}Do not eat before your visit.{% endtrans %}', "utf-8")
    again = extraction.update(tmp_path, "ar").read_text("utf-8")
    assert '#, fuzzy\n#| msgid "Eat before your visit."\nmsgctxt "m.sms"\nmsgid "Do not eat' in again, "never sent so"
    (sms.parent / "subject.txt").write_text('{% trans "m.subject" %}Eat before your visit!{% endtrans %}', "utf-8")
    assert 'msgid "Eat before your visit!"\nmsgstr ""' in extraction.update(tmp_path, "ar").read_text("utf-8")
    assert plurals.HEADERS["ar"] in again
