"""Which of its states the queue page shows, decided in one place. It never promises what is not so.

states: off · countdown · before · crowded · prequeue · waiting · paused · called · full · inside ·
lapsed · over · left · closed · moved · restarted · away
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kernel.errors import Refusal
from kernel.web.links import Links
from waitingroom.entries import Entry, GenerationOver, HandedOver
from waitingroom.passes import MS
from waitingroom.place import Place
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings
from waitingroom.snapshot import Snapshot
from waitingroom.store import RoomAway
from waitingroom.web.entrance import (
    AnyRequest,
    device_subject,
    enter_address,
    entry_of,
    frame_of,
    pass_cookie_of,
    return_address,
)
from waitingroom.web.joining import Comer, proof_bits

# Without its script the page reloads by itself; never so fast that nobody can read it.
RELOAD_MIN_S = 5
AWAY_RELOAD_S = 15
COUNTDOWN_RELOAD_S = 60
CROWDED_RELOAD_S = 30
# Of a room that this process has not read yet.
UNKNOWN = RoomSettings()
# Nothing to say about these: people get in, or will.
MOVING = ("open", "drained", "prequeue")


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    """`number` is told even when nothing else is known: it is signed. `stopped` is the room's
    word when nobody is called just now. `is_binding` offers to make the place the account's.
    """

    shows: str
    event: int
    # Where the visitor is led in the end, and where the pass is taken to. Empty: a room that stands
    # alone was not told of the site.
    return_to: str
    enter_url: str = ""
    # What the frame may lead to.
    has_shop: bool = True
    home: str = ""
    title: str = ""
    message: str = ""
    # The colours of the event's picture; None: there is none.
    theme: int | None = None
    number: int | None = None
    place: Place | None = None
    stopped: str | None = None
    is_binding: bool = False
    # Nobody has signed in here: the place is this browser's.
    is_device: bool = False
    # In the pre-queue: the number in the lottery, before the draw and after.
    entrant: int | None = None
    # Whether places are drawn by lot, and whether that is still to come.
    is_lottery: bool = False
    awaits_draw: bool = False
    # The draw's time has come and it waits for its value from outside; how many were counted.
    awaits_outside: bool = False
    counted: int = 0
    # Scheduled, and nobody gets a place before its time.
    is_soon: bool = False
    # When places are given and when sales open, told in the venue's time; seconds till the next.
    begins_at: datetime | None = None
    opens_at: datetime | None = None
    zone: ZoneInfo | None = None
    seconds_left: int = 0
    # How many wait, for who considers joining.
    waiting: int = 0
    # Whether the pass of somebody inside was already used by this browser, and whether it may
    # still be used to enter: afterwards it has been used elsewhere.
    has_entered: bool = False
    may_enter: bool = False
    # Whether the numbers shown come from a memory that can't be renewed just now.
    is_stale: bool = False
    # What a join from here must answer (waitingroom.proof), and how long a browser that can't
    # work still has to wait. Empty: nothing.
    challenge: str = ""
    bits: int = 0
    wait_left_s: int = 0
    # An invitation that may be used here, or what is wrong with the one in the address.
    invite: str = ""
    invite_wrong: str = ""
    # After how many seconds a browser without scripts asks again; None: it doesn't.
    reload_s: int | None = None


async def view_of(
    request: AnyRequest, rooms: Rooms, event: int, visitor: str, return_to: str | None
) -> PageView:
    """Raises RoomUnknown."""
    links: Links = request.app.state["links"]
    entry = _entry(request, rooms, event)
    try:
        snapshot = rooms.snapshot(event)
    except RoomAway:
        number = entry.number if entry and not entry.lot else None
        return _away(event, return_address(request, links, event, return_to, UNKNOWN), number)
    settings = snapshot.settings
    address = return_address(request, links, event, return_to, settings)
    base = PageView(
        shows="before",
        event=event,
        return_to=address,
        enter_url=enter_address(request, links, event, address),
        **frame_of(request, links, settings),
        title=settings.title,
        message=settings.message,
        theme=settings.theme,
        stopped=None if snapshot.state in MOVING else snapshot.state,
        is_stale=rooms.reader.age_of(event) > 0,
        waiting=snapshot.waiting,
        **_times(snapshot),
    )
    if snapshot.state == "off":
        return msgspec.structs.replace(base, shows="off")
    if entry is None:
        return _without_place(base, snapshot)
    entry_now = snapshot.present(entry)
    if not (entry_now.lot or base.awaits_draw):
        base = msgspec.structs.replace(base, number=entry_now.number)
    try:
        place = await rooms.place(entry)
    except Refusal as refusal:
        return _lost(base, snapshot, refusal)
    device = device_subject(request, rooms)
    base = msgspec.structs.replace(
        base,
        place=place,
        number=place.number,
        entrant=place.entrant,
        is_binding=entry.subject == device != visitor,
        is_device=visitor == device,
    )
    return await _with_place(request, rooms, base, entry, place)


def with_challenge(request: AnyRequest, rooms: Rooms, view: PageView, visitor: str) -> PageView:
    """The view, with a challenge where a join from it has to answer one: the one in the address,
    so that who waits doesn't start anew, or a fresh one.
    """
    if view.shows not in ("before", "left", "restarted"):
        return view
    if view.invite:
        return view
    entry = _entry(request, rooms, view.event)
    comer = Comer(visitor, device_subject(request, rooms), entry)
    bits = proof_bits(rooms, view.event, comer, request.scope)
    if not bits:
        return view
    challenge = request.query_params.get("challenge", "")
    if not rooms.proofs.is_ours(view.event, visitor, challenge):
        challenge = rooms.proofs.challenge(view.event, visitor, bits).challenge
    return msgspec.structs.replace(
        view, challenge=challenge, bits=bits, wait_left_s=rooms.proofs.wait_left_s(challenge)
    )


def _entry(request: AnyRequest, rooms: Rooms, event: int) -> Entry | None:
    """A page is no place to be told about forgery: who has no good entry may join."""
    with suppress(Refusal):
        return entry_of(request, rooms, event)
    return None


def _away(event: int, address: str, number: int | None) -> PageView:
    return PageView(
        shows="away", event=event, return_to=address, number=number, reload_s=AWAY_RELOAD_S
    )


def _times(snapshot: Snapshot) -> dict[str, Any]:
    settings, now_ms = snapshot.settings, snapshot.taken_at_ms
    left_ms = snapshot.opens_in_ms
    if settings.mode == "scheduled" and now_ms < settings.begins_at:
        left_ms = settings.begins_at - now_ms
    return {
        "is_lottery": settings.awaits_draw or settings.is_drawn,
        "awaits_draw": settings.awaits_draw,
        "awaits_outside": snapshot.awaits_outside,
        "counted": snapshot.counted or 0,
        "is_soon": _is_soon(snapshot),
        "begins_at": _moment(settings.begins_at),
        "opens_at": _moment(settings.opens_at),
        "zone": ZoneInfo(settings.time_zone),
        "seconds_left": -(-left_ms // 1000),
    }


def _moment(moment_ms: int | None) -> datetime | None:
    return datetime.fromtimestamp(moment_ms / 1000, UTC) if moment_ms else None


def _is_soon(snapshot: Snapshot) -> bool:
    settings = snapshot.settings
    is_shut = settings.state in ("closed", "drained")
    return settings.mode == "scheduled" and not is_shut and snapshot.state == "closed"


def _without_place(base: PageView, snapshot: Snapshot) -> PageView:
    shows = "closed" if snapshot.state in ("closed", "drained") else "before"
    if base.is_soon and not base.is_stale:
        reload_s = min(COUNTDOWN_RELOAD_S, base.seconds_left + 1)
        return msgspec.structs.replace(base, shows="countdown", number=None, reload_s=reload_s)
    if base.is_stale:
        return msgspec.structs.replace(base, shows="away", number=None, reload_s=AWAY_RELOAD_S)
    if shows == "before" and snapshot.is_full:
        return crowded(base)
    return msgspec.structs.replace(base, shows=shows, number=None)


def _lost(base: PageView, snapshot: Snapshot, refusal: Refusal) -> PageView:
    """The number is another device's, or void. A new one is offered where a new one is given."""
    if isinstance(refusal, HandedOver):
        return msgspec.structs.replace(base, shows="moved")
    anew = _without_place(base, snapshot)
    is_void = isinstance(refusal, GenerationOver) and anew.shows == "before"
    return msgspec.structs.replace(base, shows="restarted") if is_void else anew


def crowded(base: PageView) -> PageView:
    """No more places are given just now; whoever stays on the page is told when they are."""
    return msgspec.structs.replace(base, shows="crowded", number=None, reload_s=CROWDED_RELOAD_S)


async def _with_place(
    request: AnyRequest, rooms: Rooms, base: PageView, entry: Entry, place: Place
) -> PageView:
    reload_s = max(RELOAD_MIN_S, place.poll_after_ms // 1000)
    if place.stage == "inside":
        return await _inside(request, rooms, base, entry)
    if place.stage in ("lapsed", "over"):
        return msgspec.structs.replace(base, shows=place.stage)
    shut = place.state in ("held", "closed")
    if base.is_stale and place.stage == "called":
        return msgspec.structs.replace(base, shows="away", reload_s=AWAY_RELOAD_S)
    if place.stage == "called" and not shut:
        return msgspec.structs.replace(base, shows="called")
    if place.state == "closed" and not base.is_soon:
        return msgspec.structs.replace(base, shows="closed", reload_s=reload_s)
    with suppress(RoomAway):
        await rooms.heartbeat(entry)
    shows = "paused" if base.stopped else "waiting"
    if place.number is None:
        shows = "prequeue"
    return msgspec.structs.replace(base, shows=shows, reload_s=reload_s)


async def _inside(request: AnyRequest, rooms: Rooms, base: PageView, entry: Entry) -> PageView:
    base = msgspec.structs.replace(base, shows="inside")
    try:
        admitted = await rooms.claim(entry)  # the same pass again
    except Refusal:
        return base
    # The cookie that sales set holds the very pass of this visit.
    held = request.cookies.get(pass_cookie_of(entry.event))
    return msgspec.structs.replace(
        base,
        has_entered=held == admitted.token,
        may_enter=rooms.clock.ms() < admitted.visit.exp * MS,
    )
