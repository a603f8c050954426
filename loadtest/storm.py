"""`script/storm`: real processes, every fault of gateway and partner on, and `kill -9` of whatever
runs.

Starts an installation of its own, sends buyers (some through a waiting room, some to an event
whose seats a partner owns, some give tickets back), cancels events in the middle, kills web,
worker, relay, ticker, Redis, PostgreSQL and the stand-ins at random, then lets everything come to
rest and asks the independent checker. Prints what happened and the checker's table; exits with 1
when a promise is broken. It always ends by itself, and leaves nothing behind but, when something
is wrong, its folder in `.cache/storm`.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from random import Random
from typing import Final

from loadtest.checker import check_stores
from loadtest.checks.report import Report
from loadtest.purchases import cinemas, sites_of
from loadtest.stand import ROOT, Stand, standing
from loadtest.storm_buyer import StormBuyer
from loadtest.storm_caller import Gave
from loadtest.storm_partner import TENTH, Strangers, partners_events
from loadtest.storm_trouble import cancel_events, count_of, kill_at_random, tell_progress
from loadtest.visitor import Sites, demo_account

STAR: Final = 1
SETTINGS: Final = {"BILETTER_LOG_LEVEL": "warning"}
KEEP: Final = ROOT / ".cache" / "storm"
# Of the buyers: those who go through the line, and those who want a partner's seats.
GUARDED, PARTNERS = 0.15, 0.15
LOOK_EVERY_S: Final = 3.0
# For the checker and an event being cancelled, beside the time to come to rest.
CHECK_S: Final = 120.0


class Storm:
    def __init__(self, stand: Stand, options: argparse.Namespace) -> None:
        self.stand, self.options = stand, options
        self.sites: Sites = sites_of(stand)
        self.tally: Counter[str] = Counter()
        self.on_sale: list[int] = []
        self.partners: list[int] = []
        self.cookies: dict[str, str] = {}
        self.until = 0.0

    async def run(self) -> int:
        """0 when every promise was kept."""
        self.partners = await partners_events(self.stand)
        found = await cinemas(self.sites, STAR)
        self.on_sale = [one for one in found if one not in self.partners][: self.options.events]
        strangers = Strangers(self.stand)
        await strangers.rage(self.options.share, self.options.seed)
        started = time.monotonic()
        await self._rage(strangers)
        for name, count in (await strangers.calm()).items():
            self.tally[f"faults of the {name}"] = count
        print(f"the storm took {time.monotonic() - started:.0f} s; now everything comes to rest")
        started = time.monotonic()
        report = await self._come_to_rest(strangers)
        print(f"checked after {time.monotonic() - started:.0f} s, seed {self.options.seed}")
        for what, count in sorted(self.tally.items()):
            print(f"        {what:<64}{count:>12}")
        ended, paid = (count_of(self.tally, f"purchases: {word}") for word in ("", "paid"))
        print(f"        {'purchases, and how many of them were paid':<64}{f'{ended}, {paid}':>12}")
        return report.show()

    async def _rage(self, strangers: Strangers) -> None:
        """Buyers and trouble, until all have bought or time is up."""
        options, tally = self.options, self.tally
        self.until = time.monotonic() + options.seconds + options.grace_seconds
        every_s = (options.kill_every / 2, options.kill_every * 3 / 2)
        trouble = [
            asyncio.create_task(one)
            for one in (
                kill_at_random(self.stand, Random(options.seed), every_s, tally),
                tell_progress(tally, options.purchases),
                strangers.watch(),
            )
        ]
        cancelling = asyncio.create_task(
            cancel_events(self.stand, self.on_sale, options.cancelled, self._share, tally)
        )
        try:
            await self._send_buyers()
        finally:
            for one in trouble:
                one.cancel()
            await asyncio.gather(*trouble, return_exceptions=True)
        await cancelling

    def _share(self) -> float:
        """How much of the storm is over, 0 to 1."""
        options = self.options
        spent_s = time.monotonic() - self.until + options.seconds + options.grace_seconds
        ended = count_of(self.tally, "purchases: ")
        return float(max(spent_s / options.seconds, ended / options.purchases))

    async def _send_buyers(self) -> None:
        """So many purchases, or until the time for them is over; those under way may end."""
        stop_at = time.monotonic() + self.options.seconds
        chance, turns = Random(self.options.seed), iter(range(self.options.purchases))

        async def one() -> None:
            for turn in turns:
                if time.monotonic() > stop_at:
                    return
                fate = chance.random()
                guarded, at_partner = fate < GUARDED, fate > 1 - PARTNERS
                event = chance.choice(self.partners if at_partner else self.on_sale)
                buyer = self._buyer(turn, STAR if guarded else event, is_guarded=guarded)
                outcome = await buyer.live()
                self.tally[f"purchases: {outcome}"] += 1
                self.tally["of them at a partner's event"] += at_partner

        await asyncio.gather(*(one() for _ in range(self.options.buyers)))

    def _buyer(self, turn: int, event: int, *, is_guarded: bool = False) -> StormBuyer:
        """Buyers come again under the same accounts: signing in costs more than buying."""
        email, password = demo_account(1 + turn % self.options.accounts)
        return StormBuyer(
            sites=self.sites,
            email=email,
            password=password,
            event=event,
            is_guarded=is_guarded,
            chance=Random(f"{self.options.seed} {turn}"),
            tally=self.tally,
            until=self.until,
            cookies=self.cookies,
        )

    async def _come_to_rest(self, strangers: Strangers) -> Report:
        """Buyers let go of what they left; then the checker, until it finds nothing or time is
        up.
        """
        self.until = time.monotonic() + self.options.rest_seconds
        left = set(range(min(self.options.accounts, self.options.purchases)))
        while True:
            await strangers.post_again()
            let_go = await asyncio.gather(*map(self._has_let_go, left))
            left -= {turn for turn, is_done in zip(left, let_go, strict=True) if is_done}
            books, partner = f"{self.stand.base(3)}/sandbox/books", self.stand.base(4)
            report = await check_stores(self.stand.env, books, partner, at_rest=True)
            if not report.broken or time.monotonic() > self.until:
                return report
            await asyncio.sleep(LOOK_EVERY_S)

    async def _has_let_go(self, turn: int) -> bool:
        try:
            return not await self._buyer(turn, STAR).end_all()
        except Gave:
            return False


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/storm", description=__doc__)
    parser.add_argument("--short", action="store_true", help="ends within three minutes")
    parser.add_argument("--purchases", type=int, default=2_000)
    parser.add_argument("--buyers", type=int, default=120, help="at the same time")
    parser.add_argument("--accounts", type=int, default=240)
    parser.add_argument("--events", type=int, default=32, help="on sale, beside the star's")
    parser.add_argument("--cancelled", type=int, default=3, help="so many of them in the middle")
    parser.add_argument("--seconds", type=float, default=1_080.0, help="for sending buyers")
    parser.add_argument("--grace-seconds", type=float, default=60.0, help="for those under way")
    parser.add_argument("--rest-seconds", type=float, default=300.0, help="for coming to rest")
    parser.add_argument("--kill-every", type=float, default=8.0, help="seconds on the average")
    parser.add_argument("--share", type=float, default=TENTH, help="of each fault, 0 to 1")
    parser.add_argument("--seed", type=int, default=Random().randrange(2**31))
    options = parser.parse_args(arguments)
    if options.short:
        options.purchases, options.buyers, options.accounts = 150, 36, 36
        options.events, options.cancelled, options.kill_every = 8, 1, 5.0
        options.seconds, options.grace_seconds, options.rest_seconds = 40.0, 15.0, 105.0
    return options


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    print(f"seed {options.seed}", flush=True)
    limit_s = options.seconds + options.grace_seconds + options.rest_seconds + CHECK_S
    with standing(SETTINGS, keep=KEEP) as stand:
        try:
            status = asyncio.run(asyncio.wait_for(Storm(stand, options).run(), limit_s))
        except Exception:  # also one that took too long
            stand.keep()
            raise
        if status:
            stand.keep()
            print(f"seed {options.seed}: its folder is kept in {KEEP}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
