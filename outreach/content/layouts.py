"""The one e-mail layout, around a body: HTML with its styles on the elements, and plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from css_inline import CSSInliner

from outreach.content import body
from outreach.content.formats import Language
from outreach.content.voice import Raw, Voice

# Webmail strips style sheets; what must be seen stands on the element. Nothing is fetched from anywhere.
_BLANK = re.compile(r"\n{3,}")
_INLINER = CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def email_html(voice: Voice, markdown: str, context: Mapping[str, Any]) -> str:
    """The whole HTML document; lang and dir stand on html, wrapper and cells, since webmail keeps only some of them.
    `context` also holds the title."""
    around = {
        **context,
        "content": Raw(body.html(markdown)),
        "lang": voice.language.tag,
        "dir": voice.language.direction,
        "align": _start(voice.language),
    }
    return _INLINER.inline(voice.render("layouts/email.html", around))


def email_text(voice: Voice, markdown: str, context: Mapping[str, Any]) -> str:
    """The plain part, written from the same units as the HTML; its lines are not yet opened to the right."""
    text = voice.render("layouts/email.txt", {**context, "content": body.text(markdown)})
    return _BLANK.sub("\n\n", text).strip()


def _start(language: Language) -> str:
    return "right" if language.direction == "rtl" else "left"
