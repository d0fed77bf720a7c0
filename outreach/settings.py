"""Settings from the environment (prefix OUTREACH_); read by wiring and the entrances only."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from outreach.errors import BadInput

ROOT = Path(__file__).resolve().parent.parent
"""Holds templates/, locales/ and config/: the folder above the package."""


class TwilioCarrier(BaseModel):
    """One more account of Twilio; `base_url` is a stand-in's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["twilio"]
    account_sid: str = Field(min_length=1)
    auth_token: str = Field(min_length=1, repr=False)
    base_url: str | None = None


class SmtpCarrier(BaseModel):
    """One more mail server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["smtp"]
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = Field(default="", repr=False)


Carrier = Annotated[TwilioCarrier | SmtpCarrier, Field(discriminator="kind")]


class Settings(BaseSettings):
    """Everything that differs between two machines. Secrets never show in repr().

    `database_url` and `redis_url` are None where the embedded engines are to be used; see `embedded`.
    """

    model_config = SettingsConfigDict(env_prefix="OUTREACH_", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: str | None = Field(default=None, repr=False)
    redis_url: str | None = Field(default=None, repr=False)
    var: Path = ROOT / "var"
    key: str | None = Field(default=None, repr=False)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65533)
    public_url: str = ""
    trusted_proxies: str = "127.0.0.1"
    """Addresses and networks, with commas between, of proxies that are believed when they say whom they ask for."""

    twilio_account_sid: str = ""
    twilio_auth_token: str = Field(default="", repr=False)
    twilio_base_url: str | None = None
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_username: str = ""
    smtp_password: str = Field(default="", repr=False)
    carriers: Annotated[dict[str, Carrier], NoDecode] = Field(default_factory=dict)
    """Carriers besides "twilio" and "smtp", by the name that senders give: JSON, {"smtp-b": {"kind": "smtp", ...}}."""

    sandbox: bool = False
    sandbox_http_port: int = Field(default=0, ge=0, le=65535)
    sandbox_smtp_port: int = Field(default=0, ge=0, le=65535)

    lease_seconds: float = Field(default=60.0, gt=1, le=3600)
    """How long a worker may hold a message that it is handing over."""
    carrier_timeout_seconds: float = Field(default=10.0, gt=0.1, le=120)
    """How long a carrier may take to answer; less than the lease, or nothing would ever be begun."""
    doubt_hold_seconds: float = Field(default=180.0, ge=0, le=86_400)
    """How long a message in doubt rests before the carrier is asked: its list lags by minutes."""

    clock: Literal["system", "database"] = "system"
    demo: bool = False

    @field_validator("database_url")
    @classmethod
    def _one_driver(cls, url: str | None) -> str | None:
        return None if url is None else with_driver(url)

    @field_validator("var")
    @classmethod
    def _wherever_we_stand(cls, given: Path) -> Path:
        return given.absolute()  # children start in another folder: half of a run would look for its data there

    @field_validator("trusted_proxies")
    @classmethod
    def _known_places(cls, given: str) -> str:
        for one in given.split(","):
            try:
                network = ip_network(one.strip())
            except ValueError:
                raise ValueError("give addresses or networks with commas between: 127.0.0.1,172.18.0.1") from None
            if network.prefixlen == 0:  # whoever is believed chooses the address that their tries are counted by
                raise ValueError("must not be everybody: name the proxy's own address")
        return ",".join(one.strip() for one in given.split(","))

    @field_validator("carriers", mode="before")
    @classmethod
    def _from_json(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except ValueError as error:
            place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise ValueError(f'not JSON{place}: write {{"smtp-b": {{"kind": "smtp", "host": "…"}}}}') from None

    @field_validator("carriers")
    @classmethod
    def _named(cls, given: dict[str, Carrier]) -> dict[str, Carrier]:
        for name in given:
            if name in {"twilio", "smtp"}:
                raise ValueError(f"{name} is what OUTREACH_{name.upper()}_… sets up: take another name")
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name):
                raise ValueError("a carrier's name is a small letter and up to 31 of a-z, 0-9 and -, such as smtp-b")
        return given

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: dict[str, object]) -> dict[str, object]:
        """The defaults that follow from other values."""
        filled = dict(given)
        port = _number(filled.get("port"), 8000)
        filled.setdefault("public_url", f"http://127.0.0.1:{port}")
        filled.setdefault("sandbox_http_port", port + 1)
        filled.setdefault("sandbox_smtp_port", port + 2)
        real = ("twilio_account_sid", "smtp_host", "carriers")
        filled.setdefault("sandbox", not any(filled.get(name) for name in real))
        filled.setdefault("demo", filled["sandbox"])
        return filled

    @property
    def embedded(self) -> bool:
        """Whether the engines of the wheels are used. Both URLs are given, or neither."""
        return self.database_url is None

    @model_validator(mode="after")
    def _lease_outlives_answer(self) -> Settings:
        if self.lease_seconds < 2 * self.carrier_timeout_seconds:
            raise ValueError("OUTREACH_LEASE_SECONDS must be at least twice OUTREACH_CARRIER_TIMEOUT_SECONDS")
        return self

    @model_validator(mode="after")
    def _demo_stays_here(self) -> Settings:
        if self.demo and not on_loopback(self):
            raise ValueError(
                "a demo has passwords that everybody knows, so it answers on this machine alone: leave OUTREACH_HOST"
                " and OUTREACH_PUBLIC_URL at 127.0.0.1, or make it a service of your own with OUTREACH_DEMO=false"
            )
        return self

    @model_validator(mode="after")
    def _both_or_neither(self) -> Settings:
        if (self.database_url is None) != (self.redis_url is None):
            missing = "OUTREACH_DATABASE_URL" if self.database_url is None else "OUTREACH_REDIS_URL"
            raise ValueError(f"{missing} is missing: give both URLs, or neither to use the embedded engines")
        return self


FOLLOW_FROM_PORT = (("sandbox_http_port",), ("sandbox_smtp_port",))


def load_settings() -> Settings:
    """Settings of this process. BadInput names the variable and what would be right, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors()
        if any(fault["loc"] == ("port",) for fault in faults):  # those that follow from it nobody has set
            faults = [fault for fault in faults if fault["loc"][:1] not in FOLLOW_FROM_PORT]
        raise BadInput("\n".join(_sentence(fault["loc"], fault["msg"]) for fault in faults)) from None


def on_loopback(settings: Settings) -> bool:
    """Whether nobody but this machine can reach the web, as far as the settings say."""
    return all(_is_loopback(host) for host in (settings.host, urlsplit(settings.public_url).hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def with_driver(url: str) -> str:
    """A PostgreSQL URL with the driver we ship; ValueError for another database."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must begin with postgresql:// (PostgreSQL is the one database supported)")
    if rest.count("@") > 1 or "@" in rest.partition("/")[2].partition("?")[0]:
        raise ValueError("has an @ or / in its password: write @ as %40 and / as %2F")
    try:
        _ = urlsplit(f"postgresql://{rest}").port
    except ValueError:
        raise ValueError("has a port that is no number: postgresql://user:password@host:5432/name") from None
    return f"postgresql+psycopg://{rest}"


def _number(value: object, default: int) -> int:
    try:
        return int(str(value))
    except ValueError:
        return default


def _sentence(place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    if not place:
        return text
    inner = ".".join(str(part) for part in place[1:])
    return f"OUTREACH_{str(place[0]).upper()}: {inner + ': ' if inner else ''}{text}"
