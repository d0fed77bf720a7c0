"""The headers of every answer: nothing is cached, framed, indexed, or told to another site."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A patient's page runs no script at all. The console's scripts are files of ours; nothing of either is inline.
PATIENT = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
CONSOLE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The workbench shows e-mails and patients' pages in frames: documents of ours that run nothing. An e-mail has its
# styles on its elements, as mail programs want it.
WORKBENCH = "/translate/"
FRAMING = CONSOLE + "; frame-src 'self'"
FRAMED = {
    "/email.html": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "/page.html": "sandbox; default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'self'",
}
PATIENTS_PATHS = ("/p/", "/u/", "/join/")
EVERYWHERE = {
    "Referrer-Policy": "no-referrer",  # a patient's link must not travel on in a Referer
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Headers:
    """ASGI middleware; `secure` adds HSTS, which only makes sense behind TLS."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self.app = app
        self.fixed = EVERYWHERE | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cache = "public, max-age=86400" if scope["path"].startswith("/static/") else "no-store"
        policy, more = _policy(scope["path"])

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.fixed)
                headers["Cache-Control"] = cache
                headers["Content-Security-Policy"] = policy
                headers.update(more)
            await send(message)

        await self.app(scope, receive, send_with)


def _policy(path: str) -> tuple[str, dict[str, str]]:
    """What a page may load and run, and headers that differ from everywhere's."""
    if path.startswith(PATIENTS_PATHS):
        return PATIENT, {}
    if not path.startswith(WORKBENCH):
        return CONSOLE, {}
    framed = next((policy for end, policy in FRAMED.items() if path.endswith(end)), "")
    return (framed, {"X-Frame-Options": "SAMEORIGIN"}) if framed else (FRAMING, {})
