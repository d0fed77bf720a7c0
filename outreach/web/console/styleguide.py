"""The parts of the console, shown alive: for whoever builds a page. In a demo only."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from outreach.errors import NotFound, say
from outreach.web.console.desk import AtDesk, Desk
from outreach.web.views import STATIC

router = APIRouter()
SCHEMES = re.compile(
    r":root \{(?P<light>[^}]*)\}\s*@media \(prefers-color-scheme: dark\) \{\s*:root \{(?P<dark>[^}]*)\}"
)


def schemes(css: str) -> dict[str, dict[str, str]]:
    """{"light": {"--ink": "#1b282d", ...}, "dark": {...}}: the colours of the stylesheet, as browsers read them."""
    found = SCHEMES.search(css)
    assert found, "style.css begins with :root and the dark :root"
    return {name: dict(re.findall(r"(--[\w-]+): (#\w+)", text)) for name, text in found.groupdict().items()}


# What a form that came back with a fault would hold.
VALUES = {"guide-name": "Ana Sample", "guide-mail": "ana@example", "guide-when": "morning", "guide-warned": "1"}
WRONG = {"guide-mail": say("This is no e-mail address: %(part)s is missing.", part=".org")}


@router.get("/styleguide")
def guide(desk: AtDesk) -> HTMLResponse:
    """Every part once, with the names to call it by."""
    _demo_only(desk)
    return desk.page("styleguide.html", values=VALUES, wrong=WRONG, colours=schemes(_css()))


@router.get("/styleguide.css")
def colours(desk: AtDesk) -> Response:
    """Both schemes as classes, made from the one stylesheet, so that the page can show them side by side."""
    _demo_only(desk)
    rules = [
        f".{name} {{ color-scheme: {name}; background: var(--paper); color: var(--ink); "
        + " ".join(f"{key}: {value};" for key, value in values.items())
        + " }"
        for name, values in schemes(_css()).items()
    ]
    return Response("\n".join(rules), media_type="text/css")


def _demo_only(desk: Desk) -> None:
    if not desk.demo:
        raise NotFound("The style guide belongs to the demo.")


def _css() -> str:
    return (STATIC / "style.css").read_text("utf-8")
