"""By when a person must have looked: at a symptom soon after an infusion, within the hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from outreach.domain.deadlines import DUE, SYMPTOM_DUE, days_after, due_at
from outreach.domain.replies import understand
from tests import shipped

NOW = datetime(2026, 12, 10, 3, tzinfo=UTC)  # the 9th, 21:00, in Chicago; the 10th, noon, in Tokyo
HOURS = timedelta(hours=1)


def test_days_after_an_infusion_are_those_of_the_patients_calendar() -> None:
    for ago, zone, days in [
        ([2 * HOURS], "America/Chicago", 0),
        ([22 * HOURS], "America/Chicago", 1),
        ([22 * HOURS], "Asia/Tokyo", 1),
        ([10 * HOURS], "Asia/Tokyo", 0),
        ([16 * HOURS], "Asia/Tokyo", 1),
        ([200 * HOURS, 50 * HOURS], "America/Chicago", 2),
        ([90 * HOURS], "America/Chicago", 3),
        ([92 * HOURS], "America/Chicago", 3),
        ([98 * HOURS], "America/Chicago", None),
        ([-2 * HOURS], "America/Chicago", None),
        ([-2 * HOURS, 30 * HOURS], "America/Chicago", 1),
        ([], "America/Chicago", None),
    ]:
        assert days_after([NOW - one for one in ago], zone, NOW) == days, (ago, zone)


def test_only_a_symptom_soon_after_an_infusion_shortens_a_deadline_and_none_is_lengthened() -> None:
    for kind, usual in DUE.items():
        assert due_at(kind, NOW) == NOW + usual
        assert due_at(kind, NOW, 0) == due_at(kind, NOW, 3) == NOW + min(usual, SYMPTOM_DUE)


def test_a_symptom_is_heard_in_every_language_and_ordinary_words_are_none() -> None:
    words = shipped.replies()
    told = (
        "can't stop vomiting", "feeling a bit dizzy but fine", "my fingers are numb", "I see double vision",
        "bad headache since last night", "palpitations again", "I have a rash on my arm", "I can't sleep at all",
        "estoy mareada", "no puedo dormir", "estou com dor de cabeça", "não consigo dormir", "j'ai des vertiges",
        "je n'arrive pas à dormir", "tèt mwen ap vire", "mwen pa ka dòmi", "nahihilo ako", "hindi ako makatulog",
        "кружится голова", "не могу уснуть", "عندي دوخة", "لا أستطيع النوم", "سرگیجه دارم", "نمی‌توانم بخوابم",
        "어지러워요", "잠을 못 자요", "tôi bị chóng mặt", "tôi không ngủ được", "我头晕", "我睡不着", "我頭暈",
        "噁心想吐",
    )  # fmt: skip
    assert [text for text in told if not understand(text, words).symptom] == []
    ordinary = (
        "what time is my appointment", "can I bring my daughter", "thank you so much", "ok see you then",
        "where do I park", "¿a qué hora es mi cita?", "gracias, nos vemos", "merci beaucoup", "à quelle heure ?",
        "mèsi anpil", "salamat po", "спасибо большое", "شكرا جزيلا", "ممنونم", "감사합니다", "cảm ơn bác sĩ", "谢谢你",
    )  # fmt: skip
    assert [text for text in ordinary if understand(text, words).symptom] == []
