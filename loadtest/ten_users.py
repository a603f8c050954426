"""The contract's booking test: ten users, three of whom never sign in, for one event.

`python -m loadtest.ten_users [--owner own|partner] [--room off|auto]` starts an installation of
its own; `--port` takes one that runs already. Each of the seven books, looks for free seats,
selects the first, finds it in their bookings half a second later and starts to pay; the three try
without a pause meanwhile. `--disturbed 0.15`: so many calls of ours to the payment gateway and to
the seats' owner are cut off or held, before they are carried out or after. Exits with 1 when fewer
than 99 of 100 rounds were whole.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import uvloop

from loadtest.figures import Figures
from loadtest.own_stand import OWNERS, ROOMS, STAR, disturb, installation
from loadtest.visitor import CREATED, FOUND, OK, code_of, demo_account
from loadtest.wire import Answer, Wire, basic

USERS, STRANGERS = 7, 3
STRANGER_TRIES = 1_000
SHOWN = 5
# Between a seat and the look at one's bookings; between two rounds of a user, at random.
LOOK_S, PAUSE_S = 0.5, (0.5, 1.5)
ENOUGH = 0.99
UNAUTHORISED = 401


class Ended(Exception):
    """The round is not whole; the message says where it ended."""


class Told(msgspec.Struct):
    """How the rounds went: `ended` says where those ended that are not whole."""

    whole: int = 0
    ended: Counter[str] = msgspec.field(default_factory=Counter)
    strangers: Counter[int] = msgspec.field(default_factory=Counter)
    figures: Figures = msgspec.field(default_factory=Figures)

    @property
    def rounds(self) -> int:
        return self.whole + self.ended.total()

    @property
    def is_enough(self) -> bool:
        is_refused = set(self.strangers) <= {UNAUTHORISED}
        return is_refused and self.whole >= ENOUGH * self.rounds > 0


class User:
    def __init__(self, wire: Wire, event: int, who: tuple[str, str], told: Told) -> None:
        self._wire, self._event, self._told = wire, event, told
        self._headers = basic(*who)

    async def round(self, look_s: float) -> None:
        started = time.perf_counter()
        try:
            await self._round(look_s)
        except (Ended, OSError, TimeoutError) as error:
            self._told.ended[str(error) or type(error).__name__] += 1
        else:
            self._told.whole += 1
            self._told.figures.note("round", time.perf_counter() - started - look_s)

    async def _round(self, look_s: float) -> None:
        booked = await self.ask("book", CREATED, "POST", "/api/bookings", {"event_id": self._event})
        booking = booked.json()["id"]
        wanted = f"event_id={self._event}&status=FREE&page=1&pageSize={SHOWN}"
        free = (await self.ask("seats", OK, "GET", f"/api/seats?{wanted}")).json()
        if not free:
            raise Ended("seats: none")
        seat = free[0]["id"]
        chosen = {"booking_id": booking, "seat_id": seat}
        await self.ask("select", OK, "PATCH", "/api/seats/select", chosen)
        await asyncio.sleep(look_s)
        listed = (await self.ask("list", OK, "GET", "/api/bookings")).json()
        mine: dict[str, Any] = next((one for one in listed if one["id"] == booking), {})
        if mine.get("seats") != [{"id": seat}]:
            raise Ended("list: the seat is not there")
        path, body = "/api/bookings/initiatePayment", {"booking_id": booking}
        answer = await self.ask("pay", FOUND, "PATCH", path, body)
        if "location" not in answer.headers:
            raise Ended("pay: no payment page")

    async def ask(
        self, step: str, expected: int, method: str, path: str, body: Any = None
    ) -> Answer:
        started = time.perf_counter()
        answer = await self._wire.request(method, path, headers=self._headers, json=body)
        self._told.figures.note(step, time.perf_counter() - started)
        if answer.status != expected:
            raise Ended(f"{step}: {code_of(answer)}")
        return answer


async def ten_users(
    base: str,
    event: int,
    rounds: int,
    *,
    first: int = 1,
    look_s: float = LOOK_S,
    pause_s: tuple[float, float] = PAUSE_S,
    tries: int = STRANGER_TRIES,
) -> Told:
    """So many rounds altogether; `first`: the number of the first of seven demo accounts; `tries`
    of each stranger.
    """
    wire, told, turns, chance = Wire(base), Told(), iter(range(rounds)), Random(first)
    users = [User(wire, event, demo_account(first + number), told) for number in range(USERS)]

    async def live(user: User) -> None:
        await asyncio.sleep(chance.uniform(0, pause_s[1]))
        for _ in turns:
            await user.round(look_s)
            await asyncio.sleep(chance.uniform(*pause_s))

    async def knock(number: int) -> None:
        headers = basic(demo_account(first + USERS + number)[0], "not:the\\password")
        body = {"event_id": event}
        for _ in range(tries):
            answer = await wire.request("POST", "/api/bookings", headers=headers, json=body)
            told.strangers[answer.status] += 1

    await asyncio.gather(*map(live, users), *map(knock, range(STRANGERS)))
    await wire.close()
    return told


def lines_of(told: Told) -> Iterator[str]:
    yield f"{told.whole} of {told.rounds} rounds whole ({told.whole / max(1, told.rounds):.1%})"
    for words, count in told.ended.most_common():
        yield f"  {count:>7}  {words}"
    yield f"strangers: {dict(told.strangers)}"
    yield told.figures.table()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtest.ten_users", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--owner", choices=OWNERS, default="own", help="who owns the seats")
    parser.add_argument("--room", choices=ROOMS, default="off", help="the room before the event")
    parser.add_argument("--disturbed", type=float, default=0.0, help="share of calls to others")
    parser.add_argument("--port", type=int, help="of a running installation's sales site")
    parser.add_argument("--event", type=int, default=STAR)
    options = parser.parse_args(arguments)
    with installation(options.port, owner=options.owner, room=options.room) as base:
        disturb(base, options.disturbed)
        try:
            told = uvloop.run(ten_users(base, options.event, options.rounds))
        finally:
            disturb(base, 0)
    print("\n".join(lines_of(told)))
    return 0 if told.is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
