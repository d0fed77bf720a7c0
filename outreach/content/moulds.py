"""Moulds: texts that differ only in the token of their link, composed once and filled for each reader."""

from __future__ import annotations

from typing import NamedTuple

from outreach.domain.message import Content

TOKEN = "0" * 22
"""Stands where a link's token will: as long, and like it of characters that every alphabet counts the same."""
MOULDS = 8192


class Mould(NamedTuple):
    """An SMS without its token: `pieces` joined by it are the text (none: it has to be composed each time); its size is
    the same whichever it is."""

    pieces: tuple[str, ...]
    sample: Content

    def fill(self, token: str) -> Content:
        """The content whose links hold `token`, of as many letters, digits, - and _ as TOKEN."""
        sample = self.sample
        return Content(sample.locale, token.join(self.pieces), segments=sample.segments, encoding=sample.encoding)
