"""The patient's own page as it would look with words that are being typed, for a sample reader."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from outreach.content.candidate import Use
from outreach.content.compose import Words
from outreach.content.formats import Language, day, phone, time
from outreach.content.values import Values
from outreach.settings import ROOT
from outreach.web.patient.reader import OF_CARE, isolated, sheet, unbroken
from outreach.web.views import render

TEMPLATES = ("message", "privacy", "over", "unsubscribe", "gone")
"""Those that a sample reader can be shown; the others have forms of their own, and their words are shown alone."""
_ASKS = "pre.the_day"


@dataclass(frozen=True)
class Reader:
    """As much of a reader as the templates ask for."""

    language: Language
    stopped: bool = False
    declined: bool = False
    withheld: bool = False
    may_agree: bool = False
    token: str = "example"
    chosen: str = ""
    over: bool = False

    @property
    def locale(self) -> str:
        return self.language.locale

    def place(self, path: str = "") -> str:
        """Nowhere: the links of an example lead back to it."""
        return "#"


@dataclass(frozen=True)
class Clinic:
    """As much of a clinic."""

    name: str
    address: str
    emergency: str


@cache
def template_of(key: str) -> str:
    """The page whose words hold this unit; "" for none. The first that is named here, since many share theirs."""
    if key == "page.back":
        return "privacy"  # the message's own page has another foot
    for name in TEMPLATES:
        pages = [f"{name}.html", "call.html", "base.html"] if name == "message" else [f"{name}.html"]
        text = "".join((ROOT / "templates" / "pages" / page).read_text("utf-8") for page in pages)
        if re.search(rf"""ui\(["']{re.escape(key)}["']""", text):
            return name
    if key.startswith(("page.answer", "page.answered", "time.clinic")):
        return "message"
    return "gone" if key.startswith("page.gone") else ""


def shown(
    words: Words, locale: str, key: str, use: Use | None, values: Values, spoken: Iterable[Language]
) -> str:  # fmt: skip
    """The whole page as HTML; `spoken`: the languages that it offers. Raises BadInput."""
    language, name = words.language(locale), "message" if use else template_of(key)
    if name == "gone":
        told = [(language, words.ui("page.gone", locale), words.ui("page.gone.whole", locale))]
        return render("pages/gone.html", spoken=told, sheet=sheet())
    reader = Reader(language, stopped=key == "page.stopped", may_agree=key in ("page.agree", "page.decline"))
    number = unbroken(phone(values.clinic_phone))

    def ui(asked: str, **more: object) -> Markup:
        said = words.ui(asked, locale, clinic=values.clinic, phone=number, emergency=values.emergency, **more)
        return isolated(said)

    around: dict[str, Any] = {
        "ui": ui, "sheet": sheet(), "reader": reader, "language": language, "spoken": list(spoken), "tel": "",
        "clinic": Clinic(values.clinic, values.clinic_address, values.emergency),
    }  # fmt: skip
    if name == "message":
        around |= _message(words, locale, key, use, values, ui)
    return render(f"pages/{name}.html", **around)


def _message(words: Words, locale: str, key: str, use: Use | None, values: Values, ui: Any) -> dict[str, Any]:
    message = use.message if use else _ASKS
    asks, number = key.startswith("page.answer"), phone(values.clinic_phone)
    html = words.page(message, locale, use.wording if use else "full", values)
    return {
        "body": Markup(html.replace(number, unbroken(number))),
        "visit": _visit(words, locale, key, values),
        "question": _question(key, ui) if asks else None,
        "of_care": message.startswith(OF_CARE),
        "agreed": key == "page.agreed",
        "refused": False,
        "mark": "",
    }


def _visit(words: Words, locale: str, key: str, values: Values) -> dict[str, Any] | None:
    if values.visit_start is None:
        return None
    language, at = words.language(locale), values.visit_start
    return {
        "day": day(language, at), "time": time(language, at),
        "yours": time(language, at) if key in ("page.visit.yours", "time.clinic") else "",
        "directions": values.clinic_address if key == "page.visit.directions" else "",
        "cancelled": key == "page.visit.cancelled", "changed": key == "page.visit.changed", "file": True,
    }  # fmt: skip


def _question(key: str, ui: Any) -> dict[str, Any]:
    step = "post.check_in" if "post.check_in" in key else _ASKS
    if key.startswith("page.answered"):
        digit = key.rpartition(".")[2] if key[-1].isdigit() else "1"
        said = ui("page.answered", answer=ui(f"page.answer.{step}.{digit}"))
        return {"buttons": [], "answered": digit, "said": said}
    buttons = [] if key == "page.answer.late" else [(digit, ui(f"page.answer.{step}.{digit}")) for digit in "12"]
    return {"buttons": buttons, "answered": "", "said": ""}
