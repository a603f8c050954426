"""The page that tells people how places were drawn, and lets them check their own."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.web.pages import Pages
from waitingroom.room import Rooms
from waitingroom.snapshot import Snapshot
from waitingroom.web.entrance import AnyRequest, event_of, frame_of

ENTRANT_DIGITS_MAX = 10


@get("/queue/{event:str}/lottery", include_in_schema=False)
async def lottery_page(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    """`?entrant=` is a number in the lottery, whose place is told. Raises NoLottery."""
    snapshot = rooms.snapshot(event_of(event))
    published = rooms.lottery(snapshot)
    asked = request.query_params.get("entrant", "").strip()
    return pages.show(
        request,
        "lottery.html",
        event=snapshot.event,
        title=snapshot.settings.title,
        lottery=published,
        entrants=snapshot.issued,
        opens_at=_opens_at(snapshot),
        zone=ZoneInfo(snapshot.settings.time_zone),
        asked=asked[:ENTRANT_DIGITS_MAX],
        answer=_answer(snapshot, asked),
        here=f"/queue/{snapshot.event}/lottery",
        **frame_of(request, request.app.state["links"], snapshot.settings),
    )


def _opens_at(snapshot: Snapshot) -> datetime | None:
    opens_ms = snapshot.settings.opens_at
    return datetime.fromtimestamp(opens_ms / 1000, UTC) if opens_ms else None


def _answer(snapshot: Snapshot, asked: str) -> dict[str, Any] | None:
    """The place of the entrant asked about: `kind` is place, late (came after the count) or wrong
    (no such number). None: nothing was asked, or nothing is drawn yet.
    """
    if not asked or snapshot.drawn is None:
        return None
    if not (asked.isascii() and asked.isdecimal()) or len(asked) > ENTRANT_DIGITS_MAX:
        return {"kind": "wrong"}
    entrant = int(asked)
    if not 0 < entrant <= snapshot.issued:
        return {"kind": "wrong"}
    if entrant > snapshot.drawn.lottery.count:
        return {"kind": "late", "place": entrant}
    return {"kind": "place", "place": snapshot.drawn.number_of(entrant)}
