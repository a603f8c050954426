"""Accounts of the demonstration, with passwords that are printed: never seed these in production.

The crowd is for simulated visitors: `crowd-00001@demo.biletter.kz` with the password
`crowd-00001`, and so on to CROWD_SIZE.
"""

from collections.abc import Iterator

import msgspec

from accounts.people import Role

DOMAIN = "demo.biletter.kz"
CROWD_SIZE = 5_000


class DemoAccount(msgspec.Struct, frozen=True):
    email: str
    password: str
    first_name: str
    surname: str
    role: Role = "buyer"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.surname}"


PEOPLE = (
    DemoAccount(f"aru@{DOMAIN}", "aru-demo-2025", "Ару", "Сейтова"),
    DemoAccount(f"bek@{DOMAIN}", "bek-demo-2025", "Бек", "Оспанов"),
    DemoAccount(f"dana@{DOMAIN}", "dana-demo-2025", "Дана", "Касымова", "cashier"),
    DemoAccount(f"ops@{DOMAIN}", "ops-demo-2025", "Олжас", "Диспетчер", "operator"),
    DemoAccount(f"admin@{DOMAIN}", "admin-demo-2025", "Айгерим", "Главная", "admin"),
)


def crowd(size: int = CROWD_SIZE) -> Iterator[DemoAccount]:
    """The simulated visitors, numbered from 1."""
    for number in range(1, size + 1):
        name = f"crowd-{number:05d}"
        yield DemoAccount(f"{name}@{DOMAIN}", name, "Гость", f"{number:05d}")
