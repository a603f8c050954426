"""Who somebody is to the room: a keyed hash, so that queue data names nobody."""

from functools import lru_cache
from typing import Literal

from kernel.mac import Mac, base64url

# `met`: a device together with an account it has signed in to (accounts.identity).
Kind = Literal["account", "device", "met"]
# 128 bits: no two of ten million subjects meet; 22 characters in a key.
SUBJECT_BYTES = 16

_mac = lru_cache(Mac)


def subject_of(secret: bytes, kind: Kind, value: int | str) -> str:
    """22 url-safe characters, the same for the same account or device, in every process."""
    mac = _mac(secret).digest(f"{kind}:{value}".encode())
    return base64url(mac[:SUBJECT_BYTES]).decode()
