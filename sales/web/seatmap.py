"""The seat map for the page's script: geometry once, states as often as they change."""

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kernel.values import tenge
from sales.seatmap import SeatMaps

Req = Request[Any, Any, Any]
# A hall does not change while its event is on sale.
GEOMETRY_CACHE = "public, max-age=3600, stale-while-revalidate=86400"


@get("/events/{event_id:int}/zones/{zone_no:int}/geometry.json", include_in_schema=False)
async def show_geometry(
    request: Req,
    event_id: FromPath[int],
    zone_no: FromPath[int],
    seatmaps: NamedDependency[SeatMaps],
) -> Response[bytes]:
    """Rows and sizes of a zone: `row_sizes[i]` seats in row `first_row + i`, numbered from 1, and
    `first_seat` the index in the event of the first of them. `price` is a decimal string in tenge.
    """
    zone = await seatmaps.zone(event_id, zone_no)
    body = msgspec.json.encode(
        {
            "event_id": event_id,
            "zone_no": zone.zone_no,
            "name": zone.name,
            "price": tenge(zone.price),
            "first_row": zone.first_row,
            "row_sizes": zone.row_sizes,
            "first_seat": zone.first_seat,
            "seat_count": zone.seat_count,
        }
    )
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": GEOMETRY_CACHE}
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@get("/events/{event_id:int}/zones/{zone_no:int}/seats", include_in_schema=False)
async def show_seats(
    event_id: FromPath[int],
    zone_no: FromPath[int],
    seatmaps: NamedDependency[SeatMaps],
    since: Annotated[int | None, QueryParameter(ge=0)] = None,
) -> Response[bytes]:
    """204 when the zone is still as it was at version `since`; else its version and its states,
    2 bits a seat in base64: seat i of the zone in byte i >> 2 at bit 2 * (i & 3), 0 free, 1 held,
    2 sold. `X-Seats-Stale` (epoch ms): the owner of the seats is silent, and what others bought of
    him since then is not in it.
    """
    version, packed = await seatmaps.zone_map(event_id, zone_no)
    headers = {"Cache-Control": "no-cache"}
    asked = await seatmaps.asked(event_id)
    if asked is not None and asked.is_stale:
        headers["X-Seats-Stale"] = str(asked.at_ms or 0)
    if version == since:
        return Response(b"", status_code=204, headers=headers)
    body = {"version": version, "seats": b64encode(packed).decode()}
    return Response(msgspec.json.encode(body), media_type="application/json", headers=headers)


@get("/events/{event_id:int}/zones/counts", include_in_schema=False)
async def show_counts(
    event_id: FromPath[int], seatmaps: NamedDependency[SeatMaps]
) -> Response[bytes]:
    """What is free, held and sold in each zone of the event."""
    zones = await seatmaps.counts(event_id)
    body = msgspec.json.encode({"event_id": event_id, "zones": zones})
    headers = {"Cache-Control": "no-cache"}
    return Response(body, media_type="application/json", headers=headers)


routes = [show_geometry, show_seats, show_counts]
