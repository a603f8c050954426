"""Houses with duties of our own, small and naughty."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.process.machine import Machine

DUTY = Path(__file__).with_name("duty.py")


def procfile(folder: Path, **duties: str) -> Path:
    path = folder / "Procfile"
    path.write_text(
        "# duties of a test\n"
        + "".join(f"{name}: {sys.executable} {DUTY} {rest}\n" for name, rest in duties.items())
    )
    return path


@pytest.fixture
def machine(engines_folder: Path, tmp_path: Path) -> Iterator[Machine]:
    folder = engines_folder / f"machine-{tmp_path.name[-12:]}"
    folder.mkdir()
    machine = Machine(folder)
    yield machine
    machine.kill()


@pytest.fixture
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., House]]:
    """Makes houses, and sees that none stays standing."""
    houses: list[House] = []

    def make(data: str = "data", *, environment=None, command=None, **duties: str) -> House:
        folder = tmp_path_factory.mktemp("up")
        houses.append(
            House(
                folder / data,
                procfile=procfile(folder, **(duties or {"sales": "0"})),
                environment=environment,
                command=command,
            )
        )
        return houses[-1]

    yield make
    for house in houses:
        house.end()
