"""One Markdown body shown two ways: as HTML and as plain text that stands on its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from outreach.content.formats import as_bdi

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINK_ONLY = ("link_open", "text", "link_close")


def escape(text: str) -> str:
    """A value as Markdown that means only itself, whatever it holds: structure belongs to the template alone."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def html(markdown: str) -> str:
    """The body as an HTML fragment. A link alone in its paragraph becomes a button."""
    tokens = _MARKDOWN.parse(markdown)
    for token in tokens:
        if token.children and _kinds(token.children) == _LINK_ONLY:
            token.children[0].attrSet("class", "button")
    return as_bdi(str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})))


def text(markdown: str) -> str:
    """The body as plain text: blank lines between paragraphs, dashes before list items, links with their addresses."""
    lines: list[str] = []
    in_item = False
    for token in _MARKDOWN.parse(markdown):
        if token.type in ("list_item_open", "list_item_close"):
            in_item = token.type == "list_item_open"
        elif token.type == "bullet_list_close":
            lines.append("")
        elif token.type == "inline":
            words = _words(token.children or [])
            lines += [f"- {words}"] if in_item else [words, ""]
    return "\n".join(lines).strip()


def _kinds(children: Sequence[Token]) -> tuple[str, ...]:
    return tuple(child.type for child in children)


def _words(children: Sequence[Token]) -> str:
    out, address = "", ""
    alone = _kinds(children) == _LINK_ONLY
    for child in children:
        if child.type == "link_open":
            address = str(child.attrGet("href") or "")
        elif child.type == "link_close":
            out += f": {address}" if alone else f" ({address})"
        else:
            out += child.content or (" " if child.type.endswith("break") else "")
    return out
