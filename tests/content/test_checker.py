"""The checker: one defect at a time planted into a correct catalog, and each is told of by its class."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import process_time
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from outreach.cli.locales import app
from outreach.content.checker.findings import KINDS, Finding
from outreach.content.checker.house import House, check_file, check_locale
from outreach.content.checker.review import review, source_of
from outreach.content.checker.units import Standard
from outreach.content.measure import longest
from outreach.settings import ROOT
from tests.content.planted import ENGLISH, SAID, catalog

HOUSE = House(ROOT)
LONGEST = longest(ROOT / "config" / "longest.yaml")
SOURCE = source_of(ENGLISH)


@cache
def standard(locale: str) -> Standard:
    return HOUSE.standard(locale, LONGEST)


def found(locale: str, raw: bytes) -> list[Finding]:
    return review(Path(f"{locale}/messages.po"), raw, standard(locale), SOURCE)


def rules(locale: str, raw: bytes) -> set[str]:
    return {one.fault.rule for one in found(locale, raw)}


@pytest.mark.parametrize("locale", SAID)
def test_a_correct_catalog_raises_nothing(locale: str) -> None:
    assert [str(one) for one in found(locale, catalog(locale).encode())] == []


@pytest.mark.parametrize("locale", SAID)
def test_line_ends_of_windows_and_old_macintoshes_are_harmless(locale: str) -> None:
    assert rules(locale, catalog(locale).replace("\n", "\r\n").encode()) == set()
    assert rules(locale, catalog(locale).replace("\n", "\r").encode()) == set()


PLURAL_ES = "(n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2)"
LAST = 'msgctxt "e.crps"'
AGAIN = 'msgctxt "b.title"\nmsgid "Please come tomorrow at 9:30, or call 555-0199"\nmsgstr "x"\n\n'
SPANISH = "Usted tiene SDRC (CRPS). ¿Tiene alguna pregunta?"
EFFECTS = SAID["es"][3][0]
FRENCH = "Les effets secondaires sont souvent bénins. Ils ne durent pas. Dites-le à votre équipe, comme 100%% de nous."
# What is planted: its name, the language, what stands there, what is put in its place, and the rule that tells of it.
PLANTED = [
    # Placeholders
    ("placeholder dropped", "es", "al %(phone)s. Responda", "a la clínica. Responda", "placeholder.missing"),
    ("placeholder renamed", "es", "al %(phone)s. Responda", "al %(telefono)s. Responda", "placeholder.unknown"),
    ("placeholder translated in Cyrillic", "ru", "%(phone)s. Ответьте", "%(phоne)s. Ответьте", "placeholder.missing"),
    ("placeholder twice", "es", "Llame al %(phone)s", "Llame al %(phone)s o %(phone)s", "placeholder.doubled"),
    ("letter missing", "es", "al %(phone)s. Responda", "al %(phone). Responda", "placeholder.broken"),
    ("number letter", "es", "recibe %(count)s mensajes", "recibe %(count)d mensajes", "placeholder.broken"),
    ("blank inside", "es", "100%% de", "100% seguro de", "placeholder.broken"),
    ("blank before the letter", "es", "al %(phone)s. R", "al % (phone)s. R", "placeholder.broken"),
    ("width", "es", "al %(phone)s. R", "al %(phone)9999s. R", "placeholder.broken"),
    ("full-width percent", "zh_Hans", "致电 %(phone)s", "致电 ％(phone)s", "placeholder.wide"),
    ("bare percent", "es", "100%% de", "100% de", "placeholder.broken"),
    ("other kind", "es", "al %(phone)s. R", "al {phone}. R", "placeholder.missing"),
    ("dropped in one plural form", "ru", "[1] \"Вы получите %(count)s", "[1] \"Вы получите", "placeholder.missing"),
    # Plural forms
    ("form missing", "es", 'msgstr[1] "Usted recibe %(count)s de mensajes."\n', "", "plural.missing"),
    ("form empty", "es", "Usted recibe %(count)s de mensajes.", "", "plural.empty"),
    ("form too many", "es", 'msgstr[2] "', 'msgstr[3] "x"\nmsgstr[2] "', "plural.extra"),
    ("forms all the same", "ru", "ALL", "Вы получите %(count)s сообщений.", "plural.identical"),
    ("Arabic 11-99 and 100 swapped", "ar", "SWAP", "45", "plural.swapped"),
    ("Arabic 3-10 and 11-99 swapped", "ar", "SWAP", "34", "plural.swapped"),
    ("Arabic 3-10 and 100 swapped", "ar", "SWAP", "35", "plural.swapped"),
    ("Arabic one and two swapped", "ar", "SWAP", "12", "plural.swapped"),
    ("one written as 1 where it is 21 too", "ru", "получите %(count)s сообщение.", "получите 1 сообщение.",
     "plural.hard_coded"),
    ("a number in the last form", "es", "recibe %(count)s mensajes", "recibe %(count)s (2) mensajes",
     "plural.hard_coded"),
    # Numbers
    ("time changed", "es", "9:30", "9:45", "number.changed"),
    ("time turned", "es", "9:30", "30:9", "number.time"),
    ("telephone number turned", "ar", "555-0199", "0199-555", "number.phone"),
    ("digit dropped", "es", "Responda 1 para", "Responda para", "number.changed"),
    ("native digits", "fa", "9:30", "۹:۳۰", "number.changed"),
    ("percentage changed", "es", "100%%", "10%%", "number.changed"),
    # Words of the carriers
    ("STOP translated", "es", "STOP para", "ALTO para", "reply.kept"),
    ("STOP in small letters", "es", "STOP para", "Stop para", "reply.kept"),
    ("STOP in Cyrillic", "ru", "STOP", "СТОП", "reply.kept"),
    ("a particle on STOP", "zh_Hans", "回复 STOP 退", "回复STOP退", "reply.kept"),
    ("a word that cancels", "es", "Responda 1", "Responda 1 o CANCELAR", "reply.forbidden"),
    ("a word that agrees", "es", "Responda 1", "Responda 1 o “sí”", "reply.forbidden"),
    # Terms
    ("term not used", "es", "Su infusión", "Su goteo", "glossary.required"),
    ("term not used, in Chinese", "zh_Hans", "副作用", "不良反应", "glossary.required"),
    ("a promise of safety", "es", "suelen ser leves", "son leves y es seguro", "glossary.forbidden"),
    ("a promise of a cure", "ru", "обычно лёгкие", "обычно лёгкие, это гарантировано", "glossary.forbidden"),
    ("advice of ours on driving", "es", "Avise a su", "No debe conducir. Avise a su", "glossary.forbidden"),
    ("kept term mistyped", "es", "(CRPS)", "(CPRS)", "glossary.kept"),
    ("familiar address", "zh_Hans", "您有问题", "你有问题", "glossary.avoid"),
    # Language
    ("left in English", "es", "Por favor, venga mañana a las 9:30 o llame al 555-0199",
     "Please come tomorrow at 9:30, or call 555-0199", "language.untranslated"),
    ("English with a change", "es", "¿Tiene alguna pregunta?", "Do you have any questions for us?", "language.wrong"),
    ("French in Spanish", "es", EFFECTS, FRENCH, "language.wrong"),
    ("Portuguese in Spanish", "es", SPANISH,
     "Você não tem SDRC (CRPS)? Tem uma pergunta?", "language.wrong"),
    ("Haitian Creole in Spanish", "es", SPANISH,
     "Ou gen SDRC (CRPS). Èske ou gen yon kesyon pou nou?", "language.wrong"),
    ("Filipino in Spanish", "es", SPANISH,
     "Mayroon po kayong SDRC (CRPS). May tanong po ba kayo?", "language.wrong"),
    ("Vietnamese in Spanish", "es", SPANISH,
     "Quý vị bị SDRC (CRPS). Quý vị có hỏi gì không?", "language.wrong"),
    ("Persian in Arabic", "ar", "لديكم متلازمة الألم (CRPS). هل لديكم سؤال؟",
     "شما سندرم درد (CRPS) دارید. آیا از ما پرسشی دارید؟", "language.wrong"),
    ("Latin letters in Russian", "ru", "Пожалуйста, приходите завтра в 9:30 или позвоните 555-0199",
     "Prihodite zavtra v 9:30 ili pozvonite 555-0199", "language.script"),
    ("Cyrillic in Spanish", "es", "Pasan en unas horas.", "Проходят за несколько часов.", "language.script"),
    ("traditional in simplified", "zh_Hans", "请明天 9:30 过来", "請明天 9:30 過來", "language.wrong"),
    ("Cyrillic С in CRPS", "es", "(CRPS)", "(СRPS)", "language.homoglyph"),
    ("Latin o inside Russian", "ru", "вопрос?", "вoпрос?", "language.homoglyph"),
    ("Greek omicron", "es", "Llame al", "Llame ahοra al", "language.homoglyph"),
    # Characters
    ("zero-width space", "es", "mañana", "ma\u200bñana", "character.hidden"),
    ("word joiner", "es", "mañana", "ma\u2060ñana", "character.hidden"),
    ("joiner where none is spelled", "es", "mañana", "ma\u200cñana", "character.hidden"),
    ("override", "es", "mañana", "\u202emañana", "character.direction"),
    ("isolate", "ar", "غدا", "\u2068غدا\u2069", "character.direction"),
    ("decomposed", "es", "mañana", "man\u0303ana", "character.decomposed"),
    ("mojibake", "es", "infusión", "infusiÃ³n", "character.mojibake"),
    ("broken letter", "es", "infusión", "infusi\ufffdn", "character.mojibake"),
    ("line separator", "es", "mañana a", "mañana\u2028a", "character.control"),
    ("vertical tab", "es", "mañana a", "mañana\u000ba", "character.control"),
    ("form feed", "es", "mañana a", "mañana\u000ca", "character.control"),
    ("end of transmission", "es", "mañana a", "mañana\u0004a", "character.control"),
    ("narrow no-break space", "es", "mañana a", "mañana\u202fa", "character.narrow_space"),
    ("curly quotes in an SMS that has none", "es", "Su infusión es el %(day)s. ¿Preguntas?",
     "Su “infusion” es el %(day)s. ¿Preguntas?", "character.dear"),
    # Spaces and ends
    ("doubled space", "es", "venga mañana", "venga  mañana", "spacing.space"),
    ("space at the end", "es", "555-0199\"", "555-0199 \"", "spacing.space"),
    ("line break at the end", "es", "llame al 555-0199\"", "llame al 555-0199\\n\"", "spacing.space"),
    ("word twice", "es", "llame al 555", "llame llame al 555", "spacing.word_twice"),
    ("question mark dropped", "es", "¿Tiene alguna pregunta?", "Tiene alguna pregunta", "spacing.end"),
    # Markup
    ("tag", "es", "mañana", "<b>mañana</b>", "markup.added"),
    ("entity", "es", "mañana", "ma&ntilde;ana", "markup.added"),
    ("template value", "es", "mañana", "{{ mañana }}", "markup.added"),
    ("template block", "es", "mañana", "{% if 1 %}mañana", "markup.added"),
    ("backtick", "es", "mañana", "`mañana`", "markup.added"),
    ("address", "es", "mañana", "mañana (https://x.example)", "markup.added"),
    # Length
    ("sentence dropped", "es", " Pasan en unas horas. Avise a su equipo médico, como pide el 100%% de ellos.",
     " Su equipo médico: 100%%.", "length.sentence"),
    ("SMS too long", "es", "Su infusión es el",
     "Le escribimos para recordarle con mucho gusto que su próxima infusión es el",
     "length.segments"),
    # Entries
    ("fuzzy", "es", "#, python-format", "#, fuzzy, python-format", "entry.fuzzy"),
    ("fuzzy in capitals", "es", "#, python-format", "#, Fuzzy", "entry.fuzzy"),
    ("fuzzy by the new sign", "es", "#, python-format", "#= fuzzy", "entry.fuzzy"),
    ("empty", "es", SPANISH, "", "entry.untranslated"),
    ("key edited", "es", LAST, 'msgctxt "e.crsp"', "entry.context"),
    ("English changed since", "es", "You have CRPS. Do you", "You may have CRPS. Do you", "entry.stale"),
    ("nobody's entry", "es", LAST, 'msgctxt "z"\nmsgid "Gone"\nmsgstr "Ido"\n\n' + LAST, "entry.orphan"),
    ("doubled entry", "es", LAST, AGAIN + LAST, "entry.doubled"),
    ("entry missing", "es", "CUT", "", "entry.missing"),
    # The header
    ("English rule in Russian", "ru", "RULE", "nplurals=2; plural=(n != 1)", "header.plural"),
    ("the Arabic rule with its last two forms turned", "ar", "? 4 : 5)", "? 5 : 4)", "header.plural"),
    ("code as a rule", "es", PLURAL_ES, "__import__('os')", "header.plural"),
    ("division by zero", "es", PLURAL_ES, "n / 0", "header.plural"),
    ("form out of range", "es", PLURAL_ES, "n", "header.plural"),
    ("plural bomb", "es", "nplurals=3", "nplurals=999999999", "header.plural"),
    ("rule missing", "es", '"Plural-Forms:', '"X-Forms:', "header.plural"),
    ("another language", "es", "Language: es", "Language: fr", "header.language"),
    ("no language", "es", '"Language: es\\n"\n', "", "header.language"),
    ("charset wrong", "es", "charset=utf-8", "charset=ISO-8859-1", "header.charset"),
    ("charset of a template", "es", "charset=utf-8", "charset=CHARSET", "header.charset"),
    ("date wrong", "es", "2026-11-21 12:00+0000", "2026-13-45 99:00", "header.date"),
    ("header fuzzy", "es", "# words", "#, fuzzy", "header.fuzzy"),
    ("header missing", "es", 'msgid ""\nmsgstr ""\n"Lang', 'msgctxt "x"\nmsgid "y"\nmsgstr ""\n"Lang',
     "header.missing"),
    # The file
    ("conflict", "es", LAST, "<<<<<<< HEAD\n" + LAST, "file.conflict"),
    ("conflict end", "es", LAST, ">>>>>>> theirs\n" + LAST, "file.conflict"),
    ("quotation mark lost", "es", 'venga mañana a las 9:30 o llame al 555-0199"', "venga mañana", "file.syntax"),
    ("nonsense", "es", LAST, "msgtxt \"e\"", "file.syntax"),
    ("zero byte", "es", "mañana", "mañ\x00ana", "file.nul"),
]  # fmt: skip


def planted(locale: str, old: str, new: str) -> str:
    text = catalog(locale)
    lines = text.split("\n")
    forms = [at for at, line in enumerate(lines) if line.startswith("msgstr[")]
    if old == "ALL":
        for at in forms:
            lines[at] = f'{lines[at][:10]}"{new}"'
        return "\n".join(lines)
    if old == "SWAP":
        first, second = (forms[int(digit)] for digit in new)
        lines[first], lines[second] = lines[first][:10] + lines[second][10:], lines[second][:10] + lines[first][10:]
        return "\n".join(lines)
    if old == "RULE":
        return "\n".join(f'"Plural-Forms: {new};\\n"' if "Plural-Forms" in line else line for line in lines)
    if old == "CUT":
        return text[: text.index("\n#, python-format\n" + LAST)]
    assert old in text, f"{old!r} is not in the catalog"
    before, _, after = text.rpartition(old)
    return before + new + after


@pytest.mark.parametrize(
    ("locale", "old", "new", "rule"), [case[1:] for case in PLANTED], ids=[case[0] for case in PLANTED]
)
def test_a_planted_defect_is_told_of_by_its_class(locale: str, old: str, new: str, rule: str) -> None:
    told = found(locale, planted(locale, old, new).encode())
    assert rule in {one.fault.rule for one in told}, [str(one) for one in told]
    for one in told:
        assert one.fault.what.endswith((".", "?"))
        assert one.fault.remedy
        assert one.fault.rule.partition(".")[0] in KINDS
        assert one.line > 0 or one.fault.rule in ("entry.missing", "language.wrong")


def test_there_are_more_than_sixty_of_every_family() -> None:
    assert len(PLANTED) >= 60
    assert {case[4].partition(".")[0] for case in PLANTED} == set(KINDS) - {"fact"}


RAW: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("byte order mark", lambda raw: b"\xef\xbb\xbf" + raw, "file.bom"),
    ("Latin-1", lambda raw: raw.decode().encode("latin-1"), "file.encoding"),
    ("UTF-16", lambda raw: raw.decode().encode("utf-16"), "file.encoding"),
    ("too big", lambda raw: raw + b"# x\n" * 600_000, "file.size"),
    ("broken off inside a text", lambda raw: raw[:-12], "file.truncated"),
    ("broken off before the translation", lambda raw: raw[: raw.rindex(b"msgstr")], "file.truncated"),
    ("nothing", lambda raw: b"", "header.missing"),
]


@pytest.mark.parametrize(("change", "rule"), [case[1:] for case in RAW], ids=[case[0] for case in RAW])
def test_bytes_that_are_no_catalog_are_told_of(change: Callable[[bytes], bytes], rule: str) -> None:
    assert rule in rules("es", change(catalog("es").encode()))


ADVICE = {"character.dear", "spacing.word_twice", "spacing.end", "glossary.avoid"}


def test_advice_never_blocks_and_all_else_does() -> None:
    for name, locale, old, new, rule in PLANTED:
        own = [one for one in found(locale, planted(locale, old, new).encode()) if one.fault.rule == rule]
        assert all(one.fault.blocking is (rule not in ADVICE) for one in own), name


@pytest.mark.parametrize("locale", HOUSE.languages)
def test_our_own_catalogs_are_clean(locale: str) -> None:
    told = check_locale(HOUSE, locale, LONGEST)
    assert [str(one) for one in told if one.fault.blocking] == []


def test_all_locales_are_checked_in_five_seconds() -> None:
    before = process_time()
    house = House(ROOT)
    for locale in house.languages:
        check_locale(house, locale, LONGEST)
    assert process_time() - before < 5


GOOD = sorted((Path(__file__).parent / "catalogs").glob("*.po"))


@pytest.mark.parametrize("path", GOOD, ids=[path.stem for path in GOOD])
def test_a_correct_catalog_of_another_project_raises_nothing(path: Path) -> None:
    assert [str(one) for one in check_file(HOUSE, path, path.parent / f"{path.stem.partition('.')[2]}.pot")] == []
    assert [str(one) for one in check_file(HOUSE, path, None)] == []


def test_there_are_eight_of_them() -> None:
    assert len(GOOD) >= 8


@pytest.mark.parametrize(("old", "new", "rule"), [
    ("al %(phone)s", "a nosotros", "placeholder.missing"),
    ("al %(phone)s", "al %(phone)d", "placeholder.unknown"),
    ("al %(phone)s", "al % (phone)s", "placeholder.broken"),
    ("100%% de", "100% de", "placeholder.broken"),
    ("9:30", "9:45", "number.changed"),
    ("STOP para", "ALTO para", "reply.kept"),
    ("mañana", "<b>mañana</b>", "markup.added"),
    ("mañana", "ma\u200bñana", "character.hidden"),
    ("de mensajes", "mensajes", None),
    ("infusión", "infusiÃ³n", "character.mojibake"),
    (PLURAL_ES, "n", "header.plural"),
    (LAST, 'msgctxt "e.crsp"', "entry.context"),
])  # fmt: skip
def test_a_catalog_that_is_not_ours_is_held_to_its_english(
    tmp_path: Path, old: str, new: str, rule: str | None
) -> None:
    po, pot = tmp_path / "es.po", tmp_path / "x.pot"
    text = catalog("es")
    pot.write_text(text, "utf-8")
    assert old in text
    before, _, after = text.rpartition(old)
    po.write_text(before + new + after, "utf-8")
    told = {one.fault.rule for one in check_file(HOUSE, po, pot)}
    assert told == set() if rule is None else rule in told


def run(*arguments: str) -> tuple[int, str]:
    said = CliRunner().invoke(app, ["check", *arguments])
    return said.exit_code, said.output


def test_the_command_speaks_to_people_and_to_programs(tmp_path: Path) -> None:
    po = tmp_path / "es.po"
    po.write_text(
        catalog("es").replace("al %(phone)s", "a la clínica", 1).replace("mañana", "ma\u0004ñana", 1), "utf-8"
    )
    code, said = run("--po", str(po))
    assert code == 1
    assert f"{po}:10: error in a.sms" in said
    assert "The placeholder %(phone)s is missing. Put %(phone)s where its value belongs." in said
    code, said = run("--po", str(po), "--format", "json")
    assert code == 1
    assert {row["rule"] for row in json.loads(said)["findings"]} == {"placeholder.missing", "character.control"}
    code, said = run("--po", str(po), "--format", "sarif")
    (sarif,) = json.loads(said)["runs"]
    assert {one["level"] for one in sarif["results"]} == {"error"}
    assert sarif["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 10
    code, said = run("--po", str(po), "--format", "junit")
    suite = ElementTree.fromstring(said)
    assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == [
        KINDS["placeholder"], KINDS["character"],
    ]  # fmt: skip


def test_a_clean_locale_is_said_to_be_clean() -> None:
    assert run("es") == (0, "es: clean\n")


@pytest.mark.parametrize("arguments", [["--format", "pdf"], ["--pot", "x.pot"]])
def test_a_wrong_command_line_is_told_of(arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    code, said = run("--po", str(tmp_path / "es.po"))
    assert (code, "cannot be read" in said) == (1, True)
