"""Who somebody is to the room: a keyed hash, so that queue data names nobody."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Literal

# `met`: a device together with an account it has signed in to (accounts.identity).
Kind = Literal["account", "device", "met"]
# 128 bits: no two of ten million subjects meet; 22 characters in a key.
SUBJECT_BYTES = 16


def subject_of(secret: bytes, kind: Kind, value: int | str) -> str:
    """22 url-safe characters, the same for the same account or device, in every process."""
    mac = hmac.new(secret, f"{kind}:{value}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(mac[:SUBJECT_BYTES]).rstrip(b"=").decode()
