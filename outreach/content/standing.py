"""Where each language stands, in figures: what is translated, what the checker says, what was read back, by whom."""

from __future__ import annotations

from dataclasses import dataclass

from outreach.content import approvals
from outreach.content.checker.findings import words_of
from outreach.content.checker.house import SOURCE, check_locale
from outreach.content.compose import Words
from outreach.content.coverage import coverage
from outreach.content.workbench import Line, Workbench
from outreach.errors import BadFile


@dataclass(frozen=True)
class Standing:
    """One language. Units are counted but for `words`, `words_left`: English words of all units, and of those to do.

    sendable, messages  messages of which no unit is wanting, of all; None while the catalog cannot be loaded
    errors, advice      findings of the checker
    read_back           units that somebody who had not seen the English put back into it as they stand now
    reviewers           whoever signed texts that stand as they were signed, with what they are
    problem             why the catalog cannot be loaded
    """

    locale: str
    name: str
    units: int
    translated: int
    fuzzy: int
    changed: int
    missing: int
    words: int
    words_left: int
    sendable: int | None
    messages: int
    errors: int
    advice: int
    read_back: int
    reviewers: tuple[str, ...]
    problem: str = ""


def standing(bench: Workbench, locale: str) -> Standing:
    """Count one language, all of it. Raises NotFound, and BadFile for files that all languages share."""
    grounds, shelf = bench.grounds(), bench.shelf(locale)
    lines = list(shelf.lines.values())
    states = [line.state for line in lines]
    findings = check_locale(grounds.house, locale, grounds.samples["longest"])
    blocking = sum(one.fault.blocking for one in findings)
    sendable, messages, reviewers, problem = _loaded(bench, locale)
    return Standing(
        locale, shelf.language.name, len(lines),
        states.count("translated"), states.count("fuzzy"), states.count("changed"), states.count("missing"),
        sum(map(_words, lines)), sum(_words(line) for line in lines if line.state != "translated"),
        sendable, messages, blocking, len(findings) - blocking,
        len(lines) if locale == SOURCE else sum(line.back is not None and line.back.counts for line in lines),
        reviewers, problem,
    )  # fmt: skip


def _words(line: Line) -> int:
    return sum(1 for _ in words_of(line.unit.text)) + sum(1 for _ in words_of(line.unit.plural))


def _loaded(bench: Workbench, locale: str) -> tuple[int | None, int, tuple[str, ...], str]:
    """What only words that load can tell: messages that can be sent, messages, reviewers; or why they do not load."""
    try:
        words = Words.load(bench.root, [locale])
    except BadFile as error:
        return None, len(Words.load(bench.root, [SOURCE]).keys), (), str(error)
    signed = approvals.signed(bench.root, locale, approvals.texts(words, locale).values())
    reviewers = dict.fromkeys(f"{one.reviewer} ({one.role})" for one in signed.values())
    short = coverage(words, locale, bench.root).short
    return len(words.keys) - len(short), len(words.keys), tuple(reviewers), ""
