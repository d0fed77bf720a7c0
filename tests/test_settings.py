"""Settings of carriers: read from the environment, refused with the place of the fault, never shown with secrets."""

from __future__ import annotations

import json

import pytest

from outreach.errors import BadInput
from outreach.settings import Settings, load_settings, on_loopback
from outreach.wiring import carriers, twilio_tokens

OURS = {
    "smtp-b": {"kind": "smtp", "host": "mail.example", "port": 2525, "username": "u", "password": "hush-1"},
    "twilio-b": {"kind": "twilio", "account_sid": "AC" + "b" * 32, "auth_token": "hush-2"},
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "SMTP_HOST", "CARRIERS", "SANDBOX"):
        monkeypatch.delenv(f"OUTREACH_{name}", raising=False)


def test_each_carrier_is_known_by_the_name_that_settings_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_CARRIERS", json.dumps(OURS))
    monkeypatch.setenv("OUTREACH_SMTP_HOST", "mail.example")
    monkeypatch.setenv("OUTREACH_TWILIO_ACCOUNT_SID", "AC" + "a" * 32)
    found = carriers(load_settings())
    assert sorted(found) == ["smtp", "smtp-b", "twilio", "twilio-b"]
    assert all(carrier.name == name for name, carrier in found.items())
    assert [found[name].channel.value for name in ("smtp-b", "twilio-b")] == ["email", "sms"]
    for carrier in found.values():
        carrier.close()
    assert twilio_tokens(load_settings()) == ["hush-2"], "callbacks of every account are signed"


def test_a_real_carrier_of_any_name_turns_the_sandbox_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().sandbox
    monkeypatch.setenv("OUTREACH_CARRIERS", json.dumps(OURS))
    settings = load_settings()
    assert (settings.sandbox, settings.demo) == (False, False)


def test_no_secret_shows_in_a_printed_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_CARRIERS", json.dumps(OURS))
    assert "hush" not in repr(load_settings())
    assert "hush" not in repr(carriers(Settings(carriers=OURS)))  # type: ignore[arg-type]


WRONG = (
    ("{", "OUTREACH_CARRIERS: not JSON (line 1, column 2)"),
    ("[]", "OUTREACH_CARRIERS: Input should be a valid dictionary"),
    ('{"smtp-b": {"kind": "smtp"}}', "OUTREACH_CARRIERS: smtp-b.smtp.host: Field required"),
    ('{"b": {"kind": "pigeon"}}', "OUTREACH_CARRIERS: b: Input tag 'pigeon'"),
    ('{"b": {"host": "x"}}', "OUTREACH_CARRIERS: b: Unable to extract tag"),
    ('{"b": {"kind": "smtp", "host": "x", "pasword": "hush"}}', "b.smtp.pasword: Extra inputs are not permitted"),
    ('{"b": {"kind": "smtp", "host": "x", "port": 0}}', "b.smtp.port: Input should be greater than or equal to 1"),
    ('{"smtp": {"kind": "smtp", "host": "x"}}', "smtp is what OUTREACH_SMTP_… sets up"),
    ('{"Ünser": {"kind": "smtp", "host": "x"}}', "a carrier's name is a small letter"),
    ('{"b": {"kind": "twilio", "account_sid": "AC1", "auth_token": ""}}', "b.twilio.auth_token"),
)


@pytest.mark.parametrize(("value", "says"), WRONG, ids=[row[0][:24] for row in WRONG])
def test_a_wrong_carrier_is_refused_with_its_place(value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_CARRIERS", value)
    with pytest.raises(BadInput) as refused:
        load_settings()
    assert says in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [{"HOST": "0.0.0.0"}, {"HOST": "192.168.1.4"}, {"PUBLIC_URL": "https://demo.example"}, {"HOST": "::"}],
    ids=["every address", "an address of the network", "a public name", "every IPv6 address"],
)
def test_a_demo_answers_on_loopback_alone(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"OUTREACH_{name}", value)
    with pytest.raises(BadInput, match="passwords that everybody knows"):
        load_settings()
    monkeypatch.setenv("OUTREACH_DEMO", "false")
    assert not on_loopback(load_settings())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_a_demo_runs_on_any_loopback_address(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_HOST", host)
    assert load_settings().demo
