"""A line that offers an interpreter, in the reader's language, where the message itself had to be in another."""

from __future__ import annotations

import re
from html import escape

from outreach.content.formats import as_bdi, isolated, opened, phone, plain
from outreach.content.voice import Voice

_BODY = re.compile(r"<body[^>]*>")


def offer(voice: Voice, number: str) -> str:
    """The line; `number`: where the clinic is called."""
    return voice.say("hint.interpreter", phone=isolated(voice.language, plain(phone(number))))


def before(voice: Voice, number: str, text: str, html: str) -> tuple[str, str]:
    """An e-mail with the line before everything else: whoever cannot read the rest must find it."""
    line, language = offer(voice, number), voice.language
    tag = f'<p lang="{escape(language.tag)}" dir="{language.direction}">{as_bdi(escape(line))}</p>'
    return f"{opened(language, line)}\n\n{text}", _BODY.sub(lambda found: found[0] + tag, html, count=1)
