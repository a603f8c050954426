"""A crowd of all kinds, so that a queue moves and seats vanish before one's eyes.

`script/biletter crowd 2000 --event 1` sends one into the running system. Arrivals are open:
visitors come when they come, whether or not those before them are done. It stops by itself and
prints what became of everybody.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter, defaultdict

from loadtest.figures import Figures
from loadtest.visitor import DECLINED_CARD, Kind, Sites, Visit, demo_account, visit
from loadtest.wire import Wire

# Shares of a hundred visitors. A third of those who join never come to their turn: that is life.
KINDS: dict[Kind, int] = {
    "buying": 45,
    "patient": 15,
    "returning": 8,
    "leaving": 16,
    "vanishing": 16,
}
DECLINED_SHARE = 0.05
# Demo accounts of the crowd, made by the demo seed.
ACCOUNTS = 5_000
PRINT_EVERY_S = 1.0
# More than one generator process can drive.
COUNT_MAX = 100_000


class Crowd:
    def __init__(self, options: argparse.Namespace, port: int) -> None:
        self.options = options
        self.chance = random.Random(options.seed)
        self.figures = Figures()
        self.outcomes: Counter[str] = Counter()
        self.by_kind: dict[str, Counter[str]] = defaultdict(Counter)
        self.under_way = 0
        base = f"http://127.0.0.1:{port}"
        self.sites = Sites(
            sales=Wire(base),
            room=Wire(f"http://127.0.0.1:{port + 1}"),
            gateway=Wire(f"http://127.0.0.1:{port + 3}"),
        )

    async def run(self) -> int:
        """Everybody comes within `over` seconds; the last is sent home after `minutes`."""
        teller = asyncio.create_task(self._tell())
        visitors: list[asyncio.Task[None]] = []
        deadline = time.monotonic() + self.options.minutes * 60
        rate = self.options.count / self.options.over
        for index in range(self.options.count):
            visitors.append(asyncio.create_task(self._one(index)))
            await asyncio.sleep(self.chance.expovariate(rate))
        _, late = await asyncio.wait(visitors, timeout=max(1.0, deadline - time.monotonic()))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self.outcomes["sent home at the end"] += len(late)
        teller.cancel()
        self._print_result()
        return 1 if any(word.startswith("WRONG") for word in self.outcomes) else 0

    async def _one(self, index: int) -> None:
        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        email, password = demo_account((self.options.first + index) % ACCOUNTS + 1)
        one = Visit(
            kind=kind,
            event=self.options.event,
            email=email,
            password=password,
            sites=self.sites,
            chance=random.Random(self.chance.random()),
            note=self.figures.note,
            seats_wanted=self.chance.choice((1, 2, 2, 2, 3, 4)),
        )
        if self.chance.random() < DECLINED_SHARE:
            one.card = DECLINED_CARD
        self.under_way += 1
        try:
            outcome = await visit(one)
        finally:
            self.under_way -= 1
        self.outcomes[outcome] += 1
        self.by_kind[kind][outcome] += 1

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PRINT_EVERY_S)
            room = await self._room()
            done = ", ".join(f"{word} {n}" for word, n in self.outcomes.most_common(4))
            sys.stdout.write(
                f"\r\033[Kunder way {self.under_way} · issued {room.get('issued', '–')}"
                f" · serving {room.get('serving', '–')} · in flight {room.get('in_flight', '–')}"
                f" · {done}"
            )
            sys.stdout.flush()

    async def _room(self) -> dict[str, object]:
        try:
            answer = await self.sites.room.request("GET", f"/rooms/{self.options.event}/status")
            return dict(answer.json())
        except (OSError, TimeoutError, ValueError):
            return {}

    def _print_result(self) -> None:
        print("\n\nWhat became of them")
        for outcome, count in self.outcomes.most_common():
            kinds = ", ".join(f"{k} {c[outcome]}" for k, c in self.by_kind.items() if c[outcome])
            print(f"  {count:6d}  {outcome}" + (f"  ({kinds})" if kinds else ""))
        print("\n" + self.figures.table())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What a crowd is told, but for the port of the sales site."""
    parser.add_argument("count", type=_count, help=f"how many visitors, at most {COUNT_MAX}")
    parser.add_argument("--event", type=int, default=1, help="the event they come for")
    parser.add_argument("--over", type=float, default=20.0, help="seconds in which they arrive")
    parser.add_argument("--minutes", type=float, default=5.0, help="sent home after this")
    parser.add_argument("--seed", type=int, default=1, help="another crowd of the same kind")
    parser.add_argument("--first", type=int, default=0, help="index of the first crowd account")


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= COUNT_MAX:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {COUNT_MAX}")
    return int(text)


def run(options: argparse.Namespace, port: int) -> int:
    """0, or 1 when something happened that must not."""
    return asyncio.run(Crowd(options, port).run())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="loadtest.crowd", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--port", type=int, default=8080, help="port of the sales site")
    options = parser.parse_args(arguments)
    return run(options, options.port)


if __name__ == "__main__":
    sys.exit(main())
