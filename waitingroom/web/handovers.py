"""A place's way to another device: the link and its QR code, and the page the link opens.

Opening the link changes nothing, for messengers open links to draw a preview: the visitor presses
a button there.
"""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.documents import UNREADABLE
from kernel.errors import BadInput
from kernel.web.links import Links
from kernel.web.pages import Pages
from kernel.web.told import Answer, Refused, told
from waitingroom.abuse import TooManyJoins
from waitingroom.claims import Lapsed
from waitingroom.entries import Entry
from waitingroom.handover import (
    LINK_MAX,
    HandoverExpired,
    HandoverForeign,
    HandoverForged,
    HandoverGone,
    HandoverNeedless,
    HandoverUsed,
)
from waitingroom.line import Joined
from waitingroom.room import Rooms
from waitingroom.snapshot import iso
from waitingroom.web.answers import JoinAnswer, headers_of, join_answer
from waitingroom.web.described import (
    BEARER,
    EVENT,
    JOINED,
    JOINED_HEADERS,
    PLACE,
    PRIVATE,
    ROOM,
    VISITOR,
    WHO,
    WRITE,
)
from waitingroom.web.entrance import AnyRequest, entry_of, event_of, frame_of, hand_entry
from waitingroom.web.forms import form_of
from waitingroom.web.joining import at_door

MINUTE_S = 60
# A link's token with a few words around it.
TAKEOVER_BODY_MAX = 1_024
TAKE: Refused = (
    *(BadInput, *WHO, *WRITE, TooManyJoins, *ROOM, *PLACE),
    *(HandoverForged, HandoverForeign, HandoverExpired, HandoverUsed, HandoverGone),
    HandoverNeedless,
)


class HandoverAnswer(msgspec.Struct, frozen=True):
    """Whoever opens `url` before `expires_at` may take the place; once. A program takes it with
    `token`.
    """

    url: str
    token: str
    expires_at: str


class TakeoverBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`token` is that of the link: what stands behind `token=` in its address."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=LINK_MAX)]


WRITTEN = (
    "1.1780315200.1542.c3ViamVjdG9mc29tZWJvZHkwMA.1210.0.0.1.1780316000.aGVsbG8xMjM.c2lnbmF0dXJl"
)
OFFERED = HandoverAnswer(
    f"https://queue.example/queue/1/handover?token={WRITTEN}", WRITTEN, "2026-06-01T12:10:00.000Z"
)


@post(
    "/rooms/{event:str}/handovers",
    summary="A link that hands my place to another device",
    **told(
        Answer(example=OFFERED, headers=PRIVATE),
        status=201,
        refusals=(*PLACE, *WRITE, TooManyJoins, Lapsed),
        parameters=[EVENT],
        who=BEARER,
        tags=["place"],
    ),
)
async def hand_over(
    event: FromPath[str], request: AnyRequest, rooms: NamedDependency[Rooms]
) -> Response[HandoverAnswer]:
    answer = await _offer(request, rooms, event_of(event))
    return Response(answer, status_code=201, headers=headers_of())


@post(
    "/rooms/{event:str}/takeovers",
    status_code=200,
    summary="Take the place that a link hands over",
    **told(
        Answer(example=JOINED, headers=JOINED_HEADERS),
        refusals=TAKE,
        body=TakeoverBody,
        body_example=TakeoverBody(WRITTEN),
        body_needed=True,
        parameters=[EVENT],
        who=VISITOR,
        tags=["place"],
    ),
)
async def take_over(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    secure_cookies: NamedDependency[bool],
) -> Response[JoinAnswer]:
    """For programs; people press the button of the page that the link opens. The entry of whoever
    gave the place is worth nothing from then on.
    """
    event_id, raw = event_of(event), await request.body()
    if len(raw) > TAKEOVER_BODY_MAX:
        raise BadInput
    try:
        body = msgspec.json.decode(raw, type=TakeoverBody)
    except UNREADABLE as error:
        raise BadInput from error
    entry = await _take(request, rooms, event_id, body.token, visitor)
    joined = Joined(entry, rooms.book.write(entry), await rooms.place(entry), is_new=False)
    response = Response(join_answer(joined), headers=headers_of())
    hand_entry(response, event_id, joined.token, secure=secure_cookies)
    return response


@post("/queue/{event:str}/handovers", include_in_schema=False)
async def queue_hand_over(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    event_id = event_of(event)
    answer = await _offer(request, rooms, event_id)
    links, settings = request.app.state["links"], rooms.snapshot(event_id).settings
    picture = segno.make(answer.url, error="m", micro=False)
    return pages.show(
        request,
        "queue_handover.html",
        event=event_id,
        url=answer.url,
        minutes=rooms.handover_life_s // MINUTE_S,
        picture=picture.svg_data_uri(scale=5, border=3, dark="#0b2530", light="#fff"),
        here=f"/queue/{event_id}",
        **frame_of(request, links, settings),
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
        **frame_of(request, request.app.state["links"], snapshot.settings),
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
    entry = await _take(request, rooms, event_id, token, visitor)
    response = Response(b"", status_code=303, headers={"Location": f"/queue/{event_id}"})
    hand_entry(response, event_id, rooms.book.write(entry), secure=secure_cookies)
    return response


async def _take(request: AnyRequest, rooms: Rooms, event: int, token: str, visitor: str) -> Entry:
    rooms.snapshot(event)
    at_door(rooms, event, "join", visitor, request.scope)
    return await rooms.take_over(event, token, visitor)


async def _offer(request: AnyRequest, rooms: Rooms, event: int) -> HandoverAnswer:
    rooms.snapshot(event)
    entry = entry_of(request, rooms, event)
    at_door(rooms, event, "join", entry.subject, request.scope)
    token, until_ms = await rooms.hand_over(entry)
    links: Links = request.app.state["links"]
    path = f"/queue/{event}/handover?token={quote(token, safe='')}"
    return HandoverAnswer(links.to("waitingroom", request, path), token, iso(until_ms))
