"""The Authorization header of HTTP Basic (RFC 7617), as machines really send it."""

import base64
import binascii

from accounts.accounts import WrongCredentials

SCHEME = "basic"


def read_basic(header: str | None) -> tuple[str, str] | None:
    """(e-mail, password); None: no Basic header. WrongCredentials: one that can't be read.

    UTF-8, split at the FIRST colon: passwords hold colons, addresses don't.
    """
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != SCHEME:
        return None
    try:
        text = base64.b64decode(token.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise WrongCredentials from None
    email, colon, password = text.partition(":")
    if not colon:
        raise WrongCredentials
    return email, password
