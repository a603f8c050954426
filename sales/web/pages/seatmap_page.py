"""The seat map's page: for showing, and for showing again when a seat was lost."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response

from accounts.identity import Caller
from kernel.errors import Refusal
from sales.geometry import Hall, Zone, ZoneUnknown
from sales.web.pages.event import sale_of
from sales.web.pages.forms import Req, moment_of
from sales.web.pages.hall import (
    BLOCK_ROWS_MAX,
    FREE,
    Block,
    Cut,
    best_block,
    block_with,
    cut,
    rows_of,
)
from sales.web.pages.owner import owner_told
from sales.web.pages.site import Site
from sales.web.pages.visit import door, left_of, mine_of


class Choice(msgspec.Struct, frozen=True):
    """What the visitor has marked, and the refusal that asks for another choice.

    `block` 0: none named. `fresh`: states as they stand now, not as of a moment ago.
    """

    seats: Sequence[int] = ()
    block: int = 0
    refusal: Refusal | None = None
    lost: Sequence[int] = ()
    fresh: bool = False


async def show_map(
    site: Site, request: Req, event_id: int, zone_no: int, *, caller: Caller, choice: Choice
) -> Response[Any]:
    """Raises EventUnknown, ZoneUnknown."""
    event = await site.catalogue.event(event_id)
    hall = await site.holds.store.halls.hall(event_id)
    zone = hall.zone(zone_no)
    if zone is None:
        raise ZoneUnknown
    version, states = await site.seatmaps.zone_states(event_id, zone_no, fresh=choice.fresh)
    mine = await mine_of(site, event_id, caller)
    limit = await left_of(site, event, mine, caller)
    chosen = _still_free(hall, zone, states, choice.seats)[:limit]
    refusal = choice.refusal
    return site.pages.show(
        request,
        "sales/seats.html",
        status=refusal.status if refusal else 200,
        event=event,
        zone=zone,
        zones=hall.zones,
        sale=sale_of(event, site.clock),
        version=version,
        partner=owner_told(await site.seatmaps.asked(event_id)),
        chosen=chosen,
        refusal=refusal,
        lost=[hall.place(seat) for seat in choice.lost],
        limit=limit,
        mine=mine,
        mine_until=moment_of(mine.expires_at_ms) if mine else None,
        **_drawing(zone, states, choice.block, chosen),
        **await door(site, request, event, caller),
    )


def _still_free(hall: Hall, zone: Zone, states: bytes, seats: Sequence[int]) -> list[int]:
    """The choice without what is not free any more, or never was a seat here. About the seats of
    other zones this map knows nothing: they stay.
    """
    known = [seat for seat in seats if 0 <= seat < hall.capacity]
    return [
        seat for seat in known if seat not in zone.seats or states[seat - zone.first_seat] == FREE
    ]


def _drawing(zone: Zone, states: bytes, asked: int, chosen: Sequence[int]) -> dict[str, Any]:
    """What the templates draw: the blocks, the one shown, and the way to its neighbours."""
    whole = cut(zone, states)
    block = _shown(zone, whole, asked, chosen)
    rows = rows_of(zone, block, states)
    shown = {seat.seat for row in rows for seat in row.seats}
    return {
        "cut": whole,
        "block": block,
        "rows": rows,
        "steps": _steps(whole, block),
        "chosen_elsewhere": [seat for seat in chosen if seat not in shown],
        "row_runs": ",".join(zone.row_runs),
        "block_rows_max": BLOCK_ROWS_MAX,
    }


def _shown(zone: Zone, whole: Cut, asked: int, chosen: Sequence[int]) -> Block:
    """The block asked for, or where the choice is, or where there is room."""
    if 1 <= asked <= len(whole.blocks):
        return whole.blocks[asked - 1]
    found = (block_with(zone, whole.blocks, seat) for seat in chosen)
    return next((block for block in found if block), None) or best_block(whole.blocks)


def _steps(whole: Cut, block: Block) -> list[tuple[str, int]]:
    """Neighbours of the block: a direction each, and the neighbour's number."""
    column, number, last = (block.number - 1) % whole.across, block.number, len(whole.blocks)
    steps = [
        ("front", number - whole.across, number > whole.across),
        ("left", number - 1, column > 0),
        ("right", number + 1, column < whole.across - 1),
        ("back", number + whole.across, number + whole.across <= last),
    ]
    return [(direction, neighbour) for direction, neighbour, is_there in steps if is_there]
