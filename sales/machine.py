"""A state machine as data: which verb leads from where to where, who may say it, what it means.

The tables in sales.states are written in these words; a picture and a table for people are
drawn from them, so that neither can tell anything else than the code does.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import msgspec


class Move(msgspec.Struct, frozen=True):
    """One line of a table. `who` may say the verb, as people read it: 'buyer', 'gateway', …"""

    before: str
    verb: str
    after: str
    who: str
    means: str


class Machine(Mapping[tuple[str, str], str]):
    """(state, verb) → the state after it. Whatever is not in it does not happen."""

    def __init__(
        self, name: str, *, states: Mapping[str, str], first: Sequence[str], moves: Sequence[Move]
    ) -> None:
        """`states` with what each means; `first`: those in which a life begins."""
        self.name, self.first, self.moves = name, tuple(first), tuple(moves)
        self.meanings = dict(states)
        self._after = {(move.before, move.verb): move.after for move in self.moves}
        assert len(self._after) == len(self.moves), f"{name}: a verb leads to two states"
        named = {state for move in self.moves for state in (move.before, move.after)}
        assert named | set(first) == set(states), f"{name}: states and moves differ"

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(self.meanings)

    @property
    def verbs(self) -> frozenset[str]:
        return frozenset(move.verb for move in self.moves)

    @property
    def final(self) -> tuple[str, ...]:
        """The states that nothing leads out of."""
        left = {move.before for move in self.moves}
        return tuple(state for state in self.states if state not in left)

    def __getitem__(self, key: tuple[str, str]) -> str:
        return self._after[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._after)

    def __len__(self) -> int:
        return len(self._after)


def draw(machine: Machine) -> str:
    """Its picture, as Mermaid reads it: verbs that share both ends share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for move in machine.moves:
        arrows.setdefault((move.before, move.after), []).append(move.verb)
    return "\n".join(
        chain(
            ["stateDiagram-v2", "    direction LR"],
            (f"    [*] --> {state}" for state in machine.first),
            (f"    {a} --> {b}: {', '.join(verbs)}" for (a, b), verbs in arrows.items()),
            (f"    {state} --> [*]" for state in machine.final),
        )
    )


def tell(machine: Machine) -> str:
    """Its states and moves as two Markdown tables."""
    states = [f"| `{state}` | {means} |" for state, means in machine.meanings.items()]
    moves = [
        f"| `{move.before}` | **{move.verb}** | `{move.after}` | {move.who} | {move.means} |"
        for move in machine.moves
    ]
    return "\n".join(
        [
            "| state | means |",
            "|---|---|",
            *states,
            "",
            "| from | verb | to | who | what happens |",
            "|---|---|---|---|---|",
            *moves,
        ]
    )
