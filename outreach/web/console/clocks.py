"""Time zones as people choose from them: the clinic's country first, by the names people use, then the world."""

from __future__ import annotations

from functools import cache

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location, get_timezone_name

from outreach.domain.window import zone_names
from outreach.errors import say
from outreach.web.console.desk import Desk

Groups = list[tuple[str, list[tuple[str, str]]]]
# The parts of the world that zones are named by: as CLDR knows them in every language, or in words of our own.
_LANDS = {"Africa": "002", "America": "019", "Antarctica": "AQ", "Asia": "142", "Australia": "AU", "Europe": "150"}
_SEAS = {
    "Arctic": say("Arctic"), "Atlantic": say("Atlantic Ocean"), "Indian": say("Indian Ocean"),
    "Pacific": say("Pacific Ocean"),
}  # fmt: skip


def zones(desk: Desk, kept: str = "") -> Groups:
    """Groups for the zone's select; a clinic's own zone leads them, since most of its patients live there.

    One name for each clock. `kept`: what is stored may be an older name; left out, saving the form would change it.
    """
    home, lands = _zones(desk.country, desk.clinic.zone, desk.signed.locale)
    for older in sorted({kept, desk.clinic.zone} & _older()):
        home = [*home, (older, _plain(older, desk.signed.locale))]
    seas = _seas(desk.country, desk.signed.locale)
    near = [(desk.say(say("In this country")), home)] if home else []
    return [
        *near,
        *lands,
        *((desk.say(_SEAS[sea]), there) for sea, there in seas),
        (desk.say(say("Other")), [("UTC", "UTC")]),
    ]


@cache
def _zones(country: str, own: str, locale: str) -> tuple[list[tuple[str, str]], Groups]:
    home = [(name, _plain(name, locale)) for name in _of(country)]
    home.sort(key=lambda one: (one[0] != own, one[0] not in _main(), ": " not in one[1], one[1]))
    territories = Locale.parse(locale).territories
    lands = [(territories[code], there) for land, code in _LANDS.items() if (there := _abroad(country, land, locale))]
    return home, sorted(lands)


@cache
def _seas(country: str, locale: str) -> Groups:
    return [(sea, there) for sea in _SEAS if (there := _abroad(country, sea, locale))]


def _abroad(country: str, part: str, locale: str) -> list[tuple[str, str]]:
    names = (one for one in zone_names() - _older() - set(_of(country)) if one.startswith(part + "/"))
    return sorted(((name, _city(name, locale)) for name in names), key=lambda one: one[1])


def _of(country: str) -> list[str]:
    return sorted(set(get_global("territory_zones").get(country, ())) & (zone_names() - _older()))


@cache
def _older() -> frozenset[str]:
    """Names that are only other names of a zone that is offered."""
    aliases = get_global("zone_aliases")
    return frozenset(name for name, now in aliases.items() if now in zone_names() and now != name)


@cache
def _main() -> frozenset[str]:
    """The city by which each clock of the world is best known."""
    return frozenset(get_global("windows_zone_mapping").values())


def _plain(name: str, locale: str) -> str:
    """Central Time: Chicago; the city alone where people have no other name for its clock."""
    city, said = _city(name, locale), get_timezone_name(name, locale=locale)
    said = said[:1].upper() + said[1:]
    return city if "(" in said or city in said else f"{said}: {city}"


def _city(name: str, locale: str) -> str:
    return get_timezone_location(name, locale=locale, return_city=True).replace("/", ", ").replace("_", " ")
