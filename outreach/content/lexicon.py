"""The lexicon: the words in use, exchanged as a whole when their files change and are right, kept when they are not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import structlog

from outreach.content.compose import SOURCE, Words, catalog_path, voice_of
from outreach.errors import BadFile

log = structlog.get_logger()

PERIOD = 1.0
"""Seconds between two looks. A change is taken by the second look that finds the same: seen within two seconds, and a
look at some eighty files costs less than a millisecond."""

Stamp = tuple[int, int, int]
Stamps = Mapping[str, Stamp]
"""Per file, when it was changed (ns), its size and its inode: a file that was put in another's place has another."""


class Lexicon:
    """Holds the words; `words` costs reading an attribute. Who needs several things of one snapshot takes it once.

    A thread of its own looks at the files (`watch`), not whoever sends: reading all of them takes a third of a second,
    which on the pump's loop would stand between carriers and their answers. Safe to share between threads.
    """

    def __init__(self, words: Words, root: Path | None = None, stamps: Stamps | None = None) -> None:
        """`root` None: these words never change."""
        self._words, self._root = words, root
        self._trouble: BadFile | None = None
        self._taken: Stamps = stamps or {}
        self._seen = self._refused = self._taken
        self._reading = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def load(cls, root: Path) -> Lexicon:
        """The words under `root`. Raises BadFile at the first fault: there are no earlier ones to go on with."""
        stamps = _stamps(root)  # before they are read: what changes meanwhile is found by the first look
        return cls(Words.load(root), root, stamps)

    @classmethod
    def of(cls, words: Words) -> Lexicon:
        """Words that never change."""
        return cls(words)

    @property
    def words(self) -> Words:
        """The snapshot in use."""
        return self._words

    @property
    def root(self) -> Path | None:
        """The folder that the words are read from; None: they never change."""
        return self._root

    @property
    def trouble(self) -> BadFile | None:
        """What is wrong with the files as they lie there, if the words in use are older than they."""
        return self._trouble

    def refresh(self) -> bool:
        """Look at the files; True when other words are in use now. A change counts once two looks found it the same:
        somebody may be writing. Whatever is wrong is logged once, and kept as `trouble` until the files are right."""
        if self._root is None:
            return False
        with self._reading:
            found = _stamps(self._root)
            settled, self._seen = found == self._seen, found
            if found == self._taken:
                self._trouble = None  # put back as it was
                return False
            return settled and found != self._refused and self._take(self._root, found)

    def watch(self, then: Callable[[], None] = lambda: None) -> None:
        """Look every PERIOD from now on, until `close`; `then` is called after other words were taken. Once in each
        process, after it was forked."""
        if self._root is not None and self._thread is None:
            self._thread = threading.Thread(target=self._watching, args=(then,), name="lexicon", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _watching(self, then: Callable[[], None]) -> None:
        while not self._closing.wait(PERIOD):
            try:
                if self.refresh():
                    then()
            except Exception:  # a bug, which must not leave this process with old words for ever and nobody knowing
                log.exception("words not looked at", kind="lexicon")

    def _take(self, root: Path, found: Stamps) -> bool:
        try:
            words = _read(root, self._words, {name for name, _ in found.items() ^ self._taken.items()})
        except BadFile as error:
            wrong = error
        else:
            if _stamps(root) != found:
                return False  # it was written while it was read
            self._words, self._taken, self._trouble = words, found, None
            log.info("words taken", count=len(words.voices))
            return True
        self._refused = found
        self._trouble = replace(wrong, path=_within(root, wrong.path))
        log.error("words not taken, earlier ones stay", place=f"{self._trouble.path}:{wrong.line}", error=wrong.what)
        return False


def _read(root: Path, before: Words, changed: Collection[str]) -> Words:
    """Everything anew, or only the voices whose catalogs have changed: the others keep what was compiled for them."""
    catalogs = {str(catalog_path(root, locale)): locale for locale in before.voices}
    if not all(path in catalogs for path in changed):
        words = Words.load(root)
        spoken = words.voices
    else:
        spoken = {
            locale: voice_of(root, before.voices[locale].language, before.parts, before.units)
            for locale in map(catalogs.__getitem__, sorted(changed))
        }
        words = before.renewed(spoken)
    for locale in spoken:
        _still_whole(root, locale, before, words)
    return words


def _still_whole(root: Path, locale: str, before: Words, words: Words) -> None:
    """A catalog that was cut between two entries reads like a shorter one: an entry that was used must not be gone.

    It may be emptied or marked fuzzy, and it may go with its English text.
    """
    earlier, now = before.voices.get(locale), words.voices[locale].catalog
    if earlier is None or locale == SOURCE:
        return
    gone = [key for key in earlier.catalog.forms if key not in now.entries and _same(key, before, words)]
    if gone:
        what = f"{len(gone)} entries that were used are gone, the first is {gone[0]}; the file may be cut short."
        raise BadFile(catalog_path(root, locale), 0, what, "Put it back whole; to take back a translation, empty it.")


def _same(key: str, one: Words, other: Words) -> bool:
    unit, now = one.units[key], other.units.get(key)
    return now is not None and (unit.text, unit.plural) == (now.text, now.plural)


def _within(root: Path, path: Path | str) -> str:
    found = Path(path)
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else str(path)


def _stamps(root: Path) -> Stamps:
    """The files that words are made of. One that is not there has no stamp; it is told of when it is read."""
    found = dict(_below(str(root / "templates" / "messages")))
    found.update(_below(str(root / "templates" / "layouts")))
    catalogs = (catalog_path(root, folder.name) for folder in (root / "locales").glob("*"))
    for path in (root / "config" / "languages.yaml", *catalogs):
        try:
            state = path.stat()
        except OSError:
            continue
        found[str(path)] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return found


def _below(folder: str) -> Iterator[tuple[str, Stamp]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir():
                yield from _below(entry.path)
            elif "." in entry.name:  # as sources.read takes them
                state = entry.stat()
                yield entry.path, (state.st_mtime_ns, state.st_size, state.st_ino)
        except OSError:
            continue  # gone since it was listed
