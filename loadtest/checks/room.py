"""The waiting room: how many were inside at once, and whether the line was kept."""

import time
from typing import Any

from loadtest.checks.report import Report

INSIDE_AT_ONCE = """
WITH step AS (
  SELECT opened_at AS at, 1 AS change FROM admission WHERE event_id = $1
  UNION ALL
  SELECT coalesce(ended_at, expires_at), -1 FROM admission WHERE event_id = $1)
SELECT coalesce(max(inside), 0)
  FROM (SELECT sum(change) OVER (ORDER BY at, change) AS inside FROM step) AS run
"""
# Told to the room within this.
TELL_S = 10
OVER = """
SELECT jti FROM admission
 WHERE event_id = $1 AND jti = ANY ($2::text[])
   AND coalesce(ended_at, expires_at) < now() - make_interval(secs => $3)
"""
LINGERING = """
SELECT count(*) FROM admission
 WHERE ended_at IS NULL AND expires_at < now() - make_interval(secs => $1)
"""
Journeys = list[dict[str, Any]]


async def check_inside(report: Report, db: Any, event: int, ceiling: int) -> None:
    inside = await db.fetchval(INSIDE_AT_ONCE, event)
    shown = f"{inside} of {ceiling}"
    report.add("most visitors inside at once", shown, kept=inside <= ceiling)


async def check_leases(report: Report, db: Any, rooms: Any) -> None:
    """Whose visit is over takes no place in flight from those in line."""
    kept = 0
    async for key in rooms.scan_iter(match="room:{*}:visits", count=1000):
        room = key.removesuffix(b":visits")
        inside = set(await rooms.zrangebyscore(room + b":leases", time.time() * 1000, "+inf"))
        visits = await rooms.hgetall(key)
        # generation:number:jti:…
        passes = [visit.split(b":")[2].decode() for who, visit in visits.items() if who in inside]
        event = int(room.partition(b"{")[2].rstrip(b"}"))
        kept += len(await db.fetch(OVER, event, passes, TELL_S))
    report.none_of("places in flight of visits that are over", kept)
    report.none_of("visits that are over and not ended", await db.fetchval(LINGERING, TELL_S))


def check_order(report: Report, journeys: Journeys) -> None:
    """Who had joined before another began to join has the lower number, and was not called
    after the other had claimed.
    """
    numbers = [one["number"] for one in journeys if "number" in one]
    accounts = {one["account"] for one in journeys if "number" in one}
    report.none_of("numbers given twice", max(0, len(accounts) - len(set(numbers))))
    joined = sorted(
        (one for one in journeys if "join_done" in one), key=lambda one: one["join_sent"]
    )
    inverted, done, highest = 0, sorted(joined, key=lambda one: one["join_done"]), 0
    index = 0
    for one in joined:
        while index < len(done) and done[index]["join_done"] < one["join_sent"]:
            highest = max(highest, done[index]["number"])
            index += 1
        inverted += one["number"] < highest
    report.none_of("later joins with an earlier number", inverted)
