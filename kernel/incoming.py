"""Reading a large file of rows that may be stopped and gone on with: where each row ends is known.

A file is read by lines (CSV) or as a JSON array of objects, never whole. Bytes that are not UTF-8
come as surrogates, for the row's own judge to refuse.
"""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

CHUNK_BYTES = 1 << 20
# One object of an array; more is no row of ours, and must not fill the memory.
OBJECT_CHARS_MAX = 1 << 20
BETWEEN = " \t\r\n,[]\ufeff"
MARK = codecs.BOM_UTF8


class Place(msgspec.Struct, frozen=True):
    """Where to go on: bytes of the file that are done with, and rows (lines, of CSV) in them."""

    offset: int = 0
    row: int = 0


BEGINNING = Place()


class BrokenJson(ValueError):
    """From here on the file can't be read: no object begins where one should."""


class Lines:
    """The lines of a file, each with its end; `offset` and `line` are those of the last one."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.offset = self.line = 0

    def __iter__(self) -> Iterator[str]:
        for raw in self._source:
            start = len(MARK) if self.offset == 0 and raw.startswith(MARK) else 0
            self.offset += len(raw)
            self.line += 1
            yield raw[start:].decode("utf-8", "surrogateescape")

    @property
    def place(self) -> Place:
        return Place(self.offset, self.line)

    def go_to(self, place: Place) -> None:
        """The next line is the one after `place`."""
        self._source.seek(place.offset)
        self.offset, self.line = place.offset, place.row


class Objects:
    """The values of a JSON array (or of lines of JSON), one after another; `row` is the number of
    the last one.
    """

    def __init__(self, source: BinaryIO, start: Place = BEGINNING) -> None:
        source.seek(start.offset)
        self._source = source
        self._read, self.row = start.offset, start.row
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text, self._at, self._is_all = "", 0, False
        self._next_value = json.JSONDecoder().raw_decode

    @property
    def offset(self) -> int:
        """Bytes up to the end of the value given last."""
        return self._read - len(self._text[self._at :].encode("utf-8", "surrogateescape"))

    @property
    def place(self) -> Place:
        return Place(self.offset, self.row)

    def __iter__(self) -> Iterator[Any]:
        """Raises BrokenJson."""
        while True:
            self._skip()
            if self._at == len(self._text):
                if self._is_all:
                    return
                self._more()
                continue
            try:
                value, self._at = self._next_value(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._is_all or len(self._text) - self._at > OBJECT_CHARS_MAX:
                    raise BrokenJson(f"byte {self.offset}: {error.msg}") from error
                self._more()
            else:
                self.row += 1
                yield value

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in BETWEEN:
            self._at += 1

    def _more(self) -> None:
        """Whole characters only: one that is cut in two stays unread."""
        raw = self._source.read(CHUNK_BYTES)
        self._is_all = not raw
        while raw and raw[-1] >= 0x80:  # noqa: PLR2004  # a part of a longer character
            tail = self._source.read(1)
            if not tail:
                break
            raw += tail
        self._read += len(raw)
        self._text = self._text[self._at :] + self._decode(raw, not raw)
        self._at = 0
