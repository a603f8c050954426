"""A place's way to another device: the link and its QR code, and the page the link opens.

Opening the link changes nothing, for messengers open links to draw a preview: the visitor presses
a button there.
"""

from typing import Any
from urllib.parse import quote

import msgspec
import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.web.links import Links
from kernel.web.pages import Pages
from waitingroom.room import Rooms
from waitingroom.snapshot import iso
from waitingroom.web.answers import headers_of
from waitingroom.web.entrance import AnyRequest, entry_of, event_of, hand_entry
from waitingroom.web.forms import form_of
from waitingroom.web.joining import at_door

MINUTE_S = 60


class HandoverAnswer(msgspec.Struct, frozen=True):
    """Whoever opens `url` before `expires_at` may take the place; once."""

    url: str
    expires_at: str


@post("/rooms/{event:str}/handovers", summary="A link that hands my place to another device")
async def hand_over(
    event: FromPath[str], request: AnyRequest, rooms: NamedDependency[Rooms]
) -> Response[HandoverAnswer]:
    answer = await _offer(request, rooms, event_of(event))
    return Response(answer, status_code=201, headers=headers_of())


@post("/queue/{event:str}/handovers", include_in_schema=False)
async def queue_hand_over(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    event_id = event_of(event)
    answer = await _offer(request, rooms, event_id)
    picture = segno.make(answer.url, error="m", micro=False)
    return pages.show(
        request,
        "queue_handover.html",
        event=event_id,
        url=answer.url,
        minutes=rooms.handover_life_s // MINUTE_S,
        picture=picture.svg_data_uri(scale=5, border=3, dark="#0b2530", light="#fff"),
        here=f"/queue/{event_id}",
    )


@get("/queue/{event:str}/handover", include_in_schema=False)
async def queue_handover(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    event_id, token = event_of(event), request.query_params.get("token", "")
    snapshot, link = rooms.snapshot(event_id), rooms.read_handover(event_id, token)
    response = pages.show(
        request,
        "queue_take.html",
        event=event_id,
        title=snapshot.settings.title,
        number=link.entry.number,
        token=token,
        here=f"/queue/{event_id}",
    )
    # The link must not reach other sites.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@post("/queue/{event:str}/handover", include_in_schema=False)
async def queue_take(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    secure_cookies: NamedDependency[bool],
) -> Response[Any]:
    event_id = event_of(event)
    token = (await form_of(request)).get("token", "")
    rooms.snapshot(event_id)
    at_door(rooms, event_id, "join", visitor, request.scope)
    entry = await rooms.take_over(event_id, token, visitor)
    response = Response(b"", status_code=303, headers={"Location": f"/queue/{event_id}"})
    hand_entry(response, event_id, rooms.book.write(entry), secure=secure_cookies)
    return response


async def _offer(request: AnyRequest, rooms: Rooms, event: int) -> HandoverAnswer:
    rooms.snapshot(event)
    entry = entry_of(request, rooms, event)
    at_door(rooms, event, "join", entry.subject, request.scope)
    token, until_ms = await rooms.hand_over(entry)
    links: Links = request.app.state["links"]
    path = f"/queue/{event}/handover?token={quote(token, safe='')}"
    return HandoverAnswer(links.to("waitingroom", request, path), iso(until_ms))
