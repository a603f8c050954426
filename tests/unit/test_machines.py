"""The tables of states say what the code does, and the docs say what the tables do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from biletter.cli.states import PAGE, page
from sales.machine import Machine, Move, draw
from sales.states import MACHINES

ROOT = Path(__file__).resolve().parents[2]
# The door's own verb comes with whoever reads codes at the entrance.
SOON = {"use"}


def words_in_code() -> Iterator[str]:
    for package in ("sales", "workers"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "states.py":
                for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node.value


def test_the_page_is_what_the_tables_say():
    assert (ROOT / PAGE).read_text("utf-8") == page(), "run script/biletter states --write"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_verb_is_said_somewhere_in_the_code(machine):
    assert machine.verbs - set(words_in_code()) - SOON == set()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_state_can_be_reached_and_every_life_can_end(machine):
    def spread(states: set[str], step) -> set[str]:
        while (
            fresh := {b for move in machine.moves for a, b in [step(move)] if a in states} - states
        ):
            states |= fresh
        return states

    assert spread(set(machine.first), lambda move: (move.before, move.after)) == set(machine.states)
    ends = set(machine.final)
    assert spread(ends, lambda move: (move.after, move.before)) == set(machine.states)


def test_a_picture_has_an_arrow_for_each_pair_of_states():
    lamp = Machine(
        "lamp",
        states={"off": "dark", "on": "light"},
        first=["off"],
        moves=[
            Move("off", "press", "on", "anybody", "it shines"),
            Move("off", "storm", "on", "nature", "it shines as well"),
        ],
    )
    assert draw(lamp).splitlines()[2:] == [
        "    [*] --> off",
        "    off --> on: press, storm",
        "    on --> [*]",
    ]
    assert (lamp["off", "press"], lamp.final, ("on", "press") in lamp) == ("on", ("on",), False)


def test_a_table_that_says_two_things_at_once_is_refused():
    twice = [Move("a", "go", "b", "", ""), Move("a", "go", "c", "", "")]
    with pytest.raises(AssertionError, match="two states"):
        Machine("odd", states={"a": "", "b": "", "c": ""}, first=["a"], moves=twice)
    with pytest.raises(AssertionError, match="differ"):
        Machine("odd", states={"a": "", "b": "", "z": ""}, first=["a"], moves=twice[:1])
