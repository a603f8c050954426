"""Partners' books beside ours: what we sold they have confirmed to us, and they keep nothing for us
that nobody wants.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx

from loadtest.checks.report import Report

# A partner with an address of its own keeps its books to itself.
HALLS = """
SELECT event_id FROM partner_hall JOIN event ON event.id = event_id
 WHERE base_url IS NULL AND ownership = 'partner' ORDER BY event_id
"""
OURS = """
SELECT place.place_id::text AS place, coalesce(claim.sold, false) AS is_sold,
       kept.provider_order::text AS kept_by, kept.state = 'confirmed' AS is_for_good
  FROM partner_place AS place
  LEFT JOIN seat_claim AS claim USING (event_id, seat)
  LEFT JOIN partner_order AS kept ON kept.event_id = place.event_id AND kept.seat = place.seat
    AND kept.state NOT IN ('refused', 'cancelled')
 WHERE place.event_id = $1
"""
MOVING = "SELECT count(*) FROM partner_order WHERE state IN ('asked', 'held', 'submitted')"
Place = dict[str, Any]


async def check_partners(report: Report, db: Any, provider: str, *, at_rest: bool) -> None:
    """`provider`: address of the stand-in that has the halls. Without halls nothing is asked."""
    events = [row["event_id"] for row in await db.fetch(HALLS)]
    if not events:
        return
    async with httpx.AsyncClient(base_url=provider, timeout=30, trust_env=False) as client:
        halls = [one for one in await ask(client, "/sandbox/halls") if one["hall"] in events]
        theirs = {
            place["id"]: place for event in events async for place in read_places(client, event)
        }
    ours = [row for event in events for row in await db.fetch(OURS, event)]
    sold = [row for row in ours if row["is_sold"]]
    unowned = sum(not is_confirmed(theirs.get(row["place"]), row["kept_by"]) for row in sold)
    report.none_of("seats sold that their partner did not confirm to us", unowned)
    report.none_of("places lost at partners", sum(one["lost"] for one in halls))
    report.none_of("partners whose halls have stopped", sum(one["stopped"] for one in halls))
    if at_rest:
        kept_by = {row["place"]: row["kept_by"] for row in ours if row["is_for_good"]}
        orphans = [
            place
            for name, place in theirs.items()
            if place["order_id"] and not is_confirmed(place, kept_by.get(name))
        ]
        report.none_of("places kept at partners that nobody here wants", len(orphans))
        report.none_of("orders at partners that are not final", await db.fetchval(MOVING))
        again = len(kept_by) - len(sold)
        report.add("places of partners sold, to be sold again", f"{len(sold)}, {again}", kept=True)


def is_confirmed(place: Place | None, order: str | None) -> bool:
    """Whether the partner has given the place, for good, to this order of ours."""
    if place is None or order is None:
        return False
    return bool(place["order_id"] == order and place["order_status"] == "CONFIRMED")


async def read_places(client: httpx.AsyncClient, hall: int) -> AsyncIterator[Place]:
    after: int | None = 0
    while after is not None:
        page = await ask(client, "/sandbox/places", hall=hall, after=after)
        for place in page["places"]:
            yield place
        after = page["next"]


async def ask(client: httpx.AsyncClient, path: str, **query: int) -> Any:
    answer = await client.get(path, params=query)
    return answer.raise_for_status().json()
