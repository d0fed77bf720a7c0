"""The sandbox's Twilio API, checked against Twilio's own OpenAPI description and the official library."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import jsonschema
import pytest
from twilio.rest import Client
from yarl import URL

from outreach.domain.channel import Channel
from outreach.domain.message import Content, Parcel
from outreach.providers.twilio import TwilioProvider
from outreach.providers.twilio_http import PooledHttpClient
from outreach.providers.twilio_wire import Wire
from outreach.sandbox.running import Running
from tests.providers.handing import handed

SID, TOKEN = "AC" + "a" * 32, "the token"
MESSAGES = f"/2010-04-01/Accounts/{SID}/Messages.json"
Send = Callable[..., httpx.Response]


class Description:
    """Twilio's OpenAPI 3.0 file as JSON Schema: `nullable` becomes a type, references stay inside the document."""

    def __init__(self, path: Path) -> None:
        whole = json.loads(path.read_text())
        self.components = _schema({"components": whole["components"]})["components"]
        self.paths = whole["paths"]

    def check(self, schema: Any, value: Any) -> None:
        jsonschema.Draft202012Validator({**_schema(schema), "components": self.components}).validate(value)

    def operation(self, method: str, path: str) -> Any:
        template = path.replace(SID, "{AccountSid}")
        if template not in self.paths:
            template = template.rpartition("/")[0] + "/{Sid}.json"
        return self.paths[template][method.lower()]

    def check_request(self, method: str, url: str, body: str) -> None:
        """Names, types and patterns of everything asked; nothing that the description does not know."""
        operation = self.operation(method, urlsplit(url).path)
        known = {one["name"]: one for one in operation.get("parameters", []) if one["in"] == "query"}
        for name, value in parse_qsl(urlsplit(url).query):
            self.check(known[name]["schema"], _typed(known[name]["schema"], value))
        if body:
            form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
            fields = dict(parse_qsl(body, keep_blank_values=True))
            assert set(fields) <= set(form["properties"]), "a parameter that Twilio does not have"
            self.check(form, {name: _typed(form["properties"][name], value) for name, value in fields.items()})

    def check_answer(self, method: str, path: str, answer: httpx.Response) -> None:
        described = self.operation(method, path)["responses"][str(answer.status_code)]
        schema = described["content"]["application/json"]["schema"]
        self.check(schema, answer.json())
        self.complete(schema, answer.json())

    def complete(self, schema: Any, value: dict[str, Any]) -> None:
        """The description requires no field; a true stand-in has them all."""
        if "$ref" in schema:
            schema = self.components["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(value) == set(schema["properties"])


def _schema(node: Any) -> Any:
    if isinstance(node, list):
        return [_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _schema(value) for key, value in node.items() if key not in {"example", "examples"}}
    if made.pop("nullable", False) is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


def _typed(schema: Any, text: str) -> Any:
    kind = schema.get("type")
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return int(text) if kind == "integer" and text.isdigit() else text


@pytest.fixture(scope="module")
def description(shared: Callable[[str], Path]) -> Description:
    return Description(shared("vectors/twilio-openapi-v2010.json"))


@pytest.fixture
def library(sandbox: Running) -> Iterator[Any]:
    http = PooledHttpClient(sandbox.url, 5, 2)
    yield Client(SID, TOKEN, http_client=http)
    http.close()


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Every request that leaves by our wire or through urllib3: method, URL, body."""
    import urllib3

    asked: list[tuple[str, str, str]] = []
    real = urllib3.PoolManager.request
    real_post = Wire.post

    async def post(self: Wire, url: URL, form: bytes) -> Any:
        asked.append(("POST", str(url), form.decode()))
        return await real_post(self, url, form)

    def request(self: Any, method: str, url: str, **options: Any) -> Any:
        asked.append((method, url, (options.get("body") or b"").decode()))
        return real(self, method, url, **options)

    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    monkeypatch.setattr(Wire, "post", post)
    return asked


def test_what_our_carrier_asks_is_valid_by_twilios_description(
    sandbox: Running, description: Description, overheard: list[tuple[str, str, str]]
) -> None:
    carrier = TwilioProvider(SID, TOKEN, sandbox.url, timeout=5)
    for sender in ("+12025550100", "MG" + "c" * 32):
        attempt = uuid4()
        callback = f"https://clinic.example/hooks/twilio/status/{attempt}"
        content = Content("ar", "مرحبا")
        handed(carrier, Parcel(attempt, Channel.SMS, sender, "", "+12025550123", content, status_callback=callback))
    carrier.find("+12025550123", datetime.now(UTC).date())
    carrier.close()
    assert [method for method, _, _ in overheard] == ["POST", "POST", "GET"]
    for method, url, body in overheard:
        description.check_request(method, url, body)


def test_what_the_sandbox_answers_is_valid_by_twilios_description(
    web: httpx.Client, send: Send, description: Description
) -> None:
    for fields in ({}, {"From": None, "MessagingServiceSid": "MG" + "c" * 32}):
        description.check_answer("POST", MESSAGES, send(**fields))
    send("+12025559003")
    listed = web.get(MESSAGES, params={"PageSize": 2})
    description.check_answer("GET", MESSAGES, listed)
    one = listed.json()["messages"][0]["uri"]
    description.check_answer("GET", one, web.get(one))
    description.check_answer("POST", one, web.post(one, data={"Body": ""}))


def test_the_official_library_creates_fetches_lists_changes_and_deletes(library: Any) -> None:
    made = library.messages.create(to="+12025550123", from_="+12025550100", body="Hello")
    assert (made.status, made.direction, made.num_segments, made.error_code) == ("queued", "outbound-api", "1", None)
    assert library.messages(made.sid).fetch().body == "Hello"
    assert library.messages(made.sid).update(body="").body == ""
    assert [one.sid for one in library.messages.list(to="+12025550123", limit=20)] == [made.sid]
    assert library.messages(made.sid).delete() is True
    assert library.messages.list(limit=20) == []


def test_lists_come_newest_first_in_pages_that_lead_on(library: Any, web: httpx.Client) -> None:
    made = [library.messages.create(to=f"+1202555{n:04}", from_="+12025550100", body="x").sid for n in range(7)]
    assert [one.sid for one in library.messages.list(page_size=3, limit=100)] == made[::-1]
    first = web.get(MESSAGES, params={"PageSize": 3}).json()
    assert len(first["messages"]) == 3
    last = web.get(web.get(first["next_page_uri"]).json()["next_page_uri"]).json()
    assert (len(last["messages"]), last["next_page_uri"], last["page"]) == (1, None, 2)


TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"to": "+12025550123"}, True),
        ({"to": "+12025550124"}, False),
        ({"from_": "+12025550100"}, True),
        ({"from_": "+12025550199"}, False),
        ({"date_sent": TODAY}, True),
        ({"date_sent": TODAY - DAY}, False),
        ({"date_sent_after": TODAY}, True),
        ({"date_sent_after": TODAY + DAY}, False),
        ({"date_sent_before": TODAY}, True),
        ({"date_sent_before": TODAY - DAY}, False),
    ],
    ids=str,
)
def test_lists_are_filtered(library: Any, sandbox: Running, filters: dict[str, date | str], found: bool) -> None:
    made = library.messages.create(to="+12025550123", from_="+12025550100", body="x")
    sandbox.book.messages[made.sid].sent = datetime.now(UTC)
    assert bool(library.messages.list(limit=5, **filters)) is found


ERRORS = (
    ("invalid To", {"to": "+15005550001"}, 21211),
    ("unroutable To", {"to": "+15005550002"}, 21612),
    ("region of To", {"to": "+15005550003"}, 21408),
    ("opted-out To", {"to": "+15005550004"}, 21610),
    ("no mobile", {"to": "+15005550009"}, 21614),
    ("no number", {"to": "tomorrow"}, 21211),
    ("no To", {"to": ""}, 21604),
    ("no sender", {"From": None}, 21603),
    ("invalid From", {"From": "+15005550001"}, 21212),
    ("From of another", {"From": "+15005550007"}, 21606),
    ("full From", {"From": "+15005550008"}, 21611),
    ("no such service", {"From": None, "MessagingServiceSid": "MGx"}, 21701),
    ("no words", {"Body": " "}, 21602),
    ("1601 characters", {"Body": "x" * 1601}, 21617),
    ("callback with underscore", {"StatusCallback": "http://a_b.example/x"}, 21609),
    ("validity of a word", {"ValidityPeriod": "abc"}, 20001),
    ("validity too long", {"ValidityPeriod": "36001"}, 20001),
)


@pytest.mark.parametrize(("fields", "code"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_a_wrong_request_gets_twilios_error_body(
    send: Send, sandbox: Running, fields: dict[str, Any], code: int
) -> None:
    answer = send(**fields)
    body = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (400, code, 400)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert body["message"]
    assert not sandbox.book.messages


@pytest.mark.parametrize("auth", [None, (SID, "guess"), ("AC" + "b" * 32, TOKEN)], ids=["none", "token", "account"])
def test_strangers_are_not_let_in(sandbox: Running, auth: tuple[str, str] | None) -> None:
    answer = httpx.post(sandbox.url + MESSAGES, data={"To": "+12025550123"}, auth=auth)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_1600_characters_are_taken_and_counted(send: Send) -> None:
    assert send(Body="x" * 1600).json()["num_segments"] == "11"
    assert send(From="+15005550006").status_code == 201, "Twilio's magic sender that always works"
