"""The small types that requests are made of: what may stand in a field, said in the OpenAPI document too."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from outreach.domain import names
from outreach.domain.contact import email as normal_email
from outreach.domain.window import zone_names
from outreach.errors import BadInput

_WALL = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]$"
_PRINTED = r"^[^\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff]+$"
"""No control characters, and none that turn a line around or hide in it."""


def _wall(given: object) -> datetime:
    if not isinstance(given, str) or not re.fullmatch(_WALL[1:-1], given):
        raise ValueError("write it by the clinic's clock, like 2026-12-03T09:30, without Z or an offset")
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise ValueError("there is no such day") from None


def _zone(text: str) -> str:
    if text not in zone_names():
        raise ValueError("not the name of a time zone; write it like America/Chicago")
    return text


def _name(text: str) -> str:
    try:
        return names.checked(text)
    except BadInput as error:
        raise ValueError(str(error)) from None


def _mail(text: str) -> str:
    try:
        return normal_email(text)
    except BadInput as error:
        raise ValueError(str(error)) from None


def _reasonable(at: datetime) -> datetime:
    if not 2000 <= at.year < 2100:
        raise ValueError("the year must be from 2000 to 2099")
    return at.astimezone(UTC)


def _z(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTED)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/ -]*$")]
Name = Annotated[
    Line, AfterValidator(_name), Field(description="The name the patient goes by.", examples=["Ana Sample"])
]
External = Annotated[
    Line, Field(max_length=80, description="Your own identifier of it, unique in the clinic.", examples=["MRN-1042"])
]
Zone = Annotated[
    str, StringConstraints(max_length=60), AfterValidator(_zone),
    Field(description="An IANA time zone.", examples=["America/Chicago"]),
]  # fmt: skip
Wall = Annotated[
    datetime,
    BeforeValidator(_wall),
    WithJsonSchema(
        {"type": "string", "pattern": _WALL, "examples": ["2026-12-03T09:30"],
         "description": "The clinic's clock on the wall: no offset, no Z."}
    ),
]  # fmt: skip
Phone = Annotated[
    Line, Field(max_length=40, description="A mobile number; without + it is read as one of the clinic's country.",
                examples=["+12025550143"]),
]  # fmt: skip
Mail = Annotated[Line, AfterValidator(_mail), Field(max_length=254, examples=["ana@patient.example"])]
Locale = Annotated[
    str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"),
    Field(description="A language that the service speaks.", examples=["es"]),
]  # fmt: skip
Minutes = Annotated[int, Field(ge=1, le=1440, description="How long it takes.", examples=[60])]
Instant = Annotated[AwareDatetime, AfterValidator(_reasonable), Field(examples=["2026-11-21T18:00:00Z"])]
"""An instant in a request: with its offset or Z."""
At = Annotated[datetime, PlainSerializer(_z, return_type=str), Field(json_schema_extra={"format": "date-time"})]
"""An instant in an answer, in UTC."""
WallOut = Annotated[
    datetime, PlainSerializer(lambda wall: wall.strftime("%Y-%m-%dT%H:%M"), return_type=str),
    Field(description="On the clock of `zone`.", examples=["2026-12-03T09:30"]),
]  # fmt: skip


class Asked(BaseModel):
    """A request's body: an unknown field is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid")
