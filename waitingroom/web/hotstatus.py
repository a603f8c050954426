"""The answer of /rooms/{event}/status as two ASGI messages, made once a reading of the room."""

from typing import Any

import msgspec

from waitingroom.reader import Reader

JSON = (b"content-type", b"application/json")
SHARED = (b"cache-control", b"public, max-age=1")
NOSNIFF = (b"x-content-type-options", b"nosniff")
STATUS = "/status"
# Addresses remembered; those of one room may be written `1` and `01`.
ADDRESSES_MAX = 10_000
ID_DIGITS_MAX = 16


class Told(msgspec.Struct, frozen=True):
    event: int
    body: bytes
    start: dict[str, Any]
    rest: dict[str, Any]


class HotStatus:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._told: dict[str, Told] = {}

    def of(self, path: str) -> Told | None:
        """What to send; None: no address of a status, no such room, or none is known yet."""
        told = self._told.get(path)
        if told is not None and told.body is self._reader.status_bytes(told.event):
            return told
        return self._tell_anew(path) if path.endswith(STATUS) else None

    def _tell_anew(self, path: str) -> Told | None:
        _, _, event = path.removesuffix(STATUS).rpartition("/")
        if path != f"/rooms/{event}{STATUS}" or not _is_id(event):
            return None
        body = self._reader.status_bytes(int(event))
        if body is None:
            return None
        headers = [JSON, SHARED, NOSNIFF, (b"content-length", b"%d" % len(body))]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        if len(self._told) >= ADDRESSES_MAX:
            self._told.clear()
        told = Told(int(event), body, start, {"type": "http.response.body", "body": body})
        self._told[path] = told
        return told


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS_MAX
