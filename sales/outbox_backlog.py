"""How much waits in the outbox, lane by lane, for /metrics."""

from pathlib import Path

from prometheus_client import Gauge

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.outbox import LANES

Q = load_queries(Path(__file__).parent / "sql")
# Nobody needs to know a backlog more exactly than "at least this".
COUNT_MAX = 10_000

DUE = Gauge("notices_due", "Notices that are due and not taken, up to 10000", ["lane"])
OLDEST = Gauge("notices_oldest_seconds", "For how long the oldest due notice has waited", ["lane"])
PARKED = Gauge("notices_parked", "Notices set aside for staff, up to 10000", ["lane"])


class Backlog:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def measure(self) -> float:
        """Sets the gauges; for how many seconds the oldest due notice has waited."""
        now = self._clock.now()
        rows = await self._db.fetch(Q["measure_lanes"], now, list(LANES), COUNT_MAX)
        oldest_s = 0.0
        for row in rows:
            since = row["due_since"]
            waited_s = (now - since).total_seconds() if since else 0.0
            DUE.labels(row["lane"]).set(row["due"])
            OLDEST.labels(row["lane"]).set(waited_s)
            PARKED.labels(row["lane"]).set(row["parked"])
            oldest_s = max(oldest_s, waited_s)
        return oldest_s
