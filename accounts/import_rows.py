"""Rows of an imported user file (CSV with a header), read and checked one by one; no store.

A wrong row is told with its line and a stable reason, and the file goes on. Column by column:
`user_id` whole and above 0; `email`; `password_hash` SHA-256 in hex, or, where it is empty,
`password_plain`; `first_name`, `surname`, `birthday`, `registered_at`, `is_active`,
`last_logged_in` may be missing from the file altogether. Times without an offset are UTC.
"""

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec

from accounts.addresses import BadEmail, read_email
from accounts.passwords import is_digest
from accounts.people import NAME_MAX
from kernel.errors import BadInput
from kernel.incoming import Lines, Place
from kernel.text import seen_line
from kernel.values import ID_MAX

NEEDED = ("user_id", "email", "password_hash")
COLUMNS = (
    *NEEDED,
    *("password_plain", "first_name", "surname", "birthday"),
    *("registered_at", "is_active", "last_logged_in"),
)
ACTIVE = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
# A quote that is never closed must not swallow the rest of the file.
FIELD_MAX = 10_000
ID_DIGITS_MAX = 16
# Above it there must be room for the accounts that sign up here.
IMPORT_ID_MAX = ID_MAX // 2


class BadHeader(BadInput):
    """В первой строке файла нет нужных столбцов."""

    code = "bad-header"


class Row(msgspec.Struct, frozen=True):
    """An account as the file tells it; `digest` is SHA-256 of the password in hex."""

    line: int
    id: int
    email: str
    digest: str
    first_name: str
    surname: str
    birthday: date | None
    is_active: bool
    registered_at: datetime | None
    last_logged_in: datetime | None


class Reject(msgspec.Struct, frozen=True):
    line: int
    reason: str
    id: str = ""
    email: str = ""


class _WrongField(Exception):
    """Carries the reason."""


def read_rows(lines: Lines, start: Place) -> Iterator[Row | Reject]:
    """Every row of the file from `start` on, in order, good or not. BadHeader before the first.
    `lines` is at the beginning of the file: the header says what the columns are.
    """
    csv.field_size_limit(FIELD_MAX)
    reader = csv.reader(iter(lines))
    names = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BadHeader(f"В первой строке файла нет столбцов: {', '.join(missing)}.")
    places = {name: names.index(name) for name in COLUMNS if name in names}
    if start.offset:
        lines.go_to(start)
    while True:
        line = lines.line + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Reject(line, "broken-csv")
            continue
        if not fields:
            continue
        if len(fields) != len(names):
            yield Reject(line, "wrong-column-count")
            continue
        yield _read(line, {name: fields[place] for name, place in places.items()})


def _read(line: int, given: dict[str, str]) -> Row | Reject:
    try:
        return Row(
            line=line,
            id=_id(given["user_id"]),
            email=_email(given["email"]),
            digest=_digest(given["password_hash"], given.get("password_plain", "")),
            first_name=_name(given.get("first_name", "")),
            surname=_name(given.get("surname", "")),
            birthday=_birthday(given.get("birthday", "")),
            is_active=_active(given.get("is_active", "true")),
            registered_at=_moment(given.get("registered_at", "")),
            last_logged_in=_moment(given.get("last_logged_in", "")),
        )
    except _WrongField as wrong:
        return Reject(line, str(wrong), given["user_id"], given["email"])


def _id(text: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > ID_DIGITS_MAX:
        raise _WrongField("bad-id")
    if not 0 < int(text) <= IMPORT_ID_MAX:
        raise _WrongField("bad-id")
    return int(text)


def _email(text: str) -> str:
    try:
        return read_email(text)
    except BadEmail:
        raise _WrongField("bad-email") from None


def _digest(text: str, plain: str) -> str:
    text = text.strip().lower()
    if text:
        if not is_digest(text):
            raise _WrongField("bad-hash")
        return text
    if not plain:
        raise _WrongField("no-password")
    try:
        return hashlib.sha256(plain.encode()).hexdigest()
    except UnicodeEncodeError:
        raise _WrongField("not-utf8") from None


def _name(text: str) -> str:
    if len(text.strip()) > NAME_MAX or "\x00" in text:
        raise _WrongField("bad-name")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _WrongField("not-utf8") from None
    return seen_line(text)


def _birthday(text: str) -> date | None:
    text = text.strip()
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise _WrongField("bad-birthday") from None


def _active(text: str) -> bool:
    try:
        return ACTIVE[text.strip().lower()]
    except KeyError:
        raise _WrongField("bad-active") from None


def _moment(text: str) -> datetime | None:
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise _WrongField("bad-time") from None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
