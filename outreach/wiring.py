"""build(settings) -> Outreach: the one place that knows how everything fits together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from outreach import logs
from outreach.actions.dispatch import Pump
from outreach.actions.speak import Speakers
from outreach.actions.timekeeper import Timekeeper
from outreach.content.compose import Words
from outreach.content.keywords import load_replies
from outreach.content.laws import load_laws
from outreach.content.lexicon import Lexicon
from outreach.content.sequences import load as load_sequence
from outreach.content.shorteners import Shorteners
from outreach.content.shorteners import load as load_shorteners
from outreach.content.spoken import Spoken
from outreach.content.workbench import Workbench
from outreach.data_folder import master_key
from outreach.domain.law import Law
from outreach.domain.replies import ReplyWords
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput
from outreach.providers.base import Provider
from outreach.providers.smtp import SmtpProvider
from outreach.providers.twilio import TwilioProvider
from outreach.settings import ROOT, Settings, SmtpCarrier, TwilioCarrier
from outreach.store.brakes import Clock
from outreach.store.due import ClinicFacts
from outreach.store.reach import reach
from outreach.store.tables import Clinic
from outreach.store.turns import Ahead
from outreach.store.vault import Vault

WINDOW = 256
"""Texts in flight at once, in one worker: with it, fifty milliseconds of latency allow five thousand a second."""
MAIL_WINDOW = 8


@cache
def _laws() -> Mapping[str, Law]:
    """The profiles of config/law, by the name that a clinic has in its settings."""
    return load_laws(ROOT / "config" / "law")


def _shorteners() -> Shorteners:
    """The links that nobody's words to patients may hold."""
    return load_shorteners(ROOT / "config" / "shorteners.yaml")


@dataclass(frozen=True)
class Outreach:
    """Everything an entrance needs, made once per process."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    vault: Vault
    lexicon: Lexicon
    sequences: Mapping[str, Sequence]
    replies: ReplyWords
    providers: Mapping[str, Provider]
    clock: Callable[[], datetime]
    laws: Mapping[str, Law] = field(default_factory=_laws)
    speakers: Speakers = field(default_factory=Speakers)
    shorteners: Shorteners = field(default_factory=_shorteners)

    @property
    def words(self) -> Words:
        """The snapshot in use; take it once where several things are said."""
        return self.lexicon.words

    @property
    def answering(self) -> frozenset[str]:
        """The carriers that answer STOP, START and HELP unless told not to: Twilio's; the sandbox in its place does
        not."""
        if self.settings.sandbox:
            return frozenset()
        others = self.settings.carriers.items()
        return frozenset({"twilio", *(name for name, one in others if isinstance(one, TwilioCarrier))})

    @cached_property
    def bench(self) -> Workbench:
        """What translators work on: the files that the words in use were read from."""
        return Workbench(self.lexicon.root or ROOT)

    def spoken(self, clinic: Clinic | ClinicFacts) -> Spoken:
        """What this clinic may say of the snapshot in use."""
        with self.sessions() as session:  # mostly nothing is asked: the view is kept until its decisions change
            return self.speakers.view(session, clinic, self.words)

    @property
    def ahead(self) -> Ahead:
        """How far our clock is believed before the database's: a rehearsal's runs ahead of everybody's, on purpose."""
        return Ahead(None) if self.settings.clock == "database" else Ahead()

    @cached_property
    def _timekeeper(self) -> Timekeeper:
        return Timekeeper(self.clock, self.ahead.seconds)

    def believed(self) -> Callable[[], datetime]:
        """The time for what works by itself, compared with the database's clock just now: a worker whose clock jumped
        days ahead would end for good what waits for news, lift pauses, and forget what is still wanted."""
        with self.sessions() as session:
            self._timekeeper.compare(session)
        return self._timekeeper

    def pump(self) -> Pump:
        """The pump as the workers run it."""
        settings = self.settings
        return Pump(
            self.sessions,
            self.providers,
            self.lexicon,
            self.sequences,
            settings.public_url,
            self.clock,
            window=WINDOW,
            mail_window=MAIL_WINDOW,
            timeout=settings.carrier_timeout_seconds,
            lease=settings.lease_seconds,
            ahead=self.ahead,
            laws=self.laws,
            speakers=self.speakers,
        )

    def close(self) -> None:
        """Look at files no more, and let go of connections, the carriers' first."""
        self.lexicon.close()
        for provider in self.providers.values():
            provider.close()
        self.engine.dispose()


def build(settings: Settings) -> Outreach:
    """Compose the whole from settings. BadInput and BadFile name what is wrong with configuration or content."""
    logs.configure()
    if settings.database_url is None:
        raise BadInput("no database: set OUTREACH_DATABASE_URL and OUTREACH_REDIS_URL, or start with `outreach up`.")
    vault = Vault(master_key(settings))
    engine = reach(settings.database_url)
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    sequences = [load_sequence(path) for path in sorted((ROOT / "config" / "sequences").glob("*.yaml"))]
    return Outreach(
        settings=settings,
        engine=engine,
        sessions=sessions,
        vault=vault,
        lexicon=Lexicon.load(ROOT),
        sequences={sequence.name: sequence for sequence in sequences},
        replies=load_replies(ROOT / "config" / "replies.yaml"),
        providers=carriers(settings),
        clock=_clock(settings, sessions),
    )


def carriers(settings: Settings) -> dict[str, Provider]:
    """The carriers that settings name, by name; `outreach up` names the sandbox where there are no real ones."""
    named: dict[str, TwilioCarrier | SmtpCarrier] = {}
    if settings.twilio_account_sid:
        named["twilio"] = TwilioCarrier.model_construct(
            kind="twilio",
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            base_url=settings.twilio_base_url,
        )
    if settings.smtp_host:
        named["smtp"] = SmtpCarrier(
            kind="smtp",
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=settings.smtp_password,
        )
    timeout = settings.carrier_timeout_seconds
    return {name: _provider(name, carrier, timeout) for name, carrier in {**named, **settings.carriers}.items()}


def _provider(name: str, carrier: TwilioCarrier | SmtpCarrier, timeout: float) -> Provider:
    if isinstance(carrier, TwilioCarrier):
        sid, token = carrier.account_sid, carrier.auth_token
        return TwilioProvider(sid, token, carrier.base_url, timeout=timeout, pool=WINDOW, name=name)
    return SmtpProvider(
        carrier.host,
        carrier.port,
        carrier.security,
        carrier.username,
        carrier.password,
        timeout=timeout,
        pool=MAIL_WINDOW,
        name=name,
    )


def twilio_tokens(settings: Settings) -> list[str]:
    """The tokens that webhooks may be signed with: one for each account."""
    others = [one.auth_token for one in settings.carriers.values() if isinstance(one, TwilioCarrier)]
    return [token for token in (settings.twilio_auth_token, *others) if token]


def _clock(settings: Settings, sessions: sessionmaker[Session]) -> Callable[[], datetime]:
    def stored() -> datetime:
        with sessions() as session:
            now = session.scalar(select(Clock.now))
        return now or datetime.now(UTC)

    return stored if settings.clock == "database" else lambda: datetime.now(UTC)
