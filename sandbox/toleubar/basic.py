"""HTTP Basic: who says they are the merchant."""

import base64
import binascii


def read_basic(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header (UTF-8, split at the first colon)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
