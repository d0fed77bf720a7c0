"""The OpenAPI document against the application: each operation done well once, then with whatever fits its schema."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Callable
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from outreach.store import calls
from outreach.web.api.rates import Rates
from outreach.web.app import create
from tests.web.house import NOW, House

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
          response_schema_conformance]  # fmt: skip
BEA = "+12025550177"
HOOK = {"url": "https://ehr.example.org/x", "kinds": ["task.opened"]}
WORDS = {"locale": "es", "text": "pre.tomorrow", "reviewer": "Ana Ruiz", "role": "nurse"}
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/patients": {"name": "Cy Real", "locale": "en", "phone": "+12025550178"},
    "POST /v1/patients/search": {"external_id": "E1"},
    "PATCH /v1/patients/{patient_id}": {"name": "Bo Real"},
    "PUT /v1/patients/{patient_id}/addresses/{channel}": {"value": "+12025550179"},
    "POST /v1/patients/{patient_id}/consents": {
        "channel": "sms", "method": "paper", "evidence": "f1", "at": "2026-11-20T10:00:00Z",
    },
    "POST /v1/patients/{patient_id}/consents/revoke": {"channel": "sms", "evidence": "c1"},
    "POST /v1/patients/{patient_id}/infusions": {"starts": "2026-12-13T09:30"},
    "PATCH /v1/infusions/{infusion_id}": {"starts": "2026-12-04T09:30"},
    "POST /v1/infusions/{infusion_id}/preview": {"starts": "2026-12-05T09:30"},
    "POST /v1/plan": {"infusions": [{"starts": "2026-12-05T09:30"}]},
    "POST /v1/webhooks": HOOK,
    "PATCH /v1/webhooks/{webhook_id}": {"active": True},
    "POST /v1/approvals/withdraw": WORDS,
}  # fmt: skip


@pytest.fixture
def stored(caller: Callable[..., Any], house: House) -> tuple[str, dict[str, str]]:
    """(a key for everything, a stored id for each name that stands in a path): no list is empty."""
    one = caller()
    done = one("POST", "/patients", {"name": "Bea Real", "locale": "en", "phone": BEA, "external_id": "E1",
                                     "infusions": [{"starts": "2026-12-03T09:30"}]}).json()  # fmt: skip
    patient, course = done["patient"]["id"], done["course_id"]
    house.hook("/hooks/twilio/inbound", {"MessageSid": "SM1", "From": BEA, "To": "+12025550110", "Body": "please call"})
    hook = one("POST", "/webhooks", HOOK | {"kinds": ["inbound.received"]}).json()["id"]
    with house.out.sessions.begin() as session:
        calls.add(session, house.clinic_id, UUID(hook), "task.opened", "a", {}, NOW)
        [call] = calls.history(session, house.clinic_id, UUID(hook), 9)
        calls.record(session, call.id, "given_up", NOW, status_code=500, note="")
    for path in ("/messages", "/inbound", "/tasks"):
        assert one("GET", path).json()["items"], path
    return one.bearer, {
        "patient_id": patient, "course_id": course, "webhook_id": hook, "call_id": str(call.id),
        "infusion_id": one("GET", f"/courses/{course}/infusions").json()["items"][0]["id"],
        "enrolment_id": one("GET", f"/patients/{patient}/enrolments").json()["items"][0]["id"],
        "message_id": one("GET", "/messages").json()["items"][0]["id"],
        "locale": "es", "text": "pre.tomorrow", "name": "ketamine-infusion", "channel": "sms",
        "digest": one("GET", "/approvals/es/pre.tomorrow").json()["digest"],
    }  # fmt: skip


def test_each_operation_answers_well_and_whatever_is_sent_as_the_document_says(
    house: House, stored: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.web.api.app.Rates", lambda _url: Rates(None, 1_000_000))
    bearer, ids = stored
    seen: dict[str, set[int]] = defaultdict(set)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create(house.out))
        operations: list[Any] = sorted((one.ok() for one in schema.get_all_operations()), key=_late)  # type: ignore[union-attr]
        for operation in operations:
            answer = _well(operation, ids).call_and_validate(headers=_headers(bearer, operation), checks=CHECKS)
            seen[operation.label].add(answer.status_code)
        for operation in operations:
            _whatever(operation, bearer, ids, seen[operation.label])
    assert len(seen) > 40
    assert [label for label, statuses in seen.items() if not any(200 <= one < 300 for one in statuses)] == []
    assert [label for label, statuses in seen.items() if 429 in statuses] == []


def _whatever(operation: Any, bearer: str, ids: dict[str, str], statuses: set[int]) -> None:
    """What fits the schema; every other time about what is there, so that more is seen than 404."""
    stored = cycle((True, False))

    @settings(max_examples=6, derandomize=True, deadline=None, database=None,
              phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    def check(case: Any) -> None:
        if next(stored):
            case.path_parameters = _path(operation, ids)
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {bearer}"}, checks=CHECKS)
        statuses.add(answer.status_code)

    examples: Any = given(operation.as_strategy())
    examples(check)()


def _late(operation: Any) -> tuple[bool, bool, bool]:
    """What takes away comes last, so that the others still find what they are about."""
    ends = re.search("/(end|cancel|revoke|withdraw)$", operation.path)
    return operation.method.upper() == "DELETE", bool(ends), operation.method.upper() != "GET"


def _path(operation: Any, ids: dict[str, str]) -> dict[str, str]:
    return {name: ids[name] for name in re.findall(r"{(\w+)}", operation.path)}


def _well(operation: Any, ids: dict[str, str]) -> Any:
    """A request that nothing is wrong with."""
    bodies = BODIES | {"POST /v1/approvals": WORDS | {"digest": ids["digest"]}}
    label = f"{operation.method.upper()} {operation.path}"
    body = {"body": bodies[label], "media_type": "application/json"} if label in bodies else {}
    return operation.Case(path_parameters=_path(operation, ids), **body)


def _headers(bearer: str, operation: Any) -> dict[str, str]:
    versions = {"/v1/patients/{patient_id}": '"v0"', "/v1/infusions/{infusion_id}": '"v0"'}
    match = (
        {"If-Match": versions[operation.path]}
        if operation.method.upper() == "PATCH" and operation.path in versions
        else {}
    )
    return {"Authorization": f"Bearer {bearer}"} | match
