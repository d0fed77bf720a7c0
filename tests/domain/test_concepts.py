"""Ideas in a reply: what stands near one another, what takes it back, and words misspelt or in other letters."""

from __future__ import annotations

import pytest

from outreach.domain.concepts import Rule, Sense
from outreach.domain.passage import Passage
from outreach.domain.patterns import Form
from outreach.domain.replies import understand
from tests import shipped

CHEST = Rule("urgent", (("chest",), ("pain",)), "chest", within=2, unless=("gone",))
FORMS = [
    Form("chest", "en", "chest"), Form("chest", "fil", "*dibdib*"), Form("pain", "fil", "sakit"),
    Form("pain", "en", "hurt*"), Form("gone", "en", "better"), Form("again", "en", "again"),
    Form("chest", "zh_Hans", "胸口"), Form("pain", "zh_Hans", "痛"), Form("chest", "vi", "ngực"),
    Form("pain", "vi", "đau"),
]  # fmt: skip
SENSE = Sense(FORMS, [CHEST], also={"zh_Hans": ("zh_Hant",)}, variants={ord("點"): "点"})


def sensed(text: str) -> tuple[str, ...]:
    passage = Passage.of(text, SENSE.variants)
    return next((one.locales for one in SENSE.sensed(passage, SENSE.hits(passage), "urgent")), ())


@pytest.mark.parametrize(
    ("text", "locales"),
    [
        ("my chest hurts", ("en",)),
        ("hurting in my chest", ("en",)),
        ("my chets hurts", ("en",)),
        ("my cheet hurts", ()),
        ("chest is one two three four hurts", ()),
        ("chest. one hurts", ()),
        ("my chest hurts, better now", ()),
        ("it was better, now my chest hurts again", ("en",)),
        ("sakit sa dibdibko", ("fil",)),
        ("my chest sakit", ()),
        ("胸 口好痛", ("zh_Hans", "zh_Hant")),
        ("胸口一點痛", ("zh_Hant", "zh_Hans")),
        ("胸口今天早上起来一直觉得痛", ()),
        ("đau ngực", ("vi",)),
        ("dau nguc", ("vi",)),
        ("đầu ngực", ()),
    ],
)
def test_ideas_near_one_another_make_a_rule(text: str, locales: tuple[str, ...]) -> None:
    assert sensed(text) == locales


def test_what_denies_an_alarm_hides_no_other() -> None:
    words = shipped.replies()
    quiet = (
        "no chest pain, no trouble breathing", "my dog had a seizure so I am late", "I'm dying to know the result",
        "is my emergency contact on file", "sin dolor de pecho", "没有胸痛，就是犯困", "가슴 통증은 없고 졸려요",
    )  # fmt: skip
    assert [text for text in quiet if understand(text, words).urgent] == []
    loud = (
        "no chest pain but I can't breathe", "my dog is fine, my chest hurts", "no puedo respirar bien",
        "my dog barks and I can't breathe", "lol my chest hurts",
        "last year I was fine, now I can't breathe", "hahaha I want to die", "no fever, chest pain",
        "sin dolor en la pierna pero me aprieta el pecho",
        "no tengo dolor, se me cierra la garganta", "吸唔到氣好辛苦",
    )  # fmt: skip
    assert [text for text in loud if not understand(text, words).urgent] == []


def test_who_wants_the_messages_is_not_stopped_and_who_ends_them_is() -> None:
    words = shipped.replies()
    wanted = (
        "don't stop the reminders, I forget everything", "please keep sending these", "no paren de mandar los avisos",
        "cancel my Thursday please and put me down for Friday", "should I quit drinking coffee",
    )  # fmt: skip
    assert [text for text in wanted if understand(text, words).kind == "stop"] == []
    unwanted = (
        "don't stop to think, stop texting me", "I keep telling you: no more texts",
        "cancel my Thursday texts for good", "this phone is tired of your pings",
        "cancel my appointment", "unsubscrieb me from this", "no, stop",
    )  # fmt: skip
    assert [text for text in unwanted if understand(text, words).kind != "stop"] == []


def test_one_word_said_a_thousand_times_is_read_in_time() -> None:
    assert understand("no chest pain stop text " * 500, shipped.replies()).kind == "stop"
