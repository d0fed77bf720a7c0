"""The SMTP carrier: mails that survive 7-bit hops, kept connections, TLS and sign-in."""

from __future__ import annotations

import email
import email.policy
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outreach.domain.message import Accepted, Parcel
from outreach.errors import Reason, Refused
from outreach.providers import smtp_line
from outreach.providers.smtp import SmtpProvider
from outreach.providers.smtp_codes import refusal
from outreach.providers.smtp_mail import build
from outreach.sandbox.running import Running
from tests.providers.handing import handed

Make = Callable[..., Parcel]
ARABIC = "مرحبا، موعدك غدًا الساعة ١٠:٠٠ صباحًا في العيادة. " * 30
CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nSUMMARY:موعد\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def arabic(mail: Make) -> Parcel:
    return mail(
        locale="ar",
        subject="موعدك في العيادة " * 8 + "!",
        text=ARABIC,
        html=f"<p dir=rtl>{ARABIC}</p>",
        calendar=CALENDAR.encode(),
        calendar_method="CANCEL",
    )


def test_a_mail_is_ascii_in_short_lines_and_says_the_same_when_read_back(arabic: Parcel) -> None:
    raw = build(arabic)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Subject"] == arabic.content.subject, "spaces between encoded words included"
    parts = list(message.iter_parts())  # type: ignore[attr-defined]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/calendar"]
    assert [part.get_payload(decode=True).decode().strip() for part in parts] == [
        ARABIC.strip(),
        f"<p dir=rtl>{ARABIC}</p>",
        CALENDAR.strip(),
    ]
    assert parts[2].get_param("method") == "CANCEL"
    assert all(part.get_content_charset() == "utf-8" for part in parts)


def test_the_headers_that_mailboxes_ask_for_are_there(arabic: Parcel) -> None:
    now = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    raw = build(arabic, now)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["From"].addresses[0].display_name == "Clínica Río, S.A."
    assert message["Message-ID"] == f"<{arabic.attempt_id}@clinic.example>"
    assert parsedate_to_datetime(message["Date"]) == now
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Language"] == "ar"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [line] = re.findall(rb"(?m)^List-Unsubscribe: (.*)\r$", raw)
    assert line.decode() == f"<{arabic.unsubscribe_url}>", "one line, as RFC 8058 readers want it"


def test_a_mail_without_html_or_calendar_is_plain(mail: Make) -> None:
    message = email.message_from_bytes(build(mail(html="")), policy=email.policy.default)
    assert message.get_content_type() == "text/plain"
    assert message["Content-Language"] == "en"


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@example.org", "a\nb"])
def test_a_header_cannot_break_out_of_its_line(mail: Make, sandbox: Running, subject: str) -> None:
    with pytest.raises(Refused) as said:
        handed(SmtpProvider("127.0.0.1", sandbox.smtp_port or 0, "none"), mail(subject=subject))
    assert said.value.reason is Reason.CONTENT_REFUSED


def test_an_international_domain_is_reached_in_its_ascii_form(mail: Make, sandbox: Running) -> None:
    carrier = SmtpProvider("127.0.0.1", sandbox.smtp_port or 0, "none", timeout=5)
    handed(carrier, mail("patient@bücher.example"))
    carrier.close()
    assert sandbox.book.mails[-1].to == "patient@xn--bcher-kva.example"


def test_a_line_of_one_dot_does_not_end_the_mail(mail: Make, sandbox: Running) -> None:
    carrier = SmtpProvider("127.0.0.1", sandbox.smtp_port or 0, "none", timeout=5)
    handed(carrier, mail(text=".\r\n.hidden\r\n..\r\n", html=""))
    carrier.close()
    assert sandbox.book.mails[-1].text.split() == [".", ".hidden", ".."]


REPLIES = (
    (450, "4.2.2 full", Reason.TRANSIENT, True),
    (550, "5.1.1 who?", Reason.BAD_MAILBOX, False),
    (553, "5.1.8 your address", Reason.CONFIGURATION, True),
    (550, "5.2.1 disabled", Reason.BAD_MAILBOX, False),
    (552, "5.3.4 too big", Reason.CONTENT_REFUSED, False),
    (550, "5.4.1 no route", Reason.UNREACHABLE, False),
    (550, "5.4.5 Daily user sending limit exceeded", Reason.QUOTA, True),
    (454, "Throttling failure: Daily message quota exceeded.", Reason.QUOTA, True),
    (454, "Throttling failure: Maximum sending rate exceeded.", Reason.TRANSIENT, True),
    (452, "4.2.2 over quota", Reason.TRANSIENT, True),
    (550, "5.7.515 authenticate", Reason.CONFIGURATION, True),
    (550, "no such user", Reason.BAD_MAILBOX, False),
    (554, "no", Reason.BLOCKED, False),
    (530, "sign in first", Reason.CONFIGURATION, True),
    (599, "?", Reason.UNKNOWN_CODE, False),
    (550, "5.9.9 ?", Reason.UNKNOWN_CODE, False),
)


@pytest.mark.parametrize(("reply", "text", "reason", "retry"), REPLIES, ids=[f"{r[0]} {r[1]}" for r in REPLIES])
def test_a_negative_reply_is_read_by_its_class(reply: int, text: str, reason: Reason, retry: bool) -> None:
    said = refusal(reply, text.encode())
    assert (said.reason, said.retry) == (reason, retry)


def test_a_sender_that_is_refused_is_our_fault_not_the_mailboxs() -> None:
    assert refusal(550, b"not you", about_sender=True).reason is Reason.CONFIGURATION


class Counting:
    """aiosmtpd's hooks: counts connections and mails; hangs up after each mail when told so."""

    def __init__(self) -> None:
        self.connections = self.mails = 0
        self.hang_up = False

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> Any:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails += 1
        if self.hang_up:
            server._loop.call_later(0.01, server.transport.close)
        return "250 taken"


@pytest.fixture
def far() -> Iterator[tuple[Counting, int]]:
    hooks = Counting()
    controller = Controller(hooks, hostname="127.0.0.1", port=_free_port())
    controller.start()
    yield hooks, controller.port
    controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_connection_carries_many_mails(far: tuple[Counting, int], mail: Make) -> None:
    hooks, port = far
    carrier = SmtpProvider("127.0.0.1", port, "none", timeout=5)
    for _ in range(5):
        handed(carrier, mail(), hang_up=False)
    carrier.close()
    assert (hooks.connections, hooks.mails) == (1, 5)


def test_a_connection_closed_in_its_sleep_is_replaced(far: tuple[Counting, int], mail: Make) -> None:
    hooks, port = far
    carrier = SmtpProvider("127.0.0.1", port, "none", timeout=5)
    hooks.hang_up = True
    handed(carrier, mail(), hang_up=False)
    [line] = carrier._idle
    sock = line._server.sock
    assert sock is not None
    sock.recv(1)  # returns at the far side's close: an event, not a guess at how long that takes
    hooks.hang_up = False
    assert isinstance(handed(carrier, mail(), hang_up=False), Accepted)
    carrier.close()
    assert (hooks.connections, hooks.mails) == (2, 2)


def test_an_old_connection_is_asked_before_it_is_used(
    far: tuple[Counting, int], mail: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks, port = far
    monkeypatch.setattr(smtp_line, "IDLE_SECONDS", -1.0)
    carrier = SmtpProvider("127.0.0.1", port, "none", timeout=5)
    handed(carrier, mail(), hang_up=False)
    handed(carrier, mail(), hang_up=False)
    carrier.close()
    assert (hooks.connections, hooks.mails) == (1, 2)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def guarded(certificate: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Counting, int]]:
    """A server with TLS (as the parameter says) that asks for a name and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"clinic", b"secret"), handled=False)

    hooks = Counting()
    tls = {"ssl_context": context} if request.param == "tls" else {"tls_context": context, "require_starttls": True}
    controller = Controller(
        hooks,
        hostname="127.0.0.1",
        port=_free_port(),
        authenticator=check,
        auth_required=True,
        auth_require_tls=request.param != "tls",
        **tls,
    )
    controller.start()
    yield hooks, controller.port
    controller.stop()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd does not see TLS from byte one
@pytest.mark.parametrize("guarded", ["starttls", "tls"], indirect=True)
def test_mails_go_encrypted_and_signed_in(
    guarded: tuple[Counting, int], certificate: Path, mail: Make, request: pytest.FixtureRequest
) -> None:
    hooks, port = guarded
    security = request.node.callspec.params["guarded"]
    trusting = ssl.create_default_context(cafile=str(certificate))
    carrier = SmtpProvider("127.0.0.1", port, security, "clinic", "secret", 5, trusting)
    handed(carrier, mail())
    carrier.close()
    assert hooks.mails == 1
    for wrong in (
        SmtpProvider("127.0.0.1", port, security, "clinic", "guess", 5, trusting),
        SmtpProvider("127.0.0.1", port, security, "clinic", "secret", 5),  # a certificate nobody vouches for
    ):
        with pytest.raises(Refused) as said:
            handed(wrong, mail())
        assert (said.value.reason, said.value.retry) == (Reason.CONFIGURATION, True)
        wrong.close()
    assert hooks.mails == 1


def test_without_starttls_on_offer_nothing_is_sent_in_the_clear(far: tuple[Counting, int], mail: Make) -> None:
    hooks, port = far
    with pytest.raises(Refused) as said:
        handed(SmtpProvider("127.0.0.1", port, "starttls", timeout=5), mail())
    assert said.value.reason is Reason.CONFIGURATION
    assert hooks.mails == 0
