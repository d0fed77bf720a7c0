"""Is this webhook from Twilio? One HMAC, compared in constant time; never an exception."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Sequence

from twilio.request_validator import RequestValidator


def sign(token: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    """X-Twilio-Signature of a form request: names sorted, values of one name sorted and each once."""
    return _hash(token, _text(url, list(params))).decode()


def valid(
    tokens: Sequence[str], url: str, params: Iterable[tuple[str, str]], signature: str | None, body: str | None = None
) -> bool:
    """Whether one of `tokens` (primary, secondary) made `signature`. Never raises: nonsense is simply not valid.

    `url` is the public URL from our configuration, with its query, never one built from the request's Host header.
    `body` is the raw text of a request that is not a form; its hash is in the URL (bodySHA256).
    """
    if not signature:
        return False
    pairs = params if isinstance(params, list) else list(params)
    try:
        if body is None:
            given, text = signature.encode(), _text(url, pairs)
            for token in tokens:
                if token and hmac.compare_digest(_hash(token, text), given):  # an empty token would let anyone sign
                    return True
        return any(_valid_by_library(token, url, pairs, signature, body) for token in tokens if token)
    except Exception:  # strangers choose every byte of this input; the answer to nonsense is "no"
        return False


def _text(url: str, pairs: list[tuple[str, str]]) -> bytes:
    """What is signed. Only repeated names cost a set: pairs sort as names do, then as their values do."""
    told: Iterable[tuple[str, str]] = pairs if len(dict(pairs)) == len(pairs) else set(pairs)
    return (url + "".join([name + value for name, value in sorted(told)])).encode()


def _hash(token: str, text: bytes) -> bytes:
    return base64.b64encode(hmac.digest(token.encode(), text, "sha1"))


def _valid_by_library(token: str, url: str, pairs: list[tuple[str, str]], signature: str, body: str | None) -> bool:
    """Twilio's own validator: it also tries the URL with and without its port, and the hash of a body."""
    return bool(RequestValidator(token).validate(url, body if body is not None else _Form(pairs), signature))


class _Form(dict[str, str]):
    """The multi-value mapping that the library reads by `getlist`."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]
