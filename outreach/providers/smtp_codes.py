"""What a mail server's negative replies mean to us: by enhanced code (RFC 3463) first, by reply number else."""

from __future__ import annotations

import re

from outreach.errors import Reason, Refused
from outreach.providers.base import Treatment

BY_ENHANCED: tuple[tuple[str, Treatment], ...] = (
    (r"5\.1\.[78]$", Treatment(Reason.CONFIGURATION, retry=True)),  # about our sender address
    (r"5\.1\.", Treatment(Reason.BAD_MAILBOX)),
    (r"5\.2\.1$", Treatment(Reason.BAD_MAILBOX)),
    (r"5\.2\.3$", Treatment(Reason.CONTENT_REFUSED)),
    (r"5\.2\.", Treatment(Reason.UNREACHABLE, retry=True)),  # a full mailbox empties
    (r"5\.3\.4$", Treatment(Reason.CONTENT_REFUSED)),
    (r"5\.4\.5$", Treatment(Reason.QUOTA, retry=True)),  # "daily sending limit": ours, not the recipient's
    (r"5\.4\.", Treatment(Reason.UNREACHABLE)),
    (r"5\.[35]\.", Treatment(Reason.CONFIGURATION, retry=True)),
    (r"5\.6\.", Treatment(Reason.CONTENT_REFUSED)),
    (r"5\.7\.", Treatment(Reason.CONFIGURATION, retry=True)),  # policy: our fault, not the recipient's
)
BY_REPLY: dict[int, Treatment] = {
    **dict.fromkeys((550, 551, 553), Treatment(Reason.BAD_MAILBOX)),
    552: Treatment(Reason.UNREACHABLE, retry=True),
    554: Treatment(Reason.BLOCKED),
    **dict.fromkeys((500, 501, 502, 503, 504, 530, 534, 535, 538, 555), Treatment(Reason.CONFIGURATION, retry=True)),
}


def refusal(reply: int, text: bytes | str, about_sender: bool = False) -> Refused:
    """What a negative reply means: by its enhanced code (RFC 3463) where it has one, else by its number."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}", words.strip())
    code = enhanced.group() if enhanced else str(reply)
    if reply == 454 and "quota" in words.lower():  # Amazon SES; 454 is never about the recipient's mailbox
        return Refused(Reason.QUOTA, retry=True, code=code)
    if reply < 500:
        return Refused(Reason.TRANSIENT, retry=True, code=code)
    if enhanced and code.startswith("5"):
        known = next((row for pattern, row in BY_ENHANCED if re.match(pattern, code)), Treatment(Reason.UNKNOWN_CODE))
    elif about_sender:
        known = Treatment(Reason.CONFIGURATION, retry=True)
    else:
        known = BY_REPLY.get(reply, Treatment(Reason.UNKNOWN_CODE))
    return Refused(known.reason, retry=known.retry, code=code)
