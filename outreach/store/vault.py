"""Sealed columns and blind indexes: AES-256-GCM-SIV bound to its row, and HMAC look-ups under a separate key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

VERSION = 1


def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"outreach/" + purpose.encode()).derive(master)


class Vault:
    """Keys derived from one 32-byte master key; the first byte of a sealed value names the format, the second the key.

    The additional data is table, column, clinic and row: a value copied into another row does not open (InvalidTag).
    """

    def __init__(self, master: bytes, key_id: int = 1) -> None:
        if len(master) != 32:
            raise ValueError(f"the master key has {len(master)} bytes; it needs 32")
        self._key_id = key_id
        self._cipher = AESGCMSIV(_derive(master, "seal"))
        self._index = _derive(master, "index")
        self._link = _derive(master, "link")

    def seal(self, text: str, place: str, clinic_id: UUID, row_id: UUID) -> bytes:
        """Encrypt `text` for `place` ("table.column") in one row."""
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), _aad(place, clinic_id, row_id))
        return bytes([VERSION, self._key_id]) + nonce + sealed

    def open(self, sealed: bytes, place: str, clinic_id: UUID, row_id: UUID) -> str:
        """Decrypt; raises cryptography.exceptions.InvalidTag for a value from elsewhere."""
        return self._cipher.decrypt(sealed[2:14], sealed[14:], _aad(place, clinic_id, row_id)).decode()

    def index(self, kind: str, normal_form: str, clinic_id: UUID) -> bytes:
        """A blind index: equal values of one clinic meet, nothing else can be read from it. 32 bytes."""
        text = f"{kind}|{clinic_id}|{normal_form}".encode()
        return hmac.new(self._index, text, hashlib.sha256).digest()

    def token(self, purpose: str, row_id: UUID) -> str:
        """An unguessable link token (128 bits, 22 characters), the same each time it is asked for."""
        raw = hmac.new(self._link, f"{purpose}|{row_id}".encode(), hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token_hash(token: str) -> bytes:
    """What is stored of a link token: a dump of the database opens no page."""
    return hashlib.sha256(token.encode()).digest()


def _aad(place: str, clinic_id: UUID, row_id: UUID) -> bytes:
    return f"{place}|{clinic_id}|{row_id}".encode()


def vault_of(session: Session) -> Vault:
    """The vault that wiring gave to the session maker; a session without one cannot touch a sealed column."""
    vault = session.info.get("vault")
    if not isinstance(vault, Vault):
        raise TypeError("this session has no vault: make sessions through wiring.build()")
    return vault
