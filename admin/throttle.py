"""The throttle console: what each room is doing, and changing how it lets people in.

A change is checked whole before anything is written, audited before it is made, and in force for
the next join, tick and claim.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from accounts.identity import Caller
from admin.audit import Audit, actor_of, room_subject
from admin.tempo import Tempo
from kernel.text import seen_line
from waitingroom.console import Change
from waitingroom.plan import plan
from waitingroom.room import Rooms
from waitingroom.settings import MOMENTS, BadSetting, changed
from waitingroom.snapshot import Snapshot, iso
from waitingroom.store import RoomAway

# What the console changes; the room has more settings, which are the organiser's.
CONSOLE_FIELDS = (
    *("mode", "state", "rate_per_minute", "ceiling", "message", "title", "site_url"),
    *("prequeue_at", "opens_at", "closes_at", "time_zone", "outside_source", "outside"),
    "without_outside",
    *("places_max", "arm_requests", "disarm_requests", "disarm_seconds"),
)
WHOLE_NUMBERS = frozenset(
    {"rate_per_minute", "ceiling", "places_max"}
    | {"arm_requests", "disarm_requests", "disarm_seconds"}
)
LINES = frozenset({"message", "title", "site_url"})
# What the room does by itself is told as its own doing, the newest few.
OWN_ACTORS = frozenset({"auto", "schedule"})
OWN_DEEDS_MAX, CHANGES_LOOKED_AT = 5, 50
DIGITS_MAX = 18
VENUE_ZONE = "Asia/Almaty"


class Step(msgspec.Struct, frozen=True):
    """From this moment (epoch ms; None: already) the room is in this state."""

    since: int | None
    state: str


class RoomView(msgspec.Struct, frozen=True):
    """One room's numbers; `age_s` above 0: Redis doesn't answer and this is how old they are."""

    event: int
    title: str
    # The event's page on somebody else's site; empty: it is the shop's.
    site_url: str
    mode: str
    state: str
    waiting: int
    issued: int
    serving: int
    living: int
    in_flight: int
    ceiling: int
    rate_per_minute: int
    admitted_per_minute: int | None
    message: str
    changed_at: str
    age_s: int
    # The schedule: moments in epoch ms, and what follows from all of it by itself.
    prequeue_at: int | None
    opens_at: int | None
    closes_at: int | None
    time_zone: str
    outside_source: str
    outside: str
    # Whether the lottery waits, or would, for that value; how many were counted for it already.
    awaits_value: bool
    counted: int | None
    plan: list[Step]
    # How many may wait at once; None: as many as come.
    places_max: int | None
    # Of the automatic mode: when it arms and disarms, since when it is armed (epoch ms; 0: not),
    # how many requests came within five seconds, how many programs were let in without a place.
    arm_requests: int
    disarm_requests: int
    disarm_seconds: int
    armed_at: int
    requests: int
    implicit: int


class ThrottleConsole:
    def __init__(
        self, rooms: Rooms, audit: Audit, tempo: Tempo, sites: Collection[str] = ()
    ) -> None:
        """`sites`: origins that a room's own page may be on."""
        self._sites = sites
        self._rooms = rooms
        self._audit = audit
        self._tempo = tempo

    def rooms(self) -> list[RoomView]:
        """All rooms, from memory."""
        return [self.room(event) for event in self._rooms.reader.events()]

    def room(self, event: int) -> RoomView:
        """From memory. Raises RoomUnknown, RoomAway."""
        return self._view(self._rooms.snapshot(event))

    async def own_deeds(self, event: int) -> list[Change]:
        """What the room did by itself lately, newest first; nothing while Redis is away."""
        try:
            changes = await self._rooms.changes(event, CHANGES_LOOKED_AT)
        except RoomAway:
            return []
        return [one for one in changes if one.actor in OWN_ACTORS][:OWN_DEEDS_MAX]

    async def change(self, event: int, changes: Mapping[str, Any], caller: Caller) -> RoomView:
        """Make these changes, all or none. Raises BadSetting naming the field, RoomUnknown,
        RoomAway, ChangedMeanwhile. What is so already is no change and leaves no line.
        """
        before = await self._rooms.settings(event)
        after = changed(before, changes)
        check_site(changes, self._sites)
        fields = [name for name in changes if getattr(before, name) != getattr(after, name)]
        if fields:
            async with self._audit.deed(
                caller,
                "room.configure",
                room_subject(event),
                before={name: getattr(before, name) for name in fields},
                after={name: getattr(after, name) for name in fields},
            ):
                new = {name: changes[name] for name in fields}
                await self._rooms.configure(event, new, actor_of(caller))
            await self._rooms.reader.refresh()
        return self.room(event)

    def _view(self, snapshot: Snapshot) -> RoomView:
        settings = snapshot.settings
        return RoomView(
            event=snapshot.event,
            title=settings.title,
            mode=settings.mode,
            state=snapshot.state,
            waiting=snapshot.waiting,
            issued=snapshot.issued,
            serving=snapshot.serving,
            living=snapshot.living,
            in_flight=snapshot.in_flight,
            ceiling=settings.ceiling,
            rate_per_minute=settings.rate_per_minute,
            admitted_per_minute=self._tempo.per_minute(snapshot.event),
            message=settings.message,
            site_url=settings.site_url,
            prequeue_at=settings.prequeue_at,
            opens_at=settings.opens_at,
            closes_at=settings.closes_at,
            time_zone=settings.time_zone,
            outside_source=settings.outside_source,
            outside=settings.outside,
            awaits_value=settings.awaits_value,
            counted=snapshot.counted,
            plan=[Step(span.since, span.state) for span in plan(settings, snapshot.taken_at_ms)],
            places_max=settings.places_max,
            arm_requests=settings.arm_requests,
            disarm_requests=settings.disarm_requests,
            disarm_seconds=settings.disarm_seconds,
            armed_at=settings.armed_at,
            requests=snapshot.requests,
            implicit=snapshot.implicit,
            changed_at=iso(settings.updated_at),
            age_s=self._rooms.reader.age_of(snapshot.event),
        )


def check_site(changes: Mapping[str, Any], sites: Collection[str]) -> None:
    """Raises BadSetting for a page on a site that the room would lead nobody to."""
    url = changes.get("site_url")
    parts = urlsplit(url) if url else None
    if parts and f"{parts.scheme}://{parts.netloc}" not in sites:
        raise BadSetting("Этого сайта нет в BILETTER_SITES.", setting="site_url")


def read_moment(name: str, text: str, zone: str) -> int | None:
    """A clock's 2026-06-01T12:00 in that zone, as epoch ms; nothing for an empty field."""
    if not text.strip():
        return None
    try:
        local = datetime.fromisoformat(text.strip())
        if local.tzinfo is None:
            local = local.replace(tzinfo=ZoneInfo(zone))
        return int(local.timestamp() * 1000)
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError) as error:
        raise BadSetting(setting=name) from error


def read_text(name: str, text: str, zone: object) -> Any:
    """What was typed for this setting. Raises BadSetting."""
    if name in WHOLE_NUMBERS:
        digits = "".join(text.split())
        if not digits and name == "places_max":
            return None
        if not digits.isascii() or not digits.isdecimal() or len(digits) > DIGITS_MAX:
            raise BadSetting(setting=name)
        return int(digits)
    if name in MOMENTS:
        return read_moment(name, text, zone if isinstance(zone, str) else VENUE_ZONE)
    if name == "without_outside":
        return text == "yes"
    return seen_line(text) if name in LINES else text


def read_changes(given: Mapping[str, object]) -> dict[str, Any]:
    """The changes a form or a JSON object asks for; BadSetting for anything else. Numbers may
    come as text.
    """
    changes: dict[str, Any] = {}
    zone = given.get("time_zone")
    for name, value in given.items():
        if name not in CONSOLE_FIELDS:
            raise BadSetting(setting=name[:40])
        changes[name] = read_text(name, value, zone) if isinstance(value, str) else value
    if not changes:
        raise BadSetting("Не сказано, что изменить.", setting="")
    return changes
