"""Links: what they show to whom, to a crawler, to a messenger's preview, and when they are old, foreign or garbled."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import structlog
from sqlalchemy import event, update

from outreach.actions import withdraw
from outreach.actions.approve import DEMO, approve
from outreach.content.instructions import as_text
from outreach.domain.approval import TOPICS
from outreach.domain.channel import Channel
from outreach.store import patients
from outreach.store.tables import Patient
from outreach.store.vault import Vault
from outreach.web.patient import reader
from tests.web.house import NOW, House, add_clinic
from tests.web.links import STEPS, everything, hold, set_clinic

BOTS = ("WhatsApp/2.23.20.0", "facebookexternalhit/1.1", "TelegramBot (like TwitterBot)", "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (compatible; Google-Safety)", "SkypeUriPreview Preview/0.5")  # fmt: skip
PLACES = ("", "/preferences", "/privacy")
STATIC = Path(reader.__file__).parents[1] / "static"
LIMIT = 30_000


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


def test_no_link_of_any_message_changes_anything_when_it_is_followed(house: House) -> None:
    held = hold(house)
    tokens = [*held.tokens.values(), *(house.message(held.patient_id, s)[1] for s in ("consent.request", "reply.help"))]
    before, browser = everything(house), house.browser()
    seen, met, waiting = set[str](), set[str](), [f"/{kind}/{token}" for token in tokens for kind in "pu"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for turn, method in enumerate((browser.get, browser.head)):
            answer = method(path, headers={"User-Agent": BOTS[(len(seen) + turn) % len(BOTS)]})
            assert answer.status_code in (200, 404, 405, 410), path
            found = [link.split("#")[0] for link in re.findall(r'(?:href|action|src)="(/[^"]*)"', answer.text)]
            for link in found:
                # Each page of each link, and each page in each language: of one link, for twelve cost twenty seconds.
                tongue = re.sub(r"^(/.)/[^/?]+", r"\1", link) if "?in=" in link else link
                if link not in seen and tongue not in met:
                    met.add(tongue)
                    waiting.append(link)
    assert {
        f"{page}?in={one}" for page in ("/u", *("/p" + at for at in PLACES)) for one in house.out.words.locales
    } <= met
    assert {f"/p/{tokens[1]}/answer", f"/p/{tokens[1]}/stop", f"/p/{tokens[1]}/visit.ics"} <= seen
    assert everything(house) == before


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_a_preview_tells_nothing(house: House, place: str, locale: str) -> None:
    held = hold(house, locale)
    html = house.browser().get(f"/p/{held.tokens['pre.the_day']}{place}", headers={"User-Agent": BOTS[0]}).text
    head = html[: html.index("</head>")]
    say = house.out.words.ui
    assert f'og:title" content="{say("page.title", locale)}"' in head
    assert f'og:description" content="{say("page.preview", locale)}"' in head
    assert f'name="description" content="{say("page.preview", locale)}"' in head
    assert "og:image" not in head
    for told in ("North", "Ana", "infusion", "infusión", "2026", "Sample Street", "555"):
        assert told.lower() not in head.lower()


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_no_page_weighs_more_than_30_kb_with_all_it_loads(house: House, locale: str) -> None:
    set_clinic(house, directions="Bus 4 to the stop at the park, then the blue door.\n" * 12)
    own = [as_text(topic, locale, "One line of our own.\n" * 28, "One line.") for topic in TOPICS]
    with house.out.sessions.begin() as session:
        approve(session, house.clinic_id, own, DEMO, NOW)
    held, browser = hold(house, locale), house.browser()
    for step in STEPS:
        for place in PLACES:
            page = browser.get(f"/p/{held.tokens[step]}{place}")
            assert page.status_code == 200
            loaded = re.findall(r'<(?:link rel="(?:stylesheet|icon)" href|img src|script src)="([^"]+)"', page.text)
            assert all(one.startswith("/static/") for one in loaded)
            weight = len(page.content) + sum((STATIC / one[8:].split("?")[0]).stat().st_size for one in loaded)
            assert weight < LIMIT, f"{step}{place}: {weight}"


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_a_reader_can_look_in_another_language_and_nothing_changes(house: House, locale: str) -> None:
    held, browser = hold(house), house.browser()
    before = everything(house)
    language = house.out.words.language(locale)
    for place in PLACES:
        html = browser.get(f"/p/{held.tokens['pre.the_day']}{place}?in={locale}").text
        assert f'<html lang="{locale}" dir="{language.direction}">' in html
    assert '<html lang="en"' in browser.get(f"/p/{held.tokens['pre.the_day']}?in=<script>").text
    assert everything(house) == before


def test_a_link_with_something_stuck_to_its_end_still_leads_there(house: House) -> None:
    token = hold(house).tokens["pre.the_day"]
    for end in (".", ")", "%C2%BB", ",", "%E2%81%A9"):
        assert house.browser().get(f"/p/{token}{end}").status_code == 200


def garbled(token: str, foreign: str) -> list[str]:
    return [foreign, token[:-1], token[:11], token + "A", token.swapcase(), "A" * 22, "%00", "é" * 22,
            "..%2F..%2Fetc%2Fpasswd", token[::-1], "x" * 5000, "' or 1=1 --", f"{token}/more",
            f"{token}/preferences/more", ""]  # fmt: skip


def test_foreign_and_garbled_links_are_a_friendly_404_in_every_language(house: House) -> None:
    held, browser = hold(house), house.browser()
    foreign = Vault(b"another key that has 32 bytes...").token("message", held.ids["pre.the_day"])
    say = house.out.words.ui
    for kind in "pu":
        for bad in garbled(held.tokens["pre.the_day"], foreign):
            answer = browser.get(f"/{kind}/{bad}")
            assert answer.status_code == 404, bad
            for locale in house.out.words.locales:
                language = house.out.words.language(locale)
                assert f'lang="{language.tag}" dir="{language.direction}"' in answer.text, bad
                assert say("page.gone", locale) in unescape(answer.text)
            assert "North" not in answer.text


def test_nothing_can_be_done_with_a_link_that_is_none(house: House) -> None:
    held = hold(house)
    before, browser = everything(house), house.browser()
    for bad in garbled(held.tokens["pre.the_day"], "B" * 22)[:6]:
        for verb in ("agree", "stop", "answer", "preferences"):
            assert browser.post(f"/p/{bad}/{verb}", data={"do": "stop_all", "answer": "2"}).status_code == 404
        assert browser.post(f"/u/{bad}").status_code == 404
    assert everything(house) == before


def test_a_garbled_link_costs_the_database_as_much_as_a_foreign_one(house: House) -> None:
    asked: list[str] = []
    event.listen(house.out.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    counts = []
    for token in ("A" * 22, "no", "é", "x" * 300):
        asked.clear()
        house.browser().get(f"/p/{token}")
        counts.append(len(asked))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("place", [*PLACES, "/visit.ics"])
def test_an_old_link_shows_whom_to_call_and_nothing_of_the_message(house: House, place: str) -> None:
    held = hold(house)
    late = house.later(timedelta(days=181))
    answer = late.browser().get(f"/p/{held.tokens['post.check_in']}{place}")
    assert answer.status_code == 410
    assert 'href="tel:+12025550100"' in answer.text
    for told in ("side effects", "infusion", "visit.ics", "preferences", "Ana"):
        assert told not in answer.text
    assert house.later(timedelta(days=179)).browser().get(f"/p/{held.tokens['post.check_in']}").status_code == 200


def test_an_old_link_still_stops_and_does_nothing_else(house: House) -> None:
    held = hold(house)
    browser, token = house.later(timedelta(days=999)).browser(), held.tokens["post.check_in"]
    before = everything(house)
    for verb, data in (("answer", {"answer": "2"}), ("preferences", {"do": "short"}), ("agree", {})):
        assert browser.post(f"/p/{token}/{verb}", data=data).status_code == 410
    assert everything(house) == before
    assert browser.get(f"/u/{token}").status_code == 200
    assert browser.post(f"/u/{token}").status_code == 200
    assert [one.kind for one in held.ledger()][-1] == "opted_out"


def test_who_withdrew_at_the_clinic_is_shown_nothing_more(house: House) -> None:
    held = hold(house)
    with house.out.sessions.begin() as session:
        withdraw.revoke(session, held.addresses[Channel.SMS], actor="staff", evidence="letter", now=NOW)
    assert house.browser().get(f"/p/{held.tokens['pre.the_day']}").status_code == 410


def test_a_number_that_was_corrected_reads_nothing_any_more(house: House) -> None:
    held = hold(house)
    with house.out.sessions.begin() as session:
        patients.set_address(session, house.clinic_id, held.patient_id, Channel.SMS, "+12025550188", NOW)
    for place in PLACES:
        answer = house.browser().get(f"/p/{held.tokens['pre.the_day']}{place}")
        assert answer.status_code == 410
        assert "infusion" not in answer.text


def test_an_inactive_patient_can_still_read_and_choose(house: House) -> None:
    held = hold(house)
    with house.out.sessions.begin() as session:
        session.execute(update(Patient).values(active=False))
    browser, token = house.browser(), held.tokens["pre.the_day"]
    assert browser.get(f"/p/{token}").status_code == 200
    assert browser.post(f"/p/{token}/preferences", data={"do": "short"}).status_code == 303
    assert held.person().wording == "neutral"


def test_a_link_shows_its_own_patient_and_clinic_only(house: House) -> None:
    held = hold(house)
    other_clinic = add_clinic(house.out, "south", "+12025550111")
    other = house.patient("es", other_clinic, phone="+12025550144")
    _, token = house.message(other, "reply.help", other_clinic)
    for place in PLACES:
        html = house.browser().get(f"/p/{token}{place}").text
        assert "South Clinic" in html
        assert "North Clinic" not in html
    before = held.ledger()
    house.browser().post(f"/p/{token}/preferences", data={"do": "stop_all"})
    assert held.ledger() == before


def test_no_token_is_ever_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    held, browser = hold(house), house.browser()
    token = held.tokens["pre.the_day"]
    with structlog.testing.capture_logs() as lines, caplog.at_level(0):
        for place in (*PLACES, "/visit.ics", "/nothing"):
            browser.get(f"/p/{token}{place}")
        browser.post(f"/p/{token}/answer", data={"answer": "1"})
        browser.post(f"/p/{token}/preferences", data={"do": "stop_all"})
        browser.get(f"/u/{token}")
        browser.post(f"/u/{token}")
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert token not in repr(lines) + "".join(record.getMessage() for record in ours)
