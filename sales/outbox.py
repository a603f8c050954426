"""The outbox: facts committed for others, and the jobs that tell them.

A notice is staged in the transaction that made it true; its row is the job. Workers take due rows
(sales.outbox_draining) and run the handler of each. Handlers are idempotent and read the truth
anew, so a notice may be told twice, late, or out of order: what was true when it was staged
is only the reason to look.

Notices run in lanes, each with a bound of its own: a gateway that hangs fills the lane of money and
no other.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from kernel.db import Conn
from kernel.sql import load_queries

Q = load_queries(Path(__file__).parent / "sql")
CHANNEL = "biletter_notice"
# A notice stays taken for this long, and who has it in hand says so anew in time (ADR 25): what a
# killed taker had comes back after it.
TAKEN_S = 20


class Lane(msgspec.Struct, frozen=True):
    """`concurrency`: handlers of one process that run at the same time, each with at most one
    database connection. `timeout_s`: a handler gets this long.
    """

    concurrency: int
    timeout_s: int


MONEY, SEATS, PARTNERS, REST = "money", "seats", "partners", "rest"
LANES: Mapping[str, Lane] = MappingProxyType(
    {
        # Waits for the gateway nearly all its time; a call may take eight seconds.
        MONEY: Lane(concurrency=48, timeout_s=45),
        SEATS: Lane(concurrency=16, timeout_s=10),
        # Waits for partners: each call at most three seconds, and none of one that is silent.
        PARTNERS: Lane(concurrency=24, timeout_s=20),
        REST: Lane(concurrency=16, timeout_s=10),
    }
)
# Each kind of notice and its lane. Who does it stands in workers.handlers.
LANE_OF: Mapping[str, str] = MappingProxyType(
    {
        "payment.settle": MONEY,
        "payment.void": MONEY,
        "order.expire": MONEY,
        "refund.settle": MONEY,
        "order.paid": SEATS,
        "order.released": SEATS,
        "tickets.returned": SEATS,
        "seats.refill": SEATS,
        "partner.tend": PARTNERS,
        "partner.sweep": PARTNERS,
        "event.cancelled": MONEY,
        "event.moved": REST,
        "admission.opened": REST,
        "admission.ended": REST,
    }
)


class Notice(msgspec.Struct, frozen=True):
    """`attempts` counts this one too."""

    id: int
    lane: str
    kind: str
    subject_id: int
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


class Draft(msgspec.Struct, frozen=True):
    """A notice to stage; `due_at` None: at once."""

    kind: str
    subject_id: int
    payload: dict[str, Any] = {}
    due_at: datetime | None = None

    @property
    def lane(self) -> str:
        return LANE_OF.get(self.kind, REST)


class Again(msgspec.Struct, frozen=True):
    """The handler did its part and wants to look again later: no failure."""

    delay_s: float


class PermanentError(Exception):
    """No later attempt can do better: the notice is set aside for staff."""


class TemporaryError(Exception):
    """Did not work this time, and its message says why: tried again, and set aside at last."""


Handler = Callable[[Notice], Awaitable[Again | None]]


async def stage(
    conn: Conn,
    now: datetime,
    drafts: Sequence[Draft],
    *,
    instead_of: Iterable[tuple[str, int]] = (),
) -> None:
    """Stage notices in the caller's transaction; the bell rings when it commits. `instead_of`:
    kinds and subjects that need no look any more.
    """
    done = list(instead_of)
    if not drafts and not done:
        return
    await conn.execute(
        Q["stage_notices"],
        [draft.kind for draft in drafts],
        [draft.subject_id for draft in drafts],
        [draft.payload for draft in drafts],
        [draft.due_at or now for draft in drafts],
        now,
        [draft.lane for draft in drafts],
        [kind for kind, _ in done],
        [subject for _, subject in done],
    )


async def stage_once(conn: Conn, now: datetime, draft: Draft) -> None:
    """Stage a notice that only says "look now", unless one that says so waits already. However
    often somebody shouts, there is one row to take.
    """
    await conn.execute(
        Q["stage_notice_once"], draft.kind, draft.subject_id, draft.payload, now, draft.lane
    )
