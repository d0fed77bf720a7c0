"""Is this webhook from Twilio? One HMAC, compared in constant time; never an exception."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence

from twilio.request_validator import RequestValidator


def sign(token: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    """X-Twilio-Signature of a form request: names sorted, values of one name sorted and each once."""
    values: dict[str, set[str]] = {}
    for name, value in params:
        values.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def valid(
    tokens: Sequence[str], url: str, params: Iterable[tuple[str, str]], signature: str | None, body: str | None = None
) -> bool:
    """Whether one of `tokens` (primary, secondary) made `signature`. Never raises: nonsense is simply not valid.

    `url` is the public URL from our configuration, with its query, never one built from the request's Host header.
    `body` is the raw text of a request that is not a form; its hash is in the URL (bodySHA256).
    """
    keys = [token for token in tokens if token]  # an empty token would let anyone sign
    if not signature or not keys:
        return False
    pairs = list(params)
    try:
        given = signature.encode()
        if body is None and any(hmac.compare_digest(sign(key, url, pairs).encode(), given) for key in keys):
            return True
        return any(_valid_by_library(key, url, pairs, signature, body) for key in keys)
    except Exception:  # strangers choose every byte of this input; the answer to nonsense is "no"
        return False


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
