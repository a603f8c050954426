"""What is known of an account when somebody signs in."""

from typing import Literal, get_args

import msgspec
from asyncpg import Record

Role = Literal["buyer", "operator", "cashier", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
NAME_MAX = 100


class Person(msgspec.Struct, frozen=True):
    id: int
    email: str
    first_name: str
    surname: str
    role: Role
    is_active: bool
    password_hash: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.surname}".strip()


def person_of(row: Record) -> Person:
    return Person(**{field: row[field] for field in Person.__struct_fields__})


def split_name(name: str) -> tuple[str, str]:
    """("Ару", "Сапарова") from one field; what doesn't fit is cut."""
    first, _, rest = name.strip().partition(" ")
    return first[:NAME_MAX], rest.strip()[:NAME_MAX]
