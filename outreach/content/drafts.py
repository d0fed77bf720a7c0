"""The long way to a message: its templates rendered in full, for one reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outreach.content import body, layouts
from outreach.content.formats import plain
from outreach.content.voice import Voice

Context = Mapping[str, Any]


def sms(voice: Voice, parts: tuple[str, ...], inside: Context, around: Context | None = None) -> tuple[str, ...]:
    """The text, not yet opened to the right nor in normal form."""
    return (voice.render(parts[0], inside).strip(),)


def page(voice: Voice, parts: tuple[str, ...], inside: Context, around: Context | None = None) -> tuple[str, ...]:
    """The body as an HTML fragment."""
    return (body.html(voice.render(parts[0], inside)),)


def email(voice: Voice, parts: tuple[str, ...], inside: Context, around: Context | None = None) -> tuple[str, ...]:
    """Subject, text and HTML. `around` is what the layout sees, where that is not what subject and body see."""
    subject = voice.render(parts[0], inside).strip()
    markdown = voice.render(parts[1], inside)
    around = around or {**inside, "title": plain(subject)}
    return subject, layouts.email_text(voice, markdown, around), layouts.email_html(voice, markdown, around)


DRAFTS = {"sms": sms, "page": page, "email": email}
"""By medium."""
LAYOUTS = {"sms": (), "page": (), "email": ("layouts/email.txt", "layouts/email.html")}
