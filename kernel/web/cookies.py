"""One cookie out of a `Cookie` header, without reading the others."""

import re
from http.cookies import CookieError, SimpleCookie

# What needs no unquoting: tokens, ids, base64url.
PLAIN = re.compile(rb"[A-Za-z0-9._~-]+")


def cookie_in(header: bytes, name: str) -> str | None:
    """The value of this cookie; None: there is none. Only unusual headers are parsed whole."""
    key = name.encode()
    at = header.find(key)
    if at < 0:
        return None
    start, end = at + len(key), header.find(b";", at)
    value = header[start:] if end < 0 else header[start:end]
    is_whole = (at == 0 or header[at - 2 : at] == b"; ") and header.find(key, start) < 0
    if is_whole and value[:1] == b"=" and PLAIN.fullmatch(value, 1):
        return value[1:].decode()
    try:
        found = SimpleCookie(header.decode("latin-1")).get(name)
    except CookieError:
        return None
    return found.value if found else None
