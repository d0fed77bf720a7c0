"""Telephone numbers inside what people read: never over two lines, never turned round in right-to-left text."""

from __future__ import annotations

from markupsafe import Markup, escape

from outreach.domain.contact import NUMBER


def whole(text: str) -> Markup:
    """Any text, escaped, with each telephone number in one piece: broken over two lines it is dialled wrong."""
    return Markup(NUMBER.sub(lambda found: f'<bdi dir="ltr" class="whole">{found[0]}</bdi>', str(escape(text))))
