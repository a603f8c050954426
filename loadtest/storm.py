"""`script/storm`: real processes, every fault of the gateway on, and `kill -9` of whatever is ours.

Starts an installation of its own, sends buyers, kills web, worker, relay, ticker and Redis at
random, then lets everything come to rest and asks the independent checker. Prints what happened
and the checker's table; exits with 1 when a promise is broken. `--short` ends within five minutes.
Only processes of the installation that it started are ever killed.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import Counter
from random import Random
from typing import Final

import httpx

from loadtest.checker import check_stores
from loadtest.checks.report import Report
from loadtest.purchases import cinemas, sites_of
from loadtest.stand import Stand, standing
from loadtest.storm_buyer import StormBuyer
from loadtest.visitor import Sites, demo_account

# How a victim is told by its command line.
VICTIMS: Final = {
    "sales": ("biletter", "run", "sales"),
    "worker": ("biletter", "run", "worker"),
    "relay": ("biletter", "run", "relay"),
    "ticker": ("biletter", "run", "ticker"),
    "redis": ("redis-server", "redis-shop"),
}
KILL_EVERY_S: Final = (3.0, 9.0)
STAR: Final = 1
SETTINGS: Final = {"BILETTER_LOG_LEVEL": "warning"}
LOOK_EVERY_S: Final = 3.0
TENTH: Final = 0.1


async def storm(stand: Stand, options: argparse.Namespace) -> int:
    """0 when every promise was kept."""
    chance = Random(options.seed)
    sites, tally = sites_of(stand), Counter[str]()
    faults = f"{stand.base(3)}/sandbox/faults"
    events = await cinemas(sites, STAR)
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        everything = (await client.get(f"{faults}/presets")).json()["ten-percent-everything"]
        wished = {
            name: options.share if value == TENTH else value for name, value in everything.items()
        }
        (await client.put(faults, json=wished | {"seed": options.seed})).raise_for_status()
        started = time.monotonic()
        killing = asyncio.create_task(kill_at_random(stand, Random(options.seed), tally))
        await send_buyers(sites, events, chance, tally, options)
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        struck = (await client.get(f"{faults}/struck")).json()
        (await client.put(faults, json={})).raise_for_status()
    print(f"storm over after {time.monotonic() - started:.0f} s; now everything comes to rest")
    report = await come_to_rest(stand, sites, events, options)
    tally["faults of the gateway"] = sum(struck.values())
    for what, count in sorted(tally.items()):
        print(f"        {what:<64}{count:>12}")
    return report.show()


async def send_buyers(
    sites: Sites,
    events: list[int],
    chance: Random,
    tally: Counter[str],
    options: argparse.Namespace,
) -> None:
    """So many purchases, or until the time for them is over; those under way are finished."""
    until = time.monotonic() + options.seconds
    turns = iter(range(options.purchases))

    async def one(_: int) -> None:
        for turn in turns:
            if time.monotonic() > until:
                return
            outcome = await buyer_of(sites, turn, chance.choice(events), tally, options).live()
            tally[f"purchases: {outcome}"] += 1

    await asyncio.gather(*(one(index) for index in range(options.buyers)))


def buyer_of(
    sites: Sites, turn: int, event: int, tally: Counter[str], options: argparse.Namespace
) -> StormBuyer:
    """Buyers come again under the same accounts: signing in costs more than buying."""
    email, password = demo_account(1 + turn % options.accounts)
    return StormBuyer(
        sites=sites,
        email=email,
        password=password,
        event=event,
        chance=Random(f"{options.seed} {turn}"),
        tally=tally,
    )


async def kill_at_random(stand: Stand, chance: Random, tally: Counter[str]) -> None:
    while True:
        await asyncio.sleep(chance.uniform(*KILL_EVERY_S))
        name = chance.choice(sorted(VICTIMS))
        for pid in stand.pids(*VICTIMS[name]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                tally[f"kills: {name}"] += 1


async def come_to_rest(
    stand: Stand, sites: Sites, events: list[int], options: argparse.Namespace
) -> Report:
    """Buyers let go of what they left; then the checker, until it finds nothing or time is up."""
    until = time.monotonic() + options.rest_seconds
    turns = range(min(options.accounts, options.purchases))
    while True:
        await asyncio.gather(
            *(buyer_of(sites, turn, events[0], Counter(), options).end_all() for turn in turns)
        )
        report = await check_stores(stand.env, f"{stand.base(3)}/sandbox/books", at_rest=True)
        if not report.broken or time.monotonic() > until:
            return report
        await asyncio.sleep(LOOK_EVERY_S)


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="ends within five minutes")
    parser.add_argument("--purchases", type=int, default=2_000)
    parser.add_argument("--buyers", type=int, default=48, help="at the same time")
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1_200.0, help="for sending buyers")
    parser.add_argument("--rest-seconds", type=float, default=300.0, help="for coming to rest")
    parser.add_argument("--share", type=float, default=TENTH, help="of each fault, 0 to 1")
    parser.add_argument("--seed", type=int, default=Random().randrange(2**31))
    options = parser.parse_args(arguments)
    if options.short:
        options.purchases, options.buyers, options.accounts = 200, 24, 24
        options.seconds, options.rest_seconds = 60.0, 100.0
    return options


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    print(f"seed {options.seed}")
    with standing(SETTINGS) as stand:
        return asyncio.run(storm(stand, options))


if __name__ == "__main__":
    sys.exit(main())
