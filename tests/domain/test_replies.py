"""Replies: what patients write, in their scripts and spellings, and what it means."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outreach.domain.folding import fold
from outreach.domain.replies import ReplyWords, understand
from outreach.domain.wording import Tokens
from tests import shipped

WORDS = shipped.replies()
STOPS = WORDS.of("stop")


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        pytest.param("STOP", "en", id="the word"),
        pytest.param("  sToP \n", "en", id="any case"),
        pytest.param("Stop!!! 🛑", "en", id="emoji and exclamation"),
        pytest.param("stop please", "en", id="politely"),
        pytest.param("please stop texting me", "en", id="in a sentence"),
        pytest.param("s.t.o.p", "en", id="spelled out"),
        pytest.param("stoooop", "en", id="drawn out"),
        pytest.param("ＳＴＯＰ", "en", id="full-width"),
        pytest.param("St\u00ado\u200bp", "en", id="invisible characters inside"),
        pytest.param("STÓP", "en", id="a stray accent"),
        pytest.param("opt-out", "en", id="with a hyphen"),
        pytest.param("1 stop", "en", id="beside a digit"),
        pytest.param("stop start", "en", id="beside start"),
        pytest.param("Parar, por favor", "es", id="es, politely"),
        pytest.param("NO MÁS", "es", id="es phrase"),
        pytest.param("no mas", "es", id="es phrase without accent"),
        pytest.param("Por favor no más mensajes", "es", id="es phrase in a sentence"),
        pytest.param("إيقاف", "ar", id="ar"),
        pytest.param("ايقاف", "ar", id="ar without hamza"),
        pytest.param("إِيقَافٌ", "ar", id="ar with harakat"),
        pytest.param("ايقـــاف", "ar", id="ar stretched"),
        pytest.param("\u2067إيقاف\u2069", "ar", id="ar isolated"),
        pytest.param("أريد إيقاف الرسائل", "ar", id="ar in a sentence"),
        pytest.param("والإلغاء", "ar", id="ar with and-the"),
        pytest.param("قف من فضلك", "ar", id="ar, politely"),
        pytest.param("arrêt", "fr", id="fr"),
        pytest.param("стоп", "ru", id="ru"),
        pytest.param("我想取消预约", "zh_Hans", id="zh without spaces"),
        pytest.param("취소해주세요", "ko", id="ko with an ending"),
        pytest.param("Dừng lại", "vi", id="vi with its tone"),
        pytest.param("DUNG", "vi", id="vi without marks, alone"),
        pytest.param("iptal", "tr", id="tr without the dot"),
        pytest.param("İPTAL", "tr", id="tr with the dot"),
    ],
)
def test_this_means_stop(text: str, locale: str) -> None:
    said = understand(text, WORDS)
    assert (said.kind, said.locale) == ("stop", locale)
    assert text not in said.why or text.strip() in {word.text for word in STOPS}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("no más dolor, gracias", id="es no more pain"),
        pytest.param("tengo la presión baja", id="es low blood pressure"),
        pytest.param("Đúng", id="vi right"),
        pytest.param("Toi la Huy", id="vi a name without marks"),
        pytest.param("le lit est dur", id="fr hard"),
        pytest.param("see you at the weekend", id="end inside a word"),
        pytest.param("I was stopped by traffic", id="another form"),
        pytest.param("هذا الوقف", id="ar a longer word around a short one"),
        pytest.param("", id="nothing"),
        pytest.param("🤔", id="only an emoji"),
    ],
)
def test_this_does_not_mean_stop(text: str) -> None:
    assert understand(text, WORDS).kind == "other"


@pytest.mark.parametrize("text", ["please stop texting me", "CANCEL", "取消", "I want you to stop, and I mean it"])
def test_a_stop_that_may_mean_more_is_obeyed_and_shown_to_a_person(text: str) -> None:
    said = understand(text, WORDS)
    assert said.kind == "stop"
    assert said.doubtful


@pytest.mark.parametrize(
    "text", ["👍", "gracias", "Thanks so much! 🙏", "ok gracias", "谢谢", "شكرا جزيلا ❤️", "네 감사합니다"]
)
def test_thanks_need_nobody(text: str) -> None:
    said = understand(text, WORDS)
    assert (said.kind, said.doubtful, said.urgent) == ("thanks", False, ())


def test_a_stop_can_be_urgent_as_well() -> None:
    said = understand("STOP, I can't breathe", WORDS)
    assert (said.kind, said.urgent) == ("stop", ("breathing",))


@pytest.mark.parametrize("text", ["I need to reschedule, sorry", "What do I owe? Please ring me"])
def test_a_wish_names_the_word_that_told_it(text: str) -> None:
    said = understand(text, WORDS)
    assert (said.kind, bool(said.wish)) == ("other", True)
    word = said.why.split('"')[1]
    assert fold(word) in fold(text)


def test_a_plain_stop_needs_nobody() -> None:
    assert not understand("stop", WORDS).doubtful


def test_a_word_of_several_languages_names_them_all() -> None:
    assert set(understand("توقف", WORDS).locales) == {"ar", "fa"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1", "1"), (" 2 ", "2"), ("1.", "1"), ("(2)", "2"), ("1 ✅", "1"), ("1️⃣", "1"),
        ("１", "1"), ("١", "1"), ("۱", "1"),
        ("٢", "2"), ("۲.", "2"), ("\u200f١", "1"), ("1 gracias", "1"), ("شكرا ١", "1"), ("१", "1"),
    ],
)  # fmt: skip
def test_a_digit_is_an_answer_in_any_script(text: str, answer: str) -> None:
    said = understand(text, WORDS, "pre.the_day")
    assert (said.kind, said.answer) == ("answer", answer)


@pytest.mark.parametrize("text", ["12", "3", "1 2", "1 or 2?", "at 1 pm", "0", "½"])
def test_what_is_no_single_digit_is_for_a_person(text: str) -> None:
    assert understand(text, WORDS, "pre.the_day").kind == "other"


@pytest.mark.parametrize("text", ["yes", "Yes!", "Sí", "si", "نعم", "1", "١"])
def test_agreement_to_the_request(text: str) -> None:
    said = understand(text, WORDS, "consent.request")
    assert (said.kind, said.answer) == ("answer", "1")


@pytest.mark.parametrize("text", ["yes but what does it cost", "not yes", "ok", "START", "maybe 1"])
def test_what_is_not_clearly_yes_does_not_agree(text: str) -> None:
    said = understand(text, WORDS, "consent.request")
    assert said.answer is None


def test_yes_to_a_question_with_two_digits_is_for_a_person() -> None:
    said = understand("yes", WORDS, "post.check_in")
    assert (said.kind, said.doubtful) == ("other", True)


@pytest.mark.parametrize("text", ["START", "unstop", "yes", "iniciar", "ابدأ"])
def test_this_means_start(text: str) -> None:
    assert understand(text, WORDS).kind == "start"


@pytest.mark.parametrize("text", ["start sending again", "when do we start", "yes I will"])
def test_start_counts_only_as_the_whole_message(text: str) -> None:
    assert understand(text, WORDS).kind == "other"


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [("HELP", False), ("info", False), ("ayuda por favor", False), ("مساعدة", False), ("help I cannot breathe", True)],
)
def test_this_means_help(text: str, doubtful: bool) -> None:
    said = understand(text, WORDS)
    assert (said.kind, said.doubtful) == ("help", doubtful)


@pytest.mark.parametrize("locale", sorted({word.locale for word in STOPS}))
def test_every_stop_word_stops_whatever_was_asked(locale: str) -> None:
    missed = []
    for text in dict.fromkeys(word.text for word in STOPS if word.locale == locale):
        said = {(text, None), (text, "consent.request"), (text, "pre.the_day")}
        said |= {(f"{text} 🙏.", "pre.the_day"), (text.lower(), "pre.the_day")}
        missed += [one for one in said if understand(one[0], WORDS, one[1]).kind != "stop"]
    assert missed == []


def test_what_stops_something_else_is_no_stop_and_hides_none() -> None:
    elsewhere = (
        "can I stop by at 9", "the bus stop on Main", "should I stop taking my pills", "I can't stop crying",
        "voy a parar en la tienda", "tengo el colesterol alto", "l'arrêt de bus est loin ?", "je m'arrête à la gare",
        "vou parar na farmácia", "m ap kanpe nan estasyon an", "tôi có ngừng uống thuốc không", "要停止服药吗",
        "هل اوقف الدواء", "надо прекратить приём таблеток?", "약을 중단해야 하나요", "b4 10am", "st 5 room 1a",
    )  # fmt: skip
    assert [text for text in elsewhere if understand(text, WORDS).kind != "other"] == []
    all_the_same = (
        "I am at the bus stop. STOP", "stop by, no, stop texting me", "should I stop taking my pills? and stop writing",
        "voy a parar en la tienda. paren de escribirme", "bus stop: stop", "stop taking my number, stop", "st0p",
        "ST0P!", "bus stop stop", "voy a parar por mi medicina. PARAR", "m ap kanpe nan bis la, kanpe", "unsubscr1be",
        "please st0p texting", "l'arrêt de bus. ARRÊT", "停止服药。停止", "약을 중단. 문자 중단",
    )  # fmt: skip
    assert [text for text in all_the_same if understand(text, WORDS).kind != "stop"] == []


@given(
    st.text(max_size=40),
    st.sampled_from([word for word in STOPS if word.anywhere and not word.bare]),
    st.text(max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_a_stop_word_among_any_other_words_stops(before: str, word: object, after: str) -> None:
    text = f"{before} {word.text} {after}"  # type: ignore[attr-defined]
    assume(not WORDS.inside("elsewhere", Tokens.of(text)))  # "parar al": something else stops
    assert understand(text, WORDS).kind == "stop"


@given(st.text(max_size=60), st.sampled_from([None, "consent.request", "pre.the_day"]))
@settings(max_examples=300, deadline=None)
def test_any_text_has_a_meaning_and_a_start_or_answer_never_hides_a_stop(text: str, asked: str | None) -> None:
    said = understand(text, WORDS, asked)
    assert (said.answer is not None) == (said.kind == "answer")
    if said.kind in ("start", "answer"):
        assert not any(word in fold(text).split() for word in ("stop", "unsubscribe", "cancel"))


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_plain_english_is_folded_as_everything_else_is() -> None:
    every = "".join(map(chr, range(1, 128)))
    assert fold(every + " é") == fold(every) + " e"
    assert fold(every + " é", marks=True) == fold(every, marks=True) + " é"


def test_an_endless_message_is_read_in_time() -> None:
    assert understand("pain " * 100_000, WORDS).kind == "other"


def test_without_words_only_digits_mean_something() -> None:
    assert understand("STOP", ReplyWords(())).kind == "other"
    assert understand("1", ReplyWords(())).answer == "1"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("unsubscrbe", "stop"), ("Unsubscirbe!", "stop"), ("unsusbcribe please", "stop"), ("desabonnner", "stop"),
     ("cancelra", "stop"), ("cancer", "other"), ("unscrewed", "other"), ("vendredi", "other"), ("tomorrow", "other")],
)  # fmt: skip
def test_one_wrong_letter_in_a_long_stop_word_still_stops(text: str, kind: str) -> None:
    said = understand(text, WORDS)
    assert (said.kind, said.doubtful) == (kind, kind == "stop")
