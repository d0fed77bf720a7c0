"""One language speaking: templates bound to its catalog, with values put in by ourselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape as escape_html
from typing import Any

from jinja2 import Environment, UndefinedError

from outreach.content import body
from outreach.content.catalogs import Catalog, Unit
from outreach.content.checks import PLACEHOLDER
from outreach.content.formats import Language, as_bdi
from outreach.content.sources import Part, environment
from outreach.errors import BadInput


class Raw(str):
    """Text that is already in the form of the place where it is put."""

    __slots__ = ()


def _html(value: object) -> object:
    return value if isinstance(value, Raw) else as_bdi(escape_html(str(value)))


def _markdown(value: object) -> object:
    return value if isinstance(value, Raw) else body.escape(str(value))


_FINALIZE: dict[str, Callable[[object], object] | None] = {"txt": None, "md": _markdown, "html": _html}


@dataclass(frozen=True)
class Voice:
    """A language with its checked words. Each template is compiled once per voice, at its first use."""

    language: Language
    catalog: Catalog
    parts: Mapping[str, Part]
    units: Mapping[str, Unit]
    _environments: dict[str, Environment] = field(default_factory=dict, repr=False)

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """A template in this language. Raises BadInput naming a missing translation or value."""
        self._demand(self.parts[name].units, name)
        environment = self._environments.get(name.rpartition(".")[2]) or self._bound(name.rpartition(".")[2])
        try:
            return environment.get_template(name).render(context)
        except UndefinedError as error:
            raise BadInput(f"{name}: a value is missing: {error.message}. Give it in Values.") from error

    def say(self, key: str, **values: object) -> str:
        """One unit by its key, as plain text."""
        unit = self.units.get(key)
        if unit is None:
            raise BadInput(f"No words are known by the key {key!r}; see templates/messages/page/ui.txt.")
        self._demand((unit,), key)
        return self._pgettext(key, unit.text, **values)

    def lacks(self, name: str) -> tuple[str, ...]:
        """The keys of a template's units that are not translated."""
        return tuple(unit.key for unit in self.parts[name].units if unit.key not in self.catalog.forms)

    def _demand(self, units: tuple[Unit, ...], what: str) -> None:
        lacking = [unit.key for unit in units if unit.key not in self.catalog.forms]
        if lacking:
            raise BadInput(f"{what} is not translated into {self.language.locale}: {', '.join(lacking)}.")

    def _bound(self, kind: str) -> Environment:
        made = environment({name: part.source for name, part in self.parts.items()})
        made.finalize = _FINALIZE[kind]
        made.globals.update(pgettext=self._pgettext, npgettext=self._npgettext)
        self._environments[kind] = made
        return made

    def _pgettext(self, key: str, source: str, /, **values: object) -> str:
        return _filled(key, self.catalog.form(key) or source, values)

    def _npgettext(self, key: str, source: str, plural: str, number: int, /, **values: object) -> str:
        return _filled(key, self.catalog.form(key, int(number)) or source, values)


def _filled(key: str, text: str, values: Mapping[str, object]) -> str:
    """The text with its values. Not the % operator: `% s` in a translation would print every value it was given."""

    def value(name: str | None) -> str:
        if name is None:
            return "%"
        if name not in values:
            raise BadInput(f"{key}: the value {name!r} is missing.")
        return str(values[name])

    return PLACEHOLDER.sub(lambda found: value(found[1]), text)
