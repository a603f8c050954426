"""Whether seats may be claimed that a hall's owner has given us: PostgreSQL's own word.

Whatever Redis thought when the seats were held, and whether it was there at all: nothing is claimed
outside an allotment. Whoever inserts claims asks here before, in the same transaction.
"""

from collections.abc import Sequence
from pathlib import Path

from kernel.db import Conn
from kernel.sql import load_queries
from sales.allotment import SELLS
from sales.order import Channel

Q = load_queries(Path(__file__).parent / "sql")
# A hold may last twice its time (lua/parts/holding.lua), and once more a second try.
SECOND_TRY_S = 120


async def objection(
    conn: Conn, event_id: int, seats: Sequence[int], channel: Channel
) -> list[str | int] | None:
    """Why an order of this channel may not claim the seats, as the commands of Redis would say it:
    `outside seat...`, `spent left` or `ended`; None: it may. The allotments concerned stay as they
    are, and nobody else claims of them, until the transaction ends.
    """
    await conn.fetch(Q["lock_allotments"], event_id, seats)
    # A statement of its own: it sees what was committed while the first one waited.
    rows = await conn.fetch(Q["measure_allotments"], event_id, seats, SELLS[channel], SECOND_TRY_S)
    outside = sorted(seat for row in rows for seat in row["outside"])
    if outside:
        return ["outside", *outside]
    if any(not row["is_open"] for row in rows):
        return ["ended"]
    short = [
        row["places"] - row["taken"] for row in rows if row["taken"] + row["wanted"] > row["places"]
    ]
    return ["spent", max(0, min(short))] if short else None
