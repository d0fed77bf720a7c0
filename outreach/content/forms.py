"""One value in the form of each place it can stand in: exactly what rendering the whole page would make of it there."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from css_inline import CSSInliner
from markdown_it.common.utils import escapeHtml

from outreach.content.formats import as_bdi, plain

_INLINER = CSSInliner(load_remote_stylesheets=False)
_UNCHANGED = re.compile(
    r"https?://[a-z0-9]++(?:[.-][a-z0-9]++)*+(?::[0-9]{1,5})?(?:/(?:[a-zA-Z0-9_/.~=&+,;:@!$*()?-]++|%[0-9A-Fa-f]{2})*+)?"
)


def unchanged(url: str) -> bool:
    """Whether an address goes through Markdown and HTML as it is, but for & (no blanks, no odd characters, a host)."""
    return _UNCHANGED.fullmatch(url) is not None


def as_is(value: str) -> str:
    return value


@lru_cache(maxsize=8192)
def flat(value: str) -> str:
    """In the plain text of a Markdown body."""
    return " ".join(value.split())


@lru_cache(maxsize=8192)
def on_page(value: str) -> str:
    """In the HTML of a Markdown body."""
    return as_bdi(escapeHtml(flat(value)))


@lru_cache(maxsize=8192)
def in_mail(value: str) -> str:
    """In the HTML of a Markdown body within an e-mail."""
    return _served(on_page(value))


@lru_cache(maxsize=8192)
def around_mail(value: str) -> str:
    """In the layout of an e-mail."""
    return _served(as_bdi(escape(value)))


def in_title(value: str) -> str:
    """In the title of an e-mail's HTML."""
    return escape(plain(value), quote=False).replace("\u00a0", "&nbsp;")


def as_address(url: str) -> str:
    """An `unchanged` address in HTML."""
    return url.replace("&", "&amp;")


def _served(html: str) -> str:
    """As the inliner writes it, which parses the page and serialises it anew."""
    return _INLINER.inline(f"<p>{html}</p>").partition("<p>")[2].rpartition("</p>")[0]
