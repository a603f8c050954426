"""`/events/{id}`: what it is, where and when, its zones with prices and what is still free."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from accounts.identity import Caller
from kernel.clock import Clock
from sales.catalogue import Catalogue, Event, EventCard
from sales.geometry import Zone
from sales.seatmap import ZoneCounts
from sales.web.pages.forms import Req
from sales.web.pages.owner import owner_told
from sales.web.pages.site import Site
from sales.web.pages.visit import door, left_of, mine_of

OTHERS_MAX = 4
# Where there are more zones than this, a drawing of the hall says nothing.
PLAN_ZONES_MAX = 8


class ZoneView(msgspec.Struct, frozen=True):
    """A zone as buyers see it. `tint` chooses its colour; `arc` its place in the drawing,
    `spine` the line its name is written along.
    """

    zone: Zone
    free: int
    total: int
    tint: int
    arc: str | None
    spine: str

    @property
    def fullness(self) -> str:
        """none, low or plenty is left."""
        if not self.free:
            return "none"
        return "low" if self.free * 4 < self.total else "plenty"


@get("/events/{event_id:int}", include_in_schema=False)
async def show_event(
    request: Req,
    event_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    event = await site.catalogue.event(event_id)
    zones = await site.catalogue.zones(event_id)
    counts, others, entrance = await asyncio.gather(
        _counts(site, event_id, zones),
        _others(site.catalogue, event),
        door(site, request, event, caller),
    )
    is_open = sale_of(event, site.clock) == "open" and not entrance["needs_queue"]
    mine = await mine_of(site, event_id, caller) if is_open else None
    return site.pages.show(
        request,
        "sales/event.html",
        event=event,
        zones=_views(zones, counts),
        sale=sale_of(event, site.clock),
        mine=mine,
        limit=await left_of(site, event, mine, caller),
        others=others,
        partner=owner_told(await site.seatmaps.asked(event_id)),
        **entrance,
    )


async def _counts(site: Site, event_id: int, zones: Sequence[Zone]) -> Sequence[ZoneCounts]:
    """Events of the archive have no zones, and need no seats read."""
    return await site.seatmaps.counts(event_id) if zones else []


def sale_of(event: Event, clock: Clock) -> str:
    """open, closed, cancelled or over."""
    if event.state == "cancelled":
        return "cancelled"
    if event.state == "archived" or event.starts_at <= clock.now():
        return "over"
    return "open" if event.state == "on_sale" else "closed"


async def _others(catalogue: Catalogue, event: Event) -> list[EventCard]:
    """What else may please: hot events, then the nearest of the same kind."""
    hot, near = await asyncio.gather(
        catalogue.hot(OTHERS_MAX), catalogue.nearest(OTHERS_MAX + 1, event.kind)
    )
    cards = {card.id: card for card in [*hot[:2], *near] if card.title != event.title}
    cards.pop(event.id, None)
    return list(cards.values())[:OTHERS_MAX]


def _views(zones: Sequence[Zone], counts: Sequence[ZoneCounts]) -> list[ZoneView]:
    free = {count.zone_no: count.free for count in counts}
    arcs: list[tuple[str | None, str]] = [(None, "")] * len(zones)
    if 1 < len(zones) <= PLAN_ZONES_MAX:
        arcs = list(_arcs(zones))
    return [
        ZoneView(zone, free.get(zone.zone_no, 0), zone.seat_count, number % 6, *arcs[number - 1])
        for number, zone in enumerate(zones, start=1)
    ]


# The drawing: the stage at the top, zones as arcs around it; units of its own view box.
STAGE_X, STAGE_Y, FIRST_RADIUS, DEPTH = 160.0, 22.0, 46.0, 106.0
OPENING = math.radians(14)
# From the middle of a band down to where its letters stand.
BASELINE = 3.0


def _arcs(zones: Sequence[Zone]) -> list[tuple[str | None, str]]:
    """For each zone the path of its arc and the line of its name. Thickness grows with the
    root of its rows, so that a stadium's stands do not hide its parterre.
    """
    weights = [math.sqrt(len(zone.row_sizes)) + 1.5 for zone in zones]
    inner = FIRST_RADIUS
    drawn: list[tuple[str | None, str]] = []
    for weight in weights:
        outer = inner + DEPTH * weight / sum(weights)
        drawn.append((_arc(inner + 1.5, outer - 1.5), _spine((inner + outer) / 2 + BASELINE)))
        inner = outer
    return drawn


def _arc(inner: float, outer: float) -> str:
    (ax, ay), (bx, by) = _at(outer, OPENING), _at(outer, math.pi - OPENING)
    (cx, cy), (dx, dy) = _at(inner, math.pi - OPENING), _at(inner, OPENING)
    return (
        f"M{ax} {ay}A{outer:.1f} {outer:.1f} 0 0 1 {bx} {by}"
        f"L{cx} {cy}A{inner:.1f} {inner:.1f} 0 0 0 {dx} {dy}z"
    )


def _spine(radius: float) -> str:
    """From left to right through the lowest point, so that letters stand upright."""
    (ax, ay), (bx, by) = _at(radius, math.pi - OPENING), _at(radius, OPENING)
    return f"M{ax} {ay}A{radius:.1f} {radius:.1f} 0 0 0 {bx} {by}"


def _at(radius: float, angle: float) -> tuple[float, float]:
    x = STAGE_X + radius * math.cos(angle)
    return round(x, 1), round(STAGE_Y + radius * math.sin(angle), 1)
