"""The profiles of config/law, read and checked: every value has its source beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

import phonenumbers

from outreach.content.yaml_lines import line_of, read_yaml, suggest
from outreach.domain.law import Law
from outreach.domain.timing import parse_clock
from outreach.domain.window import QuietHours
from outreach.errors import BadFile, BadInput

NEVER = "never"
_LONGEST = 10  # the column that a clinic names its profile in


def load_laws(folder: Path) -> dict[str, Law]:
    """Every profile in a folder, by the name of its file. BadFile names the line and what would be right."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise BadFile(folder, 0, "there is no profile of the law.", "Start from the ones that come with the project.")
    return {path.stem: load_law(path) for path in paths}


def load_law(path: Path) -> Law:
    """One profile; BadFile at the first mistake."""
    if len(path.stem) > _LONGEST:
        raise BadFile(path, 0, "the file's name is too long.", f"Use {_LONGEST} letters at most, such as us.yaml.")
    tree = read_yaml(path)
    lines = ("name", *RULES)
    for key in tree:
        if key not in lines:
            raise BadFile(path, line_of(tree, key), f'unknown line "{key}".', suggest(str(key), lines))
    for key in lines:
        if key not in tree:
            raise BadFile(path, 0, f'"{key}" is missing.', f"Add it; us.yaml shows how. The lines are: {_all(lines)}.")
    if not isinstance(tree["name"], str) or not tree["name"].strip():
        raise BadFile(path, line_of(tree, "name"), "the name must be a text.", "Write the name of the country.")
    rules = {key: _rule(path, tree, key) for key in RULES}
    try:
        QuietHours.outside(rules["quiet_from"], rules["quiet_to"])
    except BadInput as error:
        raise BadFile(path, line_of(tree, "quiet_from"), str(error), "quiet_from is the evening.") from None
    if rules["most_a_week"] < rules["most_a_day"]:
        raise BadFile(path, line_of(tree, "most_a_week"), "a week cannot hold fewer messages than a day.",
                      f"Write {rules['most_a_day']} or more.")  # fmt: skip
    sources = {key: " ".join(tree[key]["source"].split()) for key in RULES}
    return Law(code=path.stem, name=tree["name"].strip(), sources=sources, **rules)


def _rule(path: Path, tree: Any, key: str) -> Any:
    rule, line = tree[key], line_of(tree, key)
    if not isinstance(rule, Mapping) or set(rule) != {"is", "source"}:
        raise BadFile(path, line, f'"{key}" must have two lines.', "Write is: and source: below it, indented.")
    if not isinstance(rule["source"], str) or not rule["source"].strip():
        raise BadFile(path, line_of(rule, "source"), f'"{key}" has no source.', "Say where the value comes from.")
    try:
        return RULES[key](rule["is"])
    except BadInput as error:
        raise BadFile(path, line_of(rule, "is"), f'"{key}": {error}', "us.yaml shows a right one.") from None


def _clock(value: Any) -> time:
    if not isinstance(value, str):
        raise BadInput('this is not a text. Put it in quotation marks: "21:00".')
    return parse_clock(value)


def _number(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadInput(f"this must be a whole number from {least} to {most}.")
        return int(value)

    return read


def _day(value: Any) -> date | None:
    if value == NEVER:
        return None
    if type(value) is not date:
        raise BadInput(f"this must be a day, such as 2027-01-31, or {NEVER}.")
    return value


def _regions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadInput("this must be a list of countries, such as [US, PR].")
    for one in value:
        if not isinstance(one, str) or one not in phonenumbers.SUPPORTED_REGIONS:
            raise BadInput(f'"{one}" is no country that has telephone numbers. Write two capitals, in quotes for NO.')
    return tuple(value)


RULES: Mapping[str, Callable[[Any], Any]] = {
    "quiet_from": _clock,
    "quiet_to": _clock,
    "most_a_day": _number(1, 50),
    "most_a_week": _number(1, 200),
    "hint_days": _number(0, 365),
    "stop_business_days": _number(1, 30),
    "confirm_minutes": _number(1, 60),
    "revoke_all_from": _day,
    "join_from": _regions,
}


def _all(words: tuple[str, ...]) -> str:
    return ", ".join(words)
