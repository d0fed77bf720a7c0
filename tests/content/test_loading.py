"""What a naive reader of catalogs does wrong, planted one by one: refused, left unsaid, or rightly taken."""

from __future__ import annotations

import re
from pathlib import Path

from outreach.content.catalogs import Unit, load
from outreach.content.checker.files import MOST_LINE
from outreach.errors import BadFile

UNITS = {
    "a.sms": Unit("a.sms", "%(clinic)s: Call %(phone)s. Reply STOP to end."),
    "c.often": Unit("c.often", "One message.", "%(count)s messages."),
    "z.last": Unit("z.last", "Bring your health card with you."),
}
HEADER = """msgid ""
msgstr ""
"PO-Revision-Date: 2026-11-21 12:00+0000\\n"
"Language: es\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2);\\n"
"""
A = """#, python-format
msgctxt "a.sms"
msgid "%(clinic)s: Call %(phone)s. Reply STOP to end."
msgstr "%(clinic)s: Llame al %(phone)s. Responda STOP."
"""
GOOD = f"""{HEADER}
{A}
msgctxt "c.often"
msgid "One message."
msgid_plural "%(count)s messages."
msgstr[0] "Un mensaje."
msgstr[1] "%(count)s de mensajes."
msgstr[2] "%(count)s mensajes."

msgctxt "z.last"
msgid "Bring your health card with you."
msgstr "Traiga su tarjeta sanitaria."

#~| msgctxt "older"
#~ msgctxt "gone"
#~ msgid "Gone"
#~ msgstr "Se fue"
"""
UNSAID, TAKEN = "", "taken"
FLAG, SAID, RULE = "#, python-format", "Llame al", "n % 1000000 == 0 ? 1 : 2"
# The numbers are those of the list of defects that our design answers. What is expected: UNSAID (the entry is not
# used), TAKEN (it is, as it stands), or words of the refusal.
CASES: list[tuple[str, str, str, str]] = [
    ("1 a guess", FLAG, "#, fuzzy", UNSAID),
    ("1 a guess among flags", FLAG, "#, python-format, fuzzy", UNSAID),
    ("1 a guess with its earlier English", FLAG, '#, fuzzy\n#| msgid "Eat before."', UNSAID),
    ("2 Fuzzy", FLAG, "#, Fuzzy", UNSAID),
    ("2 FUZZY without a space", FLAG, "#,FUZZY", UNSAID),
    ("3 the new sign", FLAG, "#= fuzzy", UNSAID),
    ("3 the new sign, capitals, tab", FLAG, "#=\tFuzzy", UNSAID),
    ("3 the new sign, harmless", FLAG, "#= no-wrap", TAKEN),
    ("4 no header", HEADER, "", "header .* is missing"),
    ("4 header empty", HEADER, 'msgid ""\nmsgstr ""\n', "header .* is missing"),
    ("4 header a guess", HEADER, f"#, Fuzzy\n{HEADER}", "header is marked fuzzy"),
    ("5 twice, other words", A, A + A.replace(SAID, "Llama al"), "stands in line"),
    ("5 its earlier English beside it", A, A + A.replace("Call", "Ring"), TAKEN),
    ("6 a mark of order", HEADER, f"\ufeff{HEADER}", "byte order mark"),
    ("6 the same within", SAID, f"\ufeff{SAID}", "U\\+FEFF"),
    ("7 merge, ours", A, f"<<<<<<< HEAD\n{A}", "merge conflict"),
    ("7 merge, base", A, f"||||||| 1234567\n{A}", "merge conflict"),
    ("7 merge, between", A, f"{A}=======\n", "merge conflict"),
    ("7 merge, theirs", A, f"{A}>>>>>>> branch\n", "merge conflict"),
    ("9 obsolete with #~|", A, f'{A}\n#~| msgid "x"\n#~ msgid "y"\n#~ msgstr "z"\n', TAKEN),
    ("9 a guess that is obsolete", A, f'#, fuzzy\n#~ msgid "y"\n#~ msgstr "z"\n\n{A}', TAKEN),
    ("10 charset latin-1", "charset=utf-8", "charset=ISO-8859-1", "charset=utf-8"),
    ("10 charset of a template", "charset=utf-8", "charset=CHARSET", "charset=utf-8"),
    ("10 charset in capitals", "charset=utf-8", "charset=UTF-8", TAKEN),
    ("10 a date that is none", "2026-11-21 12:00+0000", "YEAR-MO-DA HO:MI+ZONE", TAKEN),
    ("10 letters of latin-1 read as utf-8", "Traiga", "InfusiÃ³n", "broken letters"),
    ("11 another language", "Language: es", "Language: fr", "'fr', the folder 'es'"),
    ("11 no language", '"Language: es\\n"\n', "", "nothing"),
    ("11 a name for a language", "Language: es", "Language: Spanish", "the folder 'es'"),
    ("12 a form missing", 'msgstr[1] "%(count)s de mensajes."\n', "", "2 of 3 forms"),
    ("12 a form empty", '"%(count)s de mensajes."', '""', "2 of 3 forms"),
    ("12 one form for all", "msgstr[0]", 'msgstr "x"\nmsgstr[0]', "several forms"),
    ("12 several forms for one", 'msgstr "Traiga', 'msgstr[0] "Traiga', "one form"),
    ("13 beyond its forms", RULE, "n % 1000000 == 0 ? 1 : 5", "plural rule"),
    ("13 divides by zero", RULE, "n / 0", "plural rule"),
    ("13 for one number only", RULE, "n == 999 ? 7 : 2", "plural rule"),
    ("13 code", RULE, "__import__('os').getpid()", "plural rule"),
    ("13 brackets in brackets", RULE, "(" * 400 + "n" + ")" * 400, "plural"),
    ("14 a bomb", "nplurals=3", "nplurals=999999999999", "plural rule"),
    ("14 no form", "nplurals=3", "nplurals=0", "plural rule"),
    ("14 a form out of bounds", "msgstr[2]", "msgstr[9]", "beyond the 6"),
    ("15 line separator", SAID, f"{SAID}\u2028", "U\\+2028"),
    ("15 paragraph separator", SAID, f"{SAID}\u2029", "U\\+2029"),
    ("15 vertical tab", SAID, "Llame\v al", "U\\+000B"),
    ("15 form feed", SAID, "Llame\f al", "U\\+000C"),
    ("15 next line", SAID, "Llame\x85 al", "U\\+0085"),
    ("15 end of transmission", SAID, "Llame\x04 al", "U\\+0004"),
    ("15 zero byte", SAID, "Llame\x00 al", "zero byte"),
    ("15 vertical tab as an escape", SAID, "Llame\\v al", "means nothing"),
    ("15 a byte as an escape", SAID, "Llame\\x07 al", "means nothing"),
    ("15 carriage return as an escape", SAID, "Llame\\r al", "U\\+000D"),
    ("19 narrow space", SAID, "Llame\u202fal", "U\\+202F"),
    ("21 the dictionary", SAID, "100% seguro: llame al", "'% seguro"),
    ("21 conversions", "%(phone)s. Res", "%(phone)r. Res", "neither a placeholder"),
    ("22 markup", SAID, "<b>Llame</b> al", "markup"),
    ("22 a template", SAID, "{{ phone }} al", "markup"),
    ("23 a value dropped", "al %(phone)s. Res", "al. Res", r"%\(phone\)s is missing"),
    ("25 key edited", 'msgctxt "a.sms"', 'msgctxt "a.Sms"', UNSAID),
    ("25 key with a separator in it", 'msgctxt "a.sms"', 'msgctxt "a.sms\u2028"', UNSAID),
    ("25 no key", 'msgctxt "a.sms"\n', "", UNSAID),
    ("25 English edited", "Reply STOP to end.", "Reply STOP.", UNSAID),
    ("29 other wrapping", f'"%(clinic)s: {SAID} ', f'""\n"%(clinic)s: "\n"{SAID} "\n"', TAKEN),
    ("a line of another kind", A, f'domain "x"\n{A}', "no line of a catalog"),
    ("a text in other quotes", f'"%(clinic)s: {SAID}', f"“%(clinic)s: {SAID}", "no line of a catalog"),
    ("a line too long", SAID, SAID * (MOST_LINE // 8), "characters"),
    ("a translation before its English", A, f'msgstr "x"\n{A}', "twice|before its msgid"),
]  # fmt: skip


def outcome(path: Path, raw: bytes, locale: str = "es") -> tuple[str, dict[str, tuple[str, ...]]]:
    path.write_bytes(raw)
    try:
        return "", dict(load(path, locale, UNITS).forms)
    except BadFile as error:
        return f"{error.what} {error.remedy}", {}


def test_each_defect_of_a_naive_reader_is_refused_or_left_unsaid(tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    refused, good = outcome(path, GOOD.encode())
    assert (refused, set(good)) == ("", set(UNITS))
    for name, old, new, expected in CASES:
        assert old in GOOD, name
        refused, forms = outcome(path, GOOD.replace(old, new, 1).encode())
        if expected == UNSAID:
            assert (refused, forms) == ("", {key: said for key, said in good.items() if key != "a.sms"}), name
        elif expected == TAKEN:
            assert (refused, forms) == ("", good), name
        else:
            assert re.search(expected, refused), f"{name}: {refused!r} {forms}"


def test_line_ends_of_other_systems_are_no_defect_and_other_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    good = outcome(path, GOOD.encode())[1]
    for end in ("\r\n", "\r"):
        assert outcome(path, GOOD.replace("\n", end).encode()) == ("", good)
    latin = "# Infusión\n".encode("latin-1") + GOOD.encode()
    for raw in (GOOD.encode("utf-16"), GOOD.encode("utf-16-le"), latin, b"# \xed\xa0\x80\n" + GOOD.encode()):
        assert outcome(path, raw)[0]


def test_arabic_by_babels_order_and_a_language_we_cannot_count_in_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    babel = "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=0 && n%100<=2 ? 4 : 5"
    arabic = GOOD.replace("Language: es", "Language: ar")
    swapped = re.sub(r"nplurals=3; plural=\(.*\);", f"nplurals=6; plural=({babel});", arabic)
    assert "plural rule is not that of ar" in outcome(path, swapped.encode(), "ar")[0]
    hmong = GOOD.replace("Language: es", "Language: hmn")
    assert "no plural rule is known for 'hmn'" in outcome(path, hmong.encode(), "hmn")[0]


def test_wherever_a_file_is_cut_nothing_is_said_in_part(tmp_path: Path) -> None:
    path, raw = tmp_path / "messages.po", GOOD.encode()
    good = outcome(path, raw)[1]
    for end in range(0, len(raw), 3):
        refused, forms = outcome(path, raw[:end])
        assert refused or forms.items() <= good.items(), raw[:end][-40:]
