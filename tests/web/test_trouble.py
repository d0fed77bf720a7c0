"""When something goes wrong in us: a page that says so and nothing more, with the headers of every answer."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from outreach import logs
from outreach.store import uploads
from outreach.store.tables import Staff
from outreach.web.headers import EVERYWHERE
from tests.web.house import PUBLIC, House, TestClient

SECRET = "Ana Example +12025550143"


def broken(*_args: object, **_named: object) -> None:
    raise RuntimeError(SECRET)


def test_a_bug_is_a_page_without_details_and_with_every_header(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = house.desk()
    monkeypatch.setattr(uploads, "listing", broken)
    careless = TestClient(desk.app, base_url=PUBLIC, raise_server_exceptions=False, cookies=dict(desk.cookies))
    with capture_logs() as logged:
        answer = careless.get("/imports")
    assert [(one["event"], one["route"], one["error"]) for one in logged] == [
        ("a request failed", "/imports", "RuntimeError")
    ]
    assert answer.status_code == 500
    assert "a fault of ours" in answer.text
    assert "Ana" not in answer.text
    assert {name: answer.headers[name] for name in EVERYWHERE} == EVERYWHERE
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", ["0", "-5", "2", "99999999999999999999", "9" * 400])
def test_any_number_of_a_page_is_answered(house: House, page: str) -> None:
    assert house.desk().get(f"/imports?page={page}").status_code == 200


def test_what_is_not_found_leads_to_the_patients_only_where_one_may_see_them(house: House) -> None:
    desk = house.desk()
    assert 'href="/patients"' in desk.get("/patients/none").text
    with house.out.sessions.begin() as session:
        session.execute(update(Staff).values(role="translator"))
    page = desk.get("/languages/none").text
    assert "Not found" in page
    assert 'href="/patients"' not in page


def test_a_slash_too_many_leads_to_no_foreign_host(house: House) -> None:
    answer = house.browser().get("/sign-in/", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_the_server_does_not_write_down_the_text_of_a_bug(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uvicorn", "uvicorn.error"):  # a server that another test started keeps its lines to itself
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
    logs.configure()
    with caplog.at_level(logging.ERROR, logger="uvicorn.error"):
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=RuntimeError(SECRET))
        logging.getLogger("uvicorn.error").error("address in use")
    assert set(caplog.messages) == {"address in use"}  # twice where another test's server hands its lines on itself


def test_who_may_not_see_patients_is_led_from_a_refusal_to_a_page_that_opens(house: House) -> None:
    browser = house.desk()
    with house.out.sessions.begin() as session:
        session.execute(update(Staff).values(role="translator"))
    refused = browser.get("/patients")
    assert refused.status_code == 403
    assert 'href="/languages"' in refused.text
    assert browser.get("/languages").status_code == 200
