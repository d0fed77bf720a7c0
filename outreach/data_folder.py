"""The data folder, and the key of all sealed columns that is kept in it."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from outreach.errors import BadInput
from outreach.settings import Settings


def master_key(settings: Settings) -> bytes:
    """The 32-byte key of all sealed columns: OUTREACH_KEY, else var/key, made on first use with mode 0600."""
    if settings.key is not None:
        return _decoded(settings.key, "OUTREACH_KEY")
    path = settings.var / "key"
    make_var(settings.var)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _decoded(path.read_text("ascii"), str(path))
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    return _decoded(path.read_text("ascii"), str(path))


def make_var(var: Path) -> None:
    """Make the data folder; others may pass through it (an unprivileged database must), not look inside. BadInput where
    it cannot be made or written to."""
    try:
        if not var.is_dir():
            var.mkdir(parents=True, exist_ok=True)
            var.chmod(0o711)
        why = "" if os.access(var, os.W_OK | os.X_OK) else "it belongs to another account"
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise BadInput(f"The data folder {var} cannot be written ({why}). Run as its owner, or name another folder with"
                       " OUTREACH_VAR.")  # fmt: skip


def _decoded(text: str, place: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise BadInput(f"{place}: not a key. It needs 32 bytes in base64; `openssl rand -base64 32` makes one.")
    return raw
