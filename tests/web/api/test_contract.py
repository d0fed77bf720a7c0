"""The OpenAPI document against the application: no 5xx, every answer as described; bounded, repeatable examples."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from outreach.domain.access import Scope
from outreach.web.app import create
from tests.web.house import House

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


@pytest.fixture
def bearer(caller: Callable[..., Any], house: House) -> str:
    house.patient()
    key: str = caller(*Scope).bearer
    return key


def test_whatever_is_sent_the_answers_are_as_the_document_says(house: House, bearer: str) -> None:
    app = create(house.out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]

            @settings(max_examples=25, derandomize=True, deadline=None, database=None,
                      phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
            def check(case: Any) -> None:
                case.call_and_validate(headers={"Authorization": f"Bearer {bearer}"}, checks=CHECKS)

            given(operation.as_strategy())(check)()
