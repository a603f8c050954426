"""Redis beside PostgreSQL: what each seat is said to be, and holds that are still there."""

from collections import Counter, defaultdict
from typing import Any

from loadtest.checks.report import Report

SEATS = "seats:{%d}"
CLAIMS = "SELECT event_id, seat, sold FROM seat_claim"
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
        odd += set(shown) > set("FHS") or len(shown) != capacities.get(event, len(shown))
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
        held = [key async for key in shop.scan_iter(match="holds:{*}", count=1000)]
        report.none_of("events with holds that are not gone", len(held))
        report.none_of("seats held", totals["H"])


WORDS = {"S": "sold", "H": "held", "F": "free"}
