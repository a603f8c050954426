"""Redis beside PostgreSQL: what each seat is said to be, and holds that are still there."""

from collections import Counter, defaultdict
from typing import Any

from loadtest.checks.report import Report

SEATS = "seats:{%d}"
CLAIMS = "SELECT event_id, seat, sold FROM seat_claim"
# What a hold leaves behind, by key: nothing.
TRACES = {
    "holds": "events with holds that are not gone",
    "expiring": "events with holds still to expire",
    "frozen": "events with holds frozen for payment",
}
CAPACITIES = "SELECT event_id, sum(seat_count)::int AS seats FROM zone GROUP BY event_id"


async def check_seats(report: Report, db: Any, shop: Any, *, at_rest: bool) -> None:
    """Redis may know more (holds) but never less than PostgreSQL. An event whose seats Redis does
    not have is filled when somebody asks: it says nothing wrong.
    """
    claims: dict[int, dict[int, bool]] = defaultdict(dict)
    for row in await db.fetch(CLAIMS):
        claims[row["event_id"]][row["seat"]] = row["sold"]
    capacities = {row["event_id"]: row["seats"] for row in await db.fetch(CAPACITIES)}
    totals: Counter[str] = Counter()
    wrong = odd = 0
    async for key in shop.scan_iter(match="seats:{*}", count=1000):
        event = int(key.partition(b"{")[2].rstrip(b"}"))
        shown = (await shop.get(key)).decode("ascii")
        odd += bool(set(shown) - set(WORDS)) or len(shown) != capacities.get(event, len(shown))
        totals.update(shown)
        for seat, sold in claims[event].items():
            wrong += shown[seat] != ("S" if sold else "H")
        wrong += sum(
            state == "S" and not claims[event].get(seat) for seat, state in enumerate(shown)
        )
    report.none_of("seats that Redis shows otherwise than PostgreSQL", wrong)
    shown = ", ".join(f"{totals[state]} {word}" for state, word in WORDS.items())
    report.add("sold + held + free = capacity", shown, kept=not odd)
    if at_rest:
        for kind, promise in TRACES.items():
            found = [key async for key in shop.scan_iter(match=f"{kind}:{{*}}", count=1000)]
            report.none_of(promise, len(found))
        report.none_of("seats held", totals["H"])
        extra = 0
        async for key in shop.scan_iter(match="holders:{*}", count=1000):
            event = int(key.partition(b"{")[2].rstrip(b"}"))
            extra += await _strangers(shop, event, claims[event])
        report.none_of("seats in Redis that belong to somebody without a claim", extra)


async def _strangers(shop: Any, event: int, claims: dict[int, bool]) -> int:
    """Seats with a holder and no claim, and places counted for people beyond those claimed."""
    holders = await shop.hgetall(f"holders:{{{event}}}")
    counted = await shop.hgetall(f"tally:{{{event}}}")
    extra = sum(map(int, counted.values())) - len(claims)
    return sum(int(seat) not in claims for seat in holders) + max(0, extra)


# The last: a partner's, who sells it elsewhere.
WORDS = {"S": "sold", "H": "held", "F": "free", "X": "not ours"}
