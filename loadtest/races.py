"""Two callers, one seat: exactly one of them gets it, as often as it is tried.

`python -m loadtest.races [--owner own|partner] [--tries 10000]` starts an installation of its own;
`--port` takes one that runs already, whose event then must not stand behind a queue. Each try is a
free seat that two accounts select in the same moment: one is told 200, the other 419, and the seat
is in the bookings of the first alone. Then it goes back. Exits with 1 if it went otherwise once.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import uvloop

from loadtest.own_stand import OWNERS, STAR, installation
from loadtest.visitor import CREATED, OK, SEAT_CONFLICT, code_of, demo_account
from loadtest.wire import Answer, Wire, basic

# Pairs of callers at work at the same time.
LANES = 8
PAGE_SIZE = 20
ONE_WINS = (OK, SEAT_CONFLICT)


class Races(msgspec.Struct):
    """How the tries went: the two answers of each; what was wrong besides."""

    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    wrong: Counter[str] = msgspec.field(default_factory=Counter)
    tries: int = 0

    @property
    def is_kept(self) -> bool:
        return self.tries > 0 and not self.wrong

    def note(self, answers: list[Answer]) -> None:
        self.tries += 1
        statuses = tuple(sorted(answer.status for answer in answers))
        words = " + ".join(sorted(code_of(one) if one.status != OK else "200" for one in answers))
        self.outcomes[words] += 1
        if statuses != ONE_WINS:
            self.wrong[words] += 1


class Caller:
    def __init__(self, wire: Wire, number: int, event: int) -> None:
        self._wire, self._event = wire, event
        self._headers = basic(*demo_account(number))
        self.booking = 0

    async def book(self) -> None:
        answer = await self._ask("POST", "/api/bookings", {"event_id": self._event})
        assert answer.status == CREATED, code_of(answer)
        self.booking = answer.json()["id"]

    async def free(self, page: int) -> list[int]:
        asked = f"event_id={self._event}&status=FREE&page={page}&pageSize={PAGE_SIZE}"
        return [seat["id"] for seat in (await self._ask("GET", f"/api/seats?{asked}")).json()]

    async def select(self, seat: int) -> Answer:
        told = {"booking_id": self.booking, "seat_id": seat}
        return await self._ask("PATCH", "/api/seats/select", told)

    async def release(self, seat: int) -> Answer:
        return await self._ask("PATCH", "/api/seats/release", {"seat_id": seat})

    async def seats(self) -> list[int]:
        """Of this caller's booking."""
        listed = (await self._ask("GET", "/api/bookings")).json()
        mine = next(one for one in listed if one["id"] == self.booking)
        return [seat["id"] for seat in mine["seats"]]

    async def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return await self._wire.request(method, path, headers=self._headers, json=body)


async def race(base: str, event: int, tries: int, *, first: int = 1) -> Races:
    """`first`: the number of the first of 2 * LANES demo accounts."""
    wire, found, turns, busy = Wire(base), Races(), iter(range(tries)), set[int]()
    pairs = [
        [Caller(wire, first + 2 * lane + one, event) for one in range(2)] for lane in range(LANES)
    ]
    await asyncio.gather(*(_lane(pair, turns, busy, found) for pair in pairs))
    await wire.close()
    return found


async def _lane(pair: list[Caller], turns: Iterator[int], busy: set[int], found: Races) -> None:
    """`busy`: seats that other pairs are about, and that these two therefore leave alone."""
    for one in pair:
        await one.book()
    page = 1
    while batch := list(islice(turns, PAGE_SIZE)):
        # Other seats each time: one that was had a moment ago costs its owner no question.
        free, page = await pair[0].free(page), page + 1
        if len(free) < len(batch):
            free, page = await pair[0].free(1), 2
        for at, _ in enumerate(batch):
            seat = next(one for one in free[at:] + free[:at] if one not in busy)
            busy.add(seat)
            await _try(pair, seat, found)
            busy.remove(seat)


async def _try(pair: list[Caller], seat: int, found: Races) -> None:
    answers = await asyncio.gather(*(one.select(seat) for one in pair))
    found.note(answers)
    winners = [one for one, answer in zip(pair, answers, strict=True) if answer.status == OK]
    for one in pair:
        listed = await one.seats()
        if listed != ([seat] if one in winners else []):
            found.wrong[f"listed {len(listed)} seats"] += 1
    for one in winners:
        released = await one.release(seat)
        if released.status != OK:
            found.wrong[f"release: {code_of(released)}"] += 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtest.races", description=__doc__)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--owner", choices=OWNERS, default="own", help="who owns the seats")
    parser.add_argument("--port", type=int, help="of a running installation's sales site")
    parser.add_argument("--event", type=int, default=STAR)
    options = parser.parse_args(arguments)
    with installation(options.port, owner=options.owner, room="off") as base:
        started = time.perf_counter()
        found = uvloop.run(race(base, options.event, options.tries))
        seconds = time.perf_counter() - started
    print(f"{found.tries} tries in {seconds:.0f} s, seats {options.owner}:")
    for words, count in found.outcomes.most_common():
        print(f"  {count:>7}  {words}")
    for words, count in found.wrong.most_common():
        print(f"  WRONG {count:>7}  {words}")
    return 0 if found.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
