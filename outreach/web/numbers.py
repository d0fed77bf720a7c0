"""Telephone numbers inside what people read: never over two lines, never turned round in right-to-left text."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_NUMBER = re.compile(r"(?<![\w/.:@-])\(?\+?\d(?:[ ().\u00a0\u2011-]{0,2}\d){6,}(?![\w@])")


def whole(text: str) -> Markup:
    """Any text, escaped, with each telephone number in one piece: broken over two lines it is dialled wrong."""
    return Markup(_NUMBER.sub(lambda found: f'<bdi dir="ltr" class="whole">{found[0]}</bdi>', str(escape(text))))
