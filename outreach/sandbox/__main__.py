"""Run the sandbox by its environment: python -m outreach.sandbox.

OUTREACH_SANDBOX_HTTP_PORT (8001), OUTREACH_SANDBOX_SMTP_PORT (8002), OUTREACH_SANDBOX_HOST (127.0.0.1),
OUTREACH_SANDBOX_ACCOUNT_SID and _AUTH_TOKEN (what our side signs in with), OUTREACH_SANDBOX_INBOUND_URL (our inbound
hook), OUTREACH_SANDBOX_SHELF (a file that keeps messages over a restart), and its behaviour: see
outreach.sandbox.script.Behaviour.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import uvicorn

from outreach.sandbox.app import build
from outreach.sandbox.script import PREFIX, from_environment

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "sandbox"  # guards invented messages on this machine


def main() -> int:
    def setting(name: str, default: str) -> str:
        return os.environ.get(PREFIX + name) or default

    try:
        host = setting("HOST", "127.0.0.1")
        app = build(
            account_sid=setting("ACCOUNT_SID", ACCOUNT_SID),
            auth_token=setting("AUTH_TOKEN", AUTH_TOKEN),
            inbound_url=setting("INBOUND_URL", ""),
            smtp_port=int(setting("SMTP_PORT", "8002")),
            host=host,
            behaviour=from_environment(),
            shelf=Path(kept) if (kept := setting("SHELF", "")) else None,
        )
        http_port = int(setting("HTTP_PORT", "8001"))
    except ValueError as wrong:
        sys.stderr.write(f"sandbox: {wrong}\n")
        return 2
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd names addresses
    uvicorn.run(app, host=host, port=http_port, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
