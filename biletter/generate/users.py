"""Accounts as CSV, with passwords and names as difficult as people's."""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from string import ascii_letters, digits, punctuation

COLUMNS = (
    *("user_id", "email", "password_hash", "password_plain", "first_name", "surname"),
    *("birthday", "registered_at", "is_active", "last_logged_in"),
)
SIGNS = ascii_letters + digits + punctuation
FIRST_NAMES = {
    "Айгерім": "aigerіm",
    "Нұрлан": "nurlan",
    "Сәуле": "saule",
    "Ерлан": "erlan",
    "Гүлнар": "gulnar",
    "Бақытжан": "baқytzhan",
    "Жанар": "zhanar",
    "Арман": "arman",
    "Динара": "dinara",
    "Шыңғыс": "shyngys",
}
SURNAMES = {
    "Ахметов": "akhmetov",
    "Сәрсенов": "sarsenov",
    "Жұмабаев": "zhumabaev",
    "Қасымова": "kasymova",
    "Оспанұлы": "ospanuly",
    "Ибраһимов": "ibraһimov",
    "Төлегенова": "tolegenova",
    "Байжанов": "baizhanov",
}
DOMAINS = ("mail.kz", "example.kz", "inbox.kz", "post.kz")
START = datetime(2018, 1, 1, tzinfo=UTC)
SPAN_S = 7 * 365 * 86_400
NO_BIRTHDAY_SHARE, INACTIVE_SHARE, NEVER_IN_SHARE = 0.3, 0.2, 0.1


def users(count: int, seed: int) -> Iterator[bytes]:
    """The file in pieces of a line each, the header first."""
    random = Random(seed)  # noqa: S311  # the same seed, the same file
    told = io.StringIO(newline="")
    write = csv.writer(told)
    write.writerow(COLUMNS)
    for number in range(1, count + 1):
        yield _taken(told)
        write.writerow(_user(random, number))
    yield _taken(told)


def _taken(told: io.StringIO) -> bytes:
    text = told.getvalue()
    told.seek(0)
    told.truncate()
    return text.encode()


def _user(random: Random, number: int) -> tuple[object, ...]:
    first, surname = random.choice(list(FIRST_NAMES)), random.choice(list(SURNAMES))
    email = f"{FIRST_NAMES[first]}_{SURNAMES[surname]}_{number}@{random.choice(DOMAINS)}"
    password = "".join(random.choices(SIGNS, k=random.randint(8, 16)))
    born = date(1950, 1, 1) + timedelta(days=random.randrange(20_000))
    registered = START + timedelta(seconds=random.randrange(SPAN_S))
    seen = registered + timedelta(seconds=random.randrange(SPAN_S // 7))
    return (
        number,
        email,
        hashlib.sha256(password.encode()).hexdigest(),
        password,
        first,
        surname,
        "" if random.random() < NO_BIRTHDAY_SHARE else born.isoformat(),
        registered.isoformat(),
        "false" if random.random() < INACTIVE_SHARE else "true",
        "" if random.random() < NEVER_IN_SHARE else seen.isoformat(),
    )
