"""Sealed columns and blind indexes: AES-256-GCM-SIV bound to its row, and HMAC look-ups under a separate key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Sequence
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from outreach.store.ids import noise

VERSION = 2
"""The form of what is sealed now; 1, whose additional data were text, is still opened."""


def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"outreach/" + purpose.encode()).derive(master)


class Vault:
    """Keys derived from one 32-byte master key; the first byte of a sealed value names the format, the second the key.

    The additional data is table, column, clinic and row: a value copied into another row does not open (InvalidTag).
    """

    def __init__(self, master: bytes, key_id: int = 1) -> None:
        if len(master) != 32:
            raise ValueError(f"the master key has {len(master)} bytes; it needs 32")
        self._head = bytes([VERSION, key_id])
        self._cipher = AESGCMSIV(_derive(master, "seal"))
        self._index = _derive(master, "index")
        self._links = threading.local()
        self._master = master

    def seal(self, text: str, place: str, clinic_id: UUID, row_id: UUID) -> bytes:
        """Encrypt `text` for `place` ("table.column") in one row."""
        nonce = noise(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), _aad(place, clinic_id, row_id))
        return self._head + nonce + sealed

    def open(self, sealed: bytes, place: str, clinic_id: UUID, row_id: UUID) -> str:
        """Decrypt; raises cryptography.exceptions.InvalidTag for a value from elsewhere."""
        bound = _aad(place, clinic_id, row_id) if sealed[0] == VERSION else f"{place}|{clinic_id}|{row_id}".encode()
        return self._cipher.decrypt(sealed[2:14], sealed[14:], bound).decode()

    def index(self, kind: str, normal_form: str, clinic_id: UUID) -> bytes:
        """A blind index: equal values of one clinic meet, nothing else can be read from it. 32 bytes."""
        text = f"{kind}|{clinic_id}|{normal_form}".encode()
        return hmac.new(self._index, text, hashlib.sha256).digest()

    def token(self, purpose: str, row_id: UUID) -> str:
        """An unguessable link token (22 characters), the same each time: the row's id, enciphered as one AES block.

        A permutation of 128 bits under a key of its own: nothing of it has to be stored or indexed to find the row
        again, a dump of the database opens no page, and a guess hits a row with a chance of rows / 2^128.
        """
        return base64.urlsafe_b64encode(self._block(purpose)[0].update(row_id.bytes)).decode().rstrip("=")

    def tokens(self, purpose: str, row_ids: Sequence[UUID]) -> list[str]:
        """The tokens of several rows."""
        sealed = self._block(purpose)[0].update(b"".join([one.int.to_bytes(16) for one in row_ids]))
        encoded = [base64.urlsafe_b64encode(sealed[at : at + 16])[:22] for at in range(0, len(sealed), 16)]
        return [one.decode() for one in encoded]

    def row_of(self, purpose: str, token: str) -> UUID | None:
        """The id a token was made of; None for what cannot be one. Whether there is such a row, the table knows."""
        try:
            sealed = base64.b64decode(token + "==", altchars=b"-_", validate=True)
        except ValueError:
            return None
        if len(sealed) != 16 or base64.urlsafe_b64encode(sealed).decode().rstrip("=") != token:
            return None
        return UUID(bytes=self._block(purpose)[1].update(sealed))

    def _block(self, purpose: str) -> tuple[CipherContext, CipherContext]:
        """Encryptor and decryptor of single blocks, kept per thread: making them costs ten times their use."""
        made: dict[str, tuple[CipherContext, CipherContext]] | None = getattr(self._links, "made", None)
        if made is None:
            made = self._links.made = {}
        if purpose not in made:
            cipher = Cipher(AES256(_derive(self._master, f"link/{purpose}")), ECB())
            made[purpose] = cipher.encryptor(), cipher.decryptor()
        return made[purpose]


def token_hash(token: str) -> bytes:
    """What is stored of a link token: a dump of the database opens no page."""
    return hashlib.sha256(token.encode()).digest()


def _aad(place: str, clinic_id: UUID, row_id: UUID) -> bytes:
    return place.encode() + clinic_id.int.to_bytes(16) + row_id.int.to_bytes(16)


def vault_of(session: Session) -> Vault:
    """The vault that wiring gave to the session maker; a session without one cannot touch a sealed column."""
    vault = session.info.get("vault")
    if not isinstance(vault, Vault):
        raise TypeError("this session has no vault: make sessions through wiring.build()")
    return vault
