"""The OpenAPI document: what FastAPI knows of the routes, with the doors, the problems and the examples it cannot."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from outreach.domain.access import Scope
from outreach.web.access import DOORS
from outreach.web.api.problems import JSON, KINDS, Fault, Problem

DESCRIPTION = """Patients, their visits and what they are told.

Send `Authorization: Bearer ork_…`; each operation names the scope it needs. Times of visits are wall times of the
clinic; instants are UTC. Lists come in pages: ask again with `next_cursor`. A POST with an `Idempotency-Key` may be
repeated without harm. A PATCH needs the `ETag` that was read, in `If-Match`. Refusals are problem+json (RFC 9457)."""
_RATES = {
    "RateLimit-Limit": "How many requests this key may make in a minute.",
    "RateLimit-Remaining": "How many are left in this minute.",
    "RateLimit-Reset": "Seconds until the next minute begins.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Outreach", version="1", openapi_version="3.1.0", description=DESCRIPTION, routes=app.routes,
            servers=[{"url": "/api"}],
        )  # fmt: skip
        parts = made.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        for old in ("HTTPValidationError", "ValidationError"):
            schemas.pop(old, None)
        _, known = models_json_schema(
            [(Problem, "serialization"), (Fault, "serialization")], ref_template="#/components/schemas/{model}"
        )
        schemas.update(known["$defs"])
        parts["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "A key of one clinic, made under Keys."}
        }
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _complete(operation, method.upper(), path)
        app.openapi_schema = made
    return app.openapi_schema


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    needed = DOORS.get((method, "/api" + path))
    operation["security"] = [{"key": []}]
    if isinstance(needed, Scope):
        operation["x-scope"] = needed.value
        operation["description"] = f"{operation.get('description', '')}\n\nScope: `{needed.value}`.".strip()
    answers = operation["responses"]
    for status in _refusals(operation, method, path):
        answers[str(status)] = {
            "description": KINDS[status][1],
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    for status, answer in answers.items():
        if status.startswith("2"):
            answer["headers"] = answer.get("headers", {}) | {
                name: {"description": text, "schema": {"type": "integer"}} for name, text in _RATES.items()
            }


def _refusals(operation: dict[str, Any], method: str, path: str) -> list[int]:
    found = [401, 403, 429, 500, 503]
    found += [404] if "{" in path else []
    found += [422] if operation.get("parameters") or "requestBody" in operation else []
    found += [400, 413] if "requestBody" in operation else []
    found += [409] if method in ("POST", "PUT", "PATCH") else []
    found += [412, 428] if any(one["name"] == "If-Match" for one in operation.get("parameters", ())) else []
    return sorted(found)
