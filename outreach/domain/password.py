"""What makes a password fit: long, and not what anybody would try first."""

from __future__ import annotations

from collections.abc import Iterable

from outreach.errors import BadInput, say

SHORTEST, LONGEST = 10, 200
_FIRST_TRIES = (
    "password",
    "passwort",
    "contrasena",
    "contraseña",
    "letmein",
    "welcome",
    "qwerty",
    "iloveyou",
    "administrator",
)
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890123456789")


def check(password: str, about: Iterable[str] = (), taken: Iterable[str] = ()) -> None:
    """BadInput for one that is too short or too easy. `about`: words everybody knows of this person (their address,
    the clinic's name); `taken`: passwords that stand in print.

    No kinds of characters are asked for: length is what counts, and rules about digits make people write them down.
    """
    if len(password) < SHORTEST:
        raise BadInput(
            say("The password has %(n)s characters; it needs at least %(least)s.", n=len(password), least=SHORTEST)
        )
    if len(password) > LONGEST:
        raise BadInput(say("The password is longer than %(most)s characters.", most=LONGEST))
    if password in taken:
        raise BadInput(say("This password is printed on the page of the demo. Choose another one."))
    if len(set(password)) < 5 or len(_rest(password.casefold(), about)) < 4:
        raise BadInput(say("This password is one of the first that a stranger would try. Use a few words of your own."))


def _rest(password: str, about: Iterable[str]) -> str:
    """What is left of it without what a stranger would put in."""
    known = {part for text in about for part in _parts(text.casefold()) if len(part) >= 4}
    for part in sorted({*known, *_FIRST_TRIES}, key=len, reverse=True):
        password = password.replace(part, "")
    for run in _RUNS:
        if len(password) > 3 and (password in run or password in run[::-1]):
            return ""
    return password


def _parts(text: str) -> list[str]:
    """The address or name itself, and its words."""
    words = "".join(char if char.isalnum() else " " for char in text).split()
    return [text, *words]
