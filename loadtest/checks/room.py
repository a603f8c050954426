"""The waiting room: how many were inside at once, and whether the line was kept."""

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
Journeys = list[dict[str, Any]]


async def check_inside(report: Report, db: Any, event: int, ceiling: int) -> None:
    inside = await db.fetchval(INSIDE_AT_ONCE, event)
    shown = f"{inside} of {ceiling}"
    report.add("most visitors inside at once", shown, kept=inside <= ceiling)


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
