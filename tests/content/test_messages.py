"""Every message as it ships: in every language and wording, within its budget, on its facts, in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.content import back_translations, sequences
from outreach.content.compose import Values, Words
from outreach.content.measure import measure
from outreach.content.sources import OPERATIONAL, PARTS
from outreach.content.yaml_lines import read_yaml
from outreach.domain.channel import SPECS, Channel
from outreach.domain.segments import normalise
from outreach.errors import BadInput
from outreach.settings import ROOT
from tests import shipped

LOCALES = ("en", "es", "zh_Hans", "vi", "ar", "zh_Hant", "ko", "fil", "ru", "ht", "pt_BR", "fr", "fa")
SEQUENCE = ROOT / "config" / "sequences" / "ketamine-infusion.yaml"
# What nobody should read on a locked screen.
TELLING = {
    "en": r"ketamine|infusion|\bpain|crps|rsd|vein|treatment|medicine|dose|side effect",
    "es": r"ketamina|infusi|dolor|sdrc|vena|tratamiento|medicamento|dosis|efecto",
    "ar": r"كيتامين|تسريب|ألم|وريد|علاج|دواء|جرعة|الآثار",
    "zh_Hans": r"ketamine|氯胺酮|输液|点滴|疼|痛|CRPS|RSD|静脉|治疗|药|剂量|副作用|症",
    "zh_Hant": r"ketamine|氯胺酮|輸液|點滴|疼|痛|CRPS|RSD|靜脈|治療|藥|劑量|副作用|症",
    "vi": r"ketamin|truyền|đau|crps|tĩnh mạch|điều trị|thuốc|liều|tác dụng",
    "ko": r"케타민|주사|통증|crps|정맥|치료|(?<!예)약|부작용|증상",
    "fil": r"ketamin|infusion|pananakit|kirot|sakit|crps|rsd|ugat|vein|gamot|gamutan|dosis|side effect",
    "ru": r"кетамин|капельниц|инфузи|\bбол(ь|и|ью|ей)\b|крбс|crps|\bвен[ауы]|лечени|лекарств|\bдоз|побочн",
    "ht": r"ketamin|pèfizyon|doulè|crps|venn|tretman|medikaman|dòz|efè segondè",
    "pt_BR": r"[ck]etamina|infus|\bdor|crps|sdrc|\bveia|tratamento|medicament|remédio|dose|efeito",
    "fr": r"kétamine|perfusion|douleur|crps|sdrc|veine|traitement|médicament|dose|effet",
    "fa": r"کتامین|تزریق|درد|crps|\bرگ\b|درمان|دارو|عوارض|سرم",
}
PROMISES = r"\bsafe(ly|ty)?\b|\bcure|guarantee|will (help|relieve|heal)|depress|anxiet|alcohol|\bdriv|\beat\b|\bdrink"


def _cases(words: Words, part: str = "") -> list[tuple[str, str]]:
    """Every message (that has this part) in every wording."""
    keys = [key for key in words.keys if not part or f"messages/{key}/{part}" in words.parts]
    return [(key, wording) for key in keys for wording in ("full", "neutral")]


def test_every_language_is_complete(words: Words) -> None:
    assert words.locales == LOCALES


@pytest.mark.parametrize("step", sequences.load(SEQUENCE).steps, ids=lambda step: step.key)
def test_every_step_has_the_parts_of_its_channels(words: Words, step: sequences.Step) -> None:
    for channel in step.channels:
        for part in SPECS[channel].parts:
            assert f"messages/{step.key}/{part}" in words.parts


@pytest.mark.parametrize("locale", LOCALES)
def test_every_sms_can_be_said_with_the_longest_values(words: Words, values: Values, locale: str) -> None:
    wrong, most = [], 2 if locale == "en" else 3
    for key, wording in _cases(words):
        said = words.compose(key, Channel.SMS, locale, wording, values)
        right = {
            "normal": said.text == normalise(said.text),
            f"within {most} segments": said.segments <= most,
            "the clinic's name first": said.text.lstrip("\u200f").startswith(values.clinic),
            "filled in": not re.search(r"%\(|\{|\}|  ", said.text),
        }
        wrong += [f"{key} {wording} is not {what}: {said.text}" for what, holds in right.items() if not holds]
    assert wrong == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_email_can_be_said_three_ways(words: Words, values: Values, locale: str) -> None:
    wrong, tag = [], f'lang="{locale.replace("_", "-")}"'
    for key, wording in _cases(words, "body.md"):
        said = words.compose(key, Channel.EMAIL, locale, wording, values)
        three = (said.text, said.html, words.page(key, locale, wording, values))
        right = {
            "a subject that fits": 0 < len(said.subject or "") <= 100,
            "a way out in both": values.unsubscribe in said.text and values.unsubscribe in (said.html or ""),
            "all filled in": not any(re.search(r"%\(|\{\{|\{%", one or "") for one in three),
            "its language named": (said.html or "").count(tag) >= 3,
        }
        wrong += [f"{key} {wording} has not {what}" for what, holds in right.items() if not holds]
    assert wrong == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_visit_told_by_the_clinics_clock_still_leaves(words: Words, values: Values, locale: str) -> None:
    far = values._replace(zone="America/Toronto", clinic_zone="America/Vancouver")
    for key in words.keys:
        assert words.compose(key, Channel.SMS, locale, "full", far).segments <= 4


def test_without_a_next_visit_two_weeks_has_its_own_words(words: Words, values: Values) -> None:
    without = words.compose("post.two_weeks", Channel.SMS, "en", "full", values._replace(next_visit=None))
    assert "Next visit" not in without.text


@pytest.mark.parametrize("locale", LOCALES)
def test_neutral_words_tell_nothing(words: Words, values: Values, locale: str) -> None:
    quiet = values._replace(clinic="Harbourview", instructions="")
    told = []
    for key in words.keys:
        said = words.compose(key, Channel.SMS, locale, "neutral", quiet).text
        if f"messages/{key}/body.md" in words.parts:
            mail = words.compose(key, Channel.EMAIL, locale, "neutral", quiet)
            # A subject is read on the locked screen, whichever wording is inside.
            said += f"{mail.subject}{mail.text}{words.compose(key, Channel.EMAIL, locale, 'full', quiet).subject}"
        if found := re.search(TELLING[locale], said, re.IGNORECASE):
            told.append((key, found[0]))
    assert told == []


def test_every_part_names_facts_that_exist(words: Words) -> None:
    known = set(read_yaml(ROOT / "config" / "facts.yaml")) | {OPERATIONAL}
    for name, part in words.parts.items():
        if name.startswith("messages/"):
            assert part.facts, f"{name} names no facts"
            assert set(part.facts) <= known, name
            assert OPERATIONAL not in part.facts or len(part.facts) == 1, name


def test_a_part_that_claims_no_facts_says_nothing_medical(words: Words) -> None:
    for name, part in words.parts.items():
        if part.facts == (OPERATIONAL,) and not name.startswith("messages/pre.tomorrow/"):
            for unit in part.units:
                assert not re.search(TELLING["en"], unit.text, re.IGNORECASE), unit.place


def test_no_message_promises(words: Words) -> None:
    for unit in words.units.values():
        assert not re.search(PROMISES, unit.text, re.IGNORECASE), unit.place


def test_english_reads_at_grade_six_or_lower(words: Words, values: Values) -> None:
    prose = {f"{key}/{part}": _prose(words, values, key, part) for key in words.keys for part in PARTS}
    read = {name: said for name, said in prose.items() if said and not name.endswith("/subject.txt")}
    assert read
    assert {name: (round(_grade(said), 1), said) for name, said in read.items() if _grade(said) > 5} == {}


def _grade(text: str) -> float:
    """Flesch-Kincaid. textstat fetches its dictionary from the network at run time, so syllables are counted here:
    groups of vowels, less a silent e. The CMU dictionary finds these texts up to one grade harder: so five, not six."""
    words = re.findall(r"[A-Za-z'-]+", text)
    sentences = len(re.findall(r"[.?!]+(?:\s|$)", text))
    syllables = sum(map(_syllables, words))
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = bool(re.search(r"[^aeiouyl]es?$|[^aeioutdy]ed$", word.lower())) and not re.search(
        r"[sxzcg]es$", word.lower()
    )
    return max(groups - silent, 1)


def _prose(words: Words, values: Values, key: str, part: str) -> str:
    """The words alone: names, numbers and addresses are not ours to make easy."""
    found = words.parts.get(f"messages/{key}/{part}")
    if found is None:
        return ""
    texts = [re.sub(r"%\(\w+\)s:?", "", unit.plural or unit.text).strip() for unit in found.units]
    return " ".join(text if text[-1:] in ".?!:" else f"{text}." for text in texts if text)


def test_nine_words_in_a_row_of_the_seeds_are_nowhere(words: Words, shared: Callable[[str], Path]) -> None:
    taken: set[tuple[str, ...]] = set()
    for name in ("000_3b2a2de63e8de373.txt", "001_bfab702f332ecea6.txt"):
        taken |= _runs(shared(f"seeds/{name}").read_text("utf-8"))
    assert taken
    for unit in words.units.values():
        assert not taken & _runs(unit.text), unit.place
    assert not taken & _runs((ROOT / "config" / "facts.yaml").read_text("utf-8"))


def _runs(text: str) -> set[tuple[str, ...]]:
    plain = re.findall(r"[a-z']+", text.lower().replace("\u2019", "'"))
    return {tuple(plain[at : at + 9]) for at in range(len(plain) - 8)}


def test_the_opt_in_says_what_it_must(words: Words, values: Values) -> None:
    said = words.compose("consent.request", Channel.SMS, "en", "neutral", values).text
    for needed in (values.clinic, "a week", "not encrypted", "Msg & data rates may apply", "Reply 1", "HELP", "STOP"):
        assert needed in said
    mail = words.compose("consent.request", Channel.EMAIL, "en", "neutral", values)
    assert values.link in mail.html
    assert f": {values.link}" in mail.text
    assert values.link not in words.page("consent.request", "en", "neutral", values)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("key", ["consent.request", "consent.confirmed", "pre.the_day", "neutral", "reply.help"])
def test_the_way_out_stands_in_latin_capitals(words: Words, values: Values, locale: str, key: str) -> None:
    asked = "pre.the_day" if key == "neutral" else key
    wording = "neutral" if key == "neutral" else "full"
    assert re.search(r"\bSTOP\b", words.compose(asked, Channel.SMS, locale, wording, values).text)


NEEDS = [
    ("pre.the_day", Channel.SMS, {"visit_start": None}, "day"),
    ("pre.tomorrow", Channel.SMS, {"clinic_address": ""}, "address"),
    ("visit.moved", Channel.SMS, {"old_start": None}, "old_day"),
    ("post.first_hours", Channel.SMS, {"emergency": ""}, "emergency"),
    ("consent.request", Channel.EMAIL, {"link": ""}, "link"),
    ("post.first_days", Channel.EMAIL, {"unsubscribe": ""}, "unsubscribe"),
]


@pytest.mark.parametrize(("key", "channel", "without", "named"), NEEDS, ids=[need[0] for need in NEEDS])
def test_a_missing_value_is_refused_by_name(
    words: Words, values: Values, key: str, channel: Channel, without: dict[str, None], named: str
) -> None:
    with pytest.raises(BadInput, match=f"'{named}'"):
        words.compose(key, channel, "ar", "full", values._replace(**without))


def test_what_does_not_exist_is_refused_with_what_does(words: Words, values: Values) -> None:
    with pytest.raises(BadInput, match=r"consent\.request"):
        words.compose("pre.nothing", Channel.SMS, "en", "full", values)
    with pytest.raises(BadInput, match="en, es, zh_Hans"):
        words.compose("pre.the_day", Channel.SMS, "tlh", "full", values)
    with pytest.raises(BadInput, match="full or neutral"):
        words.compose("pre.the_day", Channel.SMS, "en", "loud", values)
    with pytest.raises(BadInput, match=r"body\.md|subject\.txt"):
        words.compose("reply.help", Channel.EMAIL, "en", "full", values)
    with pytest.raises(BadInput, match=r"page\.nothing"):
        words.ui("page.nothing", "en")


def test_a_clinics_own_text_is_shown_as_it_is(words: Words, values: Values) -> None:
    own = values._replace(instructions="Bring <b>this</b> *card*\n\n1. Ring [here](javascript:x) & wait")
    page = words.page("pre.the_day", "en", "full", own)
    assert "<p>Bring &lt;b&gt;this&lt;/b&gt; *card*</p>" in page
    assert "<p>1. Ring [here](javascript:x) &amp; wait</p>" in page
    assert "From your clinic" not in words.page("pre.the_day", "en", "full", values)


def test_a_clinics_name_is_no_template_and_no_markup(words: Words, values: Values) -> None:
    odd = values._replace(clinic="{{ 7*7 }} %(phone)s <i>_x_</i>\u202e")
    content = words.compose("visit.cancelled", Channel.EMAIL, "en", "full", odd)
    assert content.subject.startswith("{{ 7*7 }} %(phone)s <i>_x_</i>:")
    assert "<i>" not in content.html
    assert "{{ 7*7 }} %(phone)s &lt;i&gt;_x_&lt;/i&gt;" in content.html


def test_the_longest_values_are_measured_for_all(words: Words) -> None:
    found = measure(words, ROOT / "config" / "longest.yaml")
    assert len(found) == len(LOCALES) * len(_cases(words))
    assert not [one for one in found if one.over]


@pytest.mark.parametrize("locale", sorted(set(shipped.words().locales) - {"en"}))
def test_the_answer_to_a_stop_says_in_every_language_that_mails_end_too(locale: str) -> None:
    """By what was read back: STOP by text ends every channel, and the one confirmation must say what was stopped."""
    readings = back_translations.load(ROOT / "locales" / locale / "back.yaml")
    for key in ("reply.stopped.sms", "reply.stopped_all.sms", "reply.stopped_visit.sms"):
        forms = shipped.words().voices[locale].catalog.forms[key]
        assert readings[key].of == back_translations.fingerprint(tuple(forms)), key
        assert re.search(r"[Tt]ext|SMS", readings[key].says[0]), key
        assert "e-mail" in readings[key].says[0], key


SAID_OF_THE_QUESTION = (
    "care|visit|appointment", "week", "[Nn]ot encrypted|without encryption", "other|anyone|someone",
    "rate|charge|fee|cost", "agree|accept|yes",
)  # fmt: skip


@pytest.mark.parametrize("locale", sorted(set(shipped.words().locales) - {"en"}))
def test_the_question_whether_we_may_write_says_in_every_language_all_that_it_must(locale: str, words: Words) -> None:
    """By what stands in the text, and for what only a reader understands, by what was read back."""
    said = words.voices[locale].catalog.forms["consent.request.sms"]
    for needed in ("%(clinic)s", "%(frequency)s", "1", "HELP", "STOP"):
        assert needed in said[0], needed
    reading = back_translations.load(ROOT / "locales" / locale / "back.yaml")["consent.request.sms"]
    assert reading.of == back_translations.fingerprint(tuple(said))
    for what in SAID_OF_THE_QUESTION:
        assert re.search(what, reading.says[0]), what
