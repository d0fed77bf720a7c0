"""The page of figures: it reads tallies only, of one clinic, and says what is wrong at the field."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from outreach.actions.count import count
from outreach.content.formulas import charged
from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.store import patients, staff
from outreach.store.counts import Figure
from outreach.store.tallies import Tally
from outreach.store.traffic import Message
from outreach.web.charts import Bars, ceiling, stacked
from outreach.web.console import figures
from outreach.web.console.delivery import LONGEST, read
from tests.web.house import NOW, PASSWORD, House, add_clinic, count_queries, field

TODAY = date(2026, 11, 21)


@pytest.fixture
def counted(house: House) -> House:
    """Three messages that were due today: one delivered, one refused, one held."""
    who = house.patient()
    for step, status, reason in (
        ("pre.the_day", Status.DELIVERED, None),
        ("post.check_in", Status.FAILED, "bad_number"),
        ("pre.tomorrow", Status.SUPPRESSED, "no_consent"),
    ):
        message_id, _ = house.message(who, step)
        with house.out.sessions.begin() as session:
            one = session.get_one(Message, message_id)
            one.status, one.reason, one.segments = status.value, reason, 2
    count(house.out.sessions, house.out.clock)
    return house


def test_a_yes_and_a_no_on_the_page_are_answers_to_the_question(house: House) -> None:
    browser, tokens = house.browser(), []
    for name in ("Ann", "Bea", "Cy"):
        with house.out.sessions.begin() as session:
            who = patients.add(session, clinic_id=house.clinic_id, name=name, locale="en", zone="America/Chicago",
                               wording="full", now=NOW)  # fmt: skip
            patients.set_address(session, house.clinic_id, who, Channel.SMS, f"+1202555014{len(tokens)}", NOW)
        tokens.append(house.message(who, "consent.request")[1])
    shown = {"shown": field(browser.get(f"/p/{tokens[0]}").text, "shown")}
    browser.post(f"/p/{tokens[0]}/agree", data=shown)
    browser.post(f"/p/{tokens[1]}/stop")
    count(house.out.sessions, house.out.clock)
    with house.out.sessions() as session:
        asked = Tally.step == "consent.request"
        assert session.execute(select(func.sum(Tally.messages), func.sum(Tally.answered)).where(asked)).one() == (3, 2)


def test_before_anything_was_counted_the_page_says_so(house: House) -> None:
    assert "Nothing has been counted" in house.desk().get("/delivery").text


def test_figures_reasons_and_remedies_are_there(counted: House) -> None:
    page = counted.desk().get("/delivery?days=7&by=step").text
    assert "Correct the number with the patient." in page
    assert "Ask the patient for agreement" in page
    assert '<title id="plot-t">' in page
    assert "style=" not in page


@pytest.mark.parametrize("by", ["channel", "locale", "step", "sender", "nonsense"])
def test_figures_can_be_told_apart_by(counted: House, by: str) -> None:
    assert counted.desk().get(f"/delivery?by={by}").status_code == 200


def test_the_page_reads_no_message(counted: House) -> None:
    desk = counted.desk()
    with count_queries(counted.out.engine) as sent:
        desk.get("/delivery?days=90")
    assert len([one for one in sent if "select" in one.lower()]) <= 8
    assert not [one for one in sent if "from message" in one.lower()]


def test_another_clinic_sees_none_of_it(counted: House) -> None:
    other = add_clinic(counted.out, "south", "+12025550111")
    with counted.out.sessions.begin() as session:
        staff.add(session, clinic_id=other, email="desk@south.example", name="Sam", password=PASSWORD,
                  role=Role.ADMINISTRATOR)  # fmt: skip
    desk = counted.desk("desk@south.example")
    assert "Nothing has been counted" in desk.get("/delivery").text
    assert len(desk.get("/delivery.csv").text.splitlines()) == 1


def test_a_translator_may_not_see_figures_and_is_led_to_what_is_theirs(counted: House) -> None:
    with counted.out.sessions.begin() as session:
        staff.add(session, clinic_id=counted.clinic_id, email="tr@north.example", name="Tran", password=PASSWORD,
                  role=Role.TRANSLATOR)  # fmt: skip
    browser = counted.browser()
    form = browser.get("/sign-in").text.partition('name="form" value="')[2].partition('"')[0]
    browser.post("/sign-in", data={"form": form, "email": "tr@north.example", "password": PASSWORD})
    for path in ("/delivery", "/delivery.csv", "/delivery.xlsx"):
        assert browser.get(path).status_code == 403
    told = browser.get("/delivery").text
    assert ("<h1>This is not for your role</h1>" in told, "did not work" in told) == (True, False)
    assert [browser.get(path).headers["location"] for path in ("/", "/today")] == ["/languages"] * 2
    assert browser.get("/languages").status_code == 200
    assert counted.desk().get("/").headers["location"] == "/today"


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        pytest.param("2026-13-01", "2026-11-01", "first", id="no such month"),
        pytest.param("2026-11-01", "yesterday", "last", id="a word"),
        pytest.param("2026-11-05", "2026-11-01", "last", id="backwards"),
        pytest.param("2020-01-01", "2026-11-01", "first", id="too long"),
        pytest.param("0001-01-01", "2026-11-01", "first", id="before all calendars"),
        pytest.param("", "2026-11-01", "first", id="half"),
    ],
)
def test_days_that_cannot_be_are_said_at_their_field(counted: House, first: str, last: str, field: str) -> None:
    asked = read("0", first, last, "", TODAY)
    assert field in asked.wrong
    page = counted.desk().get(f"/delivery?days=0&first={first}&last={last}")
    assert page.status_code == 422
    assert str(asked.wrong[field]) in page.text
    assert counted.desk().get(f"/delivery.csv?days=0&first={first}&last={last}").status_code == 422


def test_any_days_can_be_chosen() -> None:
    span = read("", "2026-01-01", "", "", TODAY).span
    assert (span.first, span.last) == (date(2026, 1, 1), TODAY)
    assert read("7", "", "", "", TODAY).span.first == TODAY - timedelta(days=6)
    assert read("8000", "", "", "", TODAY).span.length == 30
    assert (TODAY - timedelta(days=LONGEST - 1)).isoformat() in read(
        "0", (TODAY - timedelta(days=LONGEST - 1)).isoformat(), TODAY.isoformat(), "", TODAY
    ).span.query


def test_the_export_has_a_line_for_each_tally(counted: House) -> None:
    rows = list(csv.DictReader(io.StringIO(counted.desk().get("/delivery.csv").content.decode("utf-8-sig"))))
    with counted.out.sessions() as session:
        tallies = session.scalars(select(Tally)).all()
    assert sorted((row["message"], row["status"], row["messages"]) for row in rows) == sorted(
        (one.step, one.status, str(one.messages)) for one in tallies
    )
    assert {charged(row["sender"]) for row in rows} == {""}
    answer = counted.desk().get("/delivery.xlsx")
    assert answer.content.startswith(b"PK")
    assert "attachment" in answer.headers["content-disposition"]


def figure(day: date | None, step: str | None, status: str, reason: str | None, many: int) -> Figure:
    return Figure(day, None, None, step, None, status, reason, many, 0, 0)


def test_a_long_range_is_told_by_weeks_and_loses_nothing() -> None:
    first = TODAY - timedelta(days=89)
    found = [figure(first + timedelta(days=back), f"s{back % 9}", "delivered", None, 1) for back in range(90)]
    course = figures.trend(found, "step", first, TODAY)
    assert course.days == 7
    assert len(course.series) == 6
    assert course.series[-1] == "…"
    assert sum(sum(values) for _, values in course.bars) == 90


def test_the_funnel_adds_up() -> None:
    ends = ["delivered", "failed", "unknown", "suppressed", "expired", "scheduled", "sent", "cancelled"]
    whole = figures.whole([figure(None, None, status, "", 10) for status in ends])
    assert whole.planned == 70
    assert whole.delivered + 10 + whole.trouble + whole.withheld + whole.waiting == whole.planned


def test_no_share_is_told_of_few_and_what_may_still_arrive_is_not_counted_as_lost() -> None:
    fresh = figures.kind("sms", [figure(None, None, "delivered", None, 38), figure(None, None, "sent", None, 37)])
    assert (fresh.sent, fresh.known) == (75, 38)
    assert figures.rate(fresh.delivered, fresh.known) == 1.0
    mails = figures.kind("email", [figure(None, None, "accepted", None, 500)])
    assert figures.rate(mails.delivered, mails.known) is None
    three = figures.kind("sms", [figure(None, None, "delivered", None, 3)])
    assert figures.rate(three.delivered, three.known) is None
    assert figures.untold([fresh, three], [])
    assert not figures.untold([fresh, mails], [])


def test_the_page_tells_three_messages_as_numbers_only(counted: House) -> None:
    page = counted.desk().get("/delivery?days=7").text
    funnel = page.partition('<ol class="funnel">')[2].partition("</ol>")[0]
    assert "<b>3</b>" in funnel
    assert "%" not in re.sub(r"<svg.*?</svg>", "", funnel)
    assert "Besides, 0" not in page
    assert "0 are still to go" not in page


def test_a_plot_escapes_its_words_and_survives_nothing() -> None:
    drawn = stacked(Bars("<b>", "about & more", ["<i>"], [("<u>", [3])]))
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert "&lt;u&gt;, &lt;i&gt;: 3" in drawn
    assert "<svg" in stacked(Bars("t", "d", [], []))
    month = stacked(Bars("t", "d", ["a"], [(f"Nov {day}", [day * 100]) for day in range(1, 31)]), "{:_}".format)
    assert "Nov 30, a: 3_000" in month
    assert (month.count('class="tick"'), month.count('class="tick second"')) == (4, 4)
    across = [float(place) for place in re.findall(r'x="([\d.]+)%"', month)]
    assert max(across) < 100
    assert [ceiling(value) for value in (0, 4, 5, 21, 40, 81, 1000)] == [4, 4, 8, 40, 40, 200, 2000]
