"""Behind a proxy: whom a request comes from is believed of the proxies that are named, and of nobody else."""

from __future__ import annotations

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from outreach.cli.up import children
from outreach.errors import BadInput
from outreach.settings import load_settings
from outreach.web.app import create
from outreach.web.tries import PER_PERSON
from tests.web.house import PASSWORD, PUBLIC, House, TestClient, field

PROXY, STRANGER = "172.18.0.1", "198.51.100.7"


def try_through(house: House, peer: str, claimed: str, password: str) -> int:
    """One try that arrives from `peer` and says it is for `claimed`; the status of the answer."""
    web = ProxyHeadersMiddleware(create(house.out), trusted_hosts=f"127.0.0.1,{PROXY}")  # as the server does it
    browser = TestClient(web, base_url=PUBLIC, follow_redirects=False, client=(peer, 5000))  # type: ignore[arg-type]
    browser.headers["X-Forwarded-For"] = claimed
    form = field(browser.get("/sign-in").text, "form")
    entry = {"form": form, "email": house.email, "password": password}
    return browser.post("/sign-in", data=entry).status_code


def test_two_addresses_behind_a_trusted_proxy_count_apart(house: House) -> None:
    for _ in range(PER_PERSON):
        assert try_through(house, PROXY, "203.0.113.5", "wrong") == 403
    assert try_through(house, PROXY, "203.0.113.5", PASSWORD) == 429
    assert try_through(house, PROXY, "203.0.113.6", PASSWORD) == 303


def test_what_a_stranger_claims_to_be_is_not_believed(house: House) -> None:
    for n in range(PER_PERSON):
        assert try_through(house, STRANGER, f"203.0.113.{n}", "wrong") == 403
    assert try_through(house, STRANGER, "203.0.113.99", PASSWORD) == 429


def test_the_web_is_started_with_the_proxies_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_TRUSTED_PROXIES", "127.0.0.1, 172.18.0.1")
    web = next(child for child in children(load_settings(), {}) if child.name == "web")
    assert web.command[web.command.index("--forwarded-allow-ips") + 1] == "127.0.0.1,172.18.0.1"


@pytest.mark.parametrize("given", ["*", "0.0.0.0/0", "::/0", "127.0.0.1,*", "proxy"])
def test_everybody_is_no_proxy(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_TRUSTED_PROXIES", given)
    with pytest.raises(BadInput, match="OUTREACH_TRUSTED_PROXIES"):
        load_settings()
