"""The console's words: all of them can be translated, and each catalog of it is whole."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from outreach.content.console_words import GUIDE, targets, template
from outreach.settings import ROOT

TEMPLATES = sorted(path for path in (ROOT / "templates" / "console").glob("*.html") if path.name != GUIDE)
SPOKEN = {"aria-label", "title", "placeholder", "alt", "label"}  # attributes that people read or hear
HOLE = "\x00"  # where the template puts a value
NO_WORDS = {"outreach", "ork_ _"}  # names, which are the same in every language: ours, and how our keys begin
ATTRIBUTE = re.compile(r'[a-z-]+="')  # a macro that writes attributes, outside of any tag


class Raw(HTMLParser):
    """Letters that stand in a template as they are, outside of `_()` and `trans`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def note(self, text: str) -> None:
        bare = text.replace(HOLE, " ").strip()
        if re.search(r"[^\W\d_]{2}", bare) and bare.casefold() not in NO_WORDS and not ATTRIBUTE.match(bare):
            self.found.append(bare)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SPOKEN:
                self.note(value or "")

    def handle_data(self, data: str) -> None:
        self.note(data)


def raw_words(source: str) -> list[str]:
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    for block in tree.find_all(nodes.Block):
        if block.name == "width":  # the name of a class
            block.body = []
    pieces = [
        part.data if isinstance(part, nodes.TemplateData) else HOLE
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    ]
    reader = Raw()
    reader.feed("".join(pieces))
    reader.close()
    return reader.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_of_the_console_holds_no_words_that_cannot_be_translated(path: Path) -> None:
    assert not raw_words(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{{ _("Hello") }} · 12</p>', []),
        ("<p>{% trans n=2 %}{{ n }} row{% pluralize %}{{ n }} rows{% endtrans %}</p>", []),
        ('<a title="Sign out" href="/x">{{ name }}</a>', ["Sign out"]),
        ('<a title="{{ name }}" class="button">{{ name }}</a>', []),
        ("{% if one %}<b>Yes</b>{% endif %}", ["Yes"]),
    ],
    ids=["text", "marked", "plural", "attribute", "value", "branch"],
)
def test_raw_words_are_told_from_marked_ones(source: str, found: list[str]) -> None:
    assert raw_words(source) == found


REFUSALS = {"HTTPException", "BadInput", "NotAllowed"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "outreach" / "web" / "console").glob("*.py")), ids=lambda path: path.name
)
def test_what_the_console_refuses_is_said_in_sentences_that_can_be_translated(path: Path) -> None:
    bare = [
        f"line {call.lineno}: {ast.unparse(argument)}"
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in REFUSALS
        for argument in call.args
        if isinstance(argument, ast.JoinedStr)
        or (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
    ]
    assert not bare


def messages(locale: str) -> list[Message]:
    path = ROOT / "locales" / locale / "LC_MESSAGES" / "console.po"
    with path.open("rb") as file:
        return [message for message in read_po(file, locale=locale, abort_invalid=True) if message.id]


def test_the_template_of_words_is_what_the_code_says() -> None:
    """`outreach locales extract` writes it anew."""
    assert (ROOT / "locales" / "console.pot").read_bytes() == template(ROOT)


def test_the_console_speaks_spanish() -> None:
    assert "es" in targets(ROOT)


@pytest.mark.parametrize("locale", targets(ROOT))
def test_a_catalog_of_the_console_says_everything_with_the_same_values(locale: str) -> None:
    with (ROOT / "locales" / "console.pot").open("rb") as file:
        wanted = {(one.context, one.id) for one in read_po(file) if one.id}
    found = {(one.context, one.id): one for one in messages(locale)}
    missing = [ids for ids in wanted if ids not in found or not all(forms(found[ids].string))]
    assert not missing
    unlike = {
        str(one.id): form
        for one in found.values()
        for at, form in enumerate(forms(one.string))
        if any(read(form) != read(forms(one.id)[min(at, len(forms(one.id)) - 1)]) for read in (values, markup))
    }
    assert not unlike
    assert not [one.id for one in found.values() if one.fuzzy]


def forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def values(text: str) -> set[str]:
    return set(re.findall(r"%(?:\(\w+\))?[a-z%]", text))


def markup(text: str) -> list[str]:
    return sorted(re.findall(r"<[^>]+>", text))
