"""Server-sent events: a visitor's place as it changes, out of memory, for a bounded time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from kernel.errors import Refusal, TryAgain
from kernel.web.told import Answer, told
from waitingroom.claims import Lapsed
from waitingroom.entries import Entry
from waitingroom.room import Rooms
from waitingroom.web.answers import headers_of, place_answer
from waitingroom.web.described import BEARER, EVENT, PLACE, PRIVATE
from waitingroom.web.entrance import AnyRequest, entry_of, event_of

STEP_S = 1.0
# A stream ends after this and the browser opens another: streams don't pile up unseen.
STREAM_MAX_S = 60
# An open connection each; more of them ask by polling.
STREAMS_MAX = 2_000
RETRY_MS = 3_000


WORDS = (
    "`place` with what /entries/me answers, whenever it changes; `end` with the `code` of what "
    "became of the place. Ends after a minute: open it again."
)


class TooManyStreams(TryAgain):
    """Слишком много открытых потоков, спрашивайте обычными запросами."""

    code = "too-many-streams"


@get(
    "/rooms/{event:str}/live",
    summary="My place as server-sent events",
    **told(
        Answer(words=WORDS, kind=str, media="text/event-stream", headers=PRIVATE),
        refusals=(*PLACE, Lapsed, TooManyStreams),
        parameters=[EVENT],
        who=BEARER,
        tags=["place"],
    ),
)
async def live(event: FromPath[str], request: AnyRequest, rooms: NamedDependency[Rooms]) -> Stream:
    event_id = event_of(event)
    rooms.snapshot(event_id)
    entry = entry_of(request, rooms, event_id)
    place_answer(await rooms.place(entry))
    state = request.app.state
    if state.get("live_streams", 0) >= STREAMS_MAX:
        raise TooManyStreams
    return Stream(
        tell(rooms, entry, state),
        media_type="text/event-stream",
        headers=headers_of(**{"X-Accel-Buffering": "no"}),
    )


async def tell(
    rooms: Rooms, entry: Entry, state: State, step_s: float = STEP_S
) -> AsyncIterator[bytes]:
    """The stream's bytes: `place` when it changed, `end` when there is none any more."""
    state["live_streams"] = state.get("live_streams", 0) + 1
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        told = b""
        for _ in range(int(STREAM_MAX_S / STEP_S)):
            name, body = await _words(rooms, entry)
            if body != told:
                told = body
                yield b"event: " + name + b"\ndata: " + body + b"\n\n"
            if name == b"end":
                return
            await asyncio.sleep(step_s)
    finally:
        state["live_streams"] -= 1


async def _words(rooms: Rooms, entry: Entry) -> tuple[bytes, bytes]:
    """`place` with the place, or `end` with the code of what became of it."""
    try:
        place = place_answer(await rooms.place(entry))
    except Refusal as refusal:
        return b"end", msgspec.json.encode({"code": refusal.code})
    told: dict[str, Any] = msgspec.structs.asdict(place)
    # Jitter is for polls; here it would make every word look new.
    told.pop("poll_after_ms")
    return b"place", msgspec.json.encode(told)
