"""The calls of programs and of the queue page's script (docs: the waiting room's contract)."""

from litestar import HttpMethod, Response, delete, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.web.told import Answer, told
from waitingroom.abuse import TooManyClaims, TooManyHeartbeats
from waitingroom.claims import GateFull, Lapsed, NotCalled, RoomShut
from waitingroom.entries import Entry
from waitingroom.line import Inside, RoomOff
from waitingroom.lottery import Published
from waitingroom.place import Place
from waitingroom.room import Rooms
from waitingroom.schedule import NoLottery
from waitingroom.snapshot import Status
from waitingroom.web.answers import (
    ClaimAnswer,
    JoinAnswer,
    JoinBody,
    claim_answer,
    headers_of,
    join_answer,
    place_answer,
)
from waitingroom.web.described import (
    AGAIN,
    BEARER,
    CLAIMED,
    DRAWN,
    EVENT,
    INVITED,
    JOIN,
    JOINED,
    JOINED_HEADERS,
    PLACE,
    PRIVATE,
    ROOM,
    STATUS,
    WAITING,
    WRITE,
)
from waitingroom.web.entrance import (
    AnyRequest,
    entry_of,
    event_of,
    hand_entry,
    host_of,
    is_of_site,
    pass_address,
)
from waitingroom.web.joining import (
    INVITE_HEADER,
    at_door,
    body_of,
    comer_of,
    join_room,
    room_off,
)

STATUS_HEADERS = {"Cache-Control": "public, max-age=1"}


@get(
    "/rooms/{event:str}/status",
    summary="The room's numbers, the same for everyone",
    **told(
        Answer(example=STATUS, headers={"Cache-Control": "`public, max-age=1`"}),
        refusals=ROOM,
        parameters=[EVENT],
        who=[],
        tags=["room"],
    ),
)
async def status(event: FromPath[str], rooms: NamedDependency[Rooms]) -> Response[Status]:
    snapshot = rooms.snapshot(event_of(event))
    raw = rooms.reader.status_bytes(snapshot.event)
    assert raw is not None
    return Response(raw, headers=STATUS_HEADERS, media_type="application/json")  # type: ignore[arg-type]  # encoded once a snapshot


@post(
    "/rooms/{event:str}/entries",
    summary="Join",
    **told(
        {
            201: Answer(example=JOINED, headers=JOINED_HEADERS),
            200: Answer(words=AGAIN, example=JOINED, headers=JOINED_HEADERS),
        },
        refusals=JOIN,
        body=JoinBody,
        body_example=JoinBody(proof="1.16.1780315200.Yk3mJ0w1h2aVQx8b7c6d5A.48213"),
        parameters=[EVENT],
        who=INVITED,
        tags=["place"],
    ),
)
async def join(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    secure_cookies: NamedDependency[bool],
) -> Response[JoinAnswer]:
    """A place for the account, or for the device of who has none; a repeat gives the same one. A
    device's place becomes the account's when somebody signs in on it and joins again. An entry in
    the Authorization header stands for its holder. No refusal uses a number up.
    """
    event_id = event_of(event)
    body = body_of(await request.body(), request.headers.get(INVITE_HEADER))
    try:
        comer = comer_of(request, rooms, event_id, visitor)
        joined = await join_room(rooms, event_id, comer, request.scope, body)
    except RoomOff as off:
        raise room_off(request.app.state["links"], host_of(request), rooms, event_id) from off
    response = Response(
        join_answer(joined), status_code=201 if joined.is_new else 200, headers=headers_of()
    )
    hand_entry(response, event_id, joined.token, secure=secure_cookies)
    return response


@get(
    "/rooms/{event:str}/entries/me",
    summary="My place",
    **told(
        Answer(example=WAITING, headers=PRIVATE),
        refusals=(*PLACE, Lapsed),
        parameters=[EVENT],
        who=BEARER,
        tags=["place"],
    ),
)
async def my_place(
    event: FromPath[str], request: AnyRequest, rooms: NamedDependency[Rooms]
) -> Response[Place]:
    place = await rooms.place(_present(request, rooms, event))
    return Response(place_answer(place), headers=headers_of())


@post(
    "/rooms/{event:str}/heartbeats",
    status_code=204,
    summary="I am still here",
    **told(
        Answer(words="Heard. One a minute keeps a place living; so does asking for it."),
        status=204,
        refusals=(*PLACE, *WRITE, TooManyHeartbeats),
        parameters=[EVENT],
        who=BEARER,
        tags=["place"],
    ),
)
async def heartbeat(
    event: FromPath[str], request: AnyRequest, rooms: NamedDependency[Rooms]
) -> None:
    entry = _present(request, rooms, event)
    at_door(rooms, entry.event, "heartbeat", entry.subject, request.scope)
    await rooms.heartbeat(entry)


@post(
    "/rooms/{event:str}/claims",
    summary="My number is called, let me in",
    **told(
        Answer(example=CLAIMED, headers=PRIVATE),
        status=201,
        refusals=(*PLACE, *WRITE, TooManyClaims, NotCalled, GateFull, RoomShut, RoomOff, Lapsed),
        parameters=[EVENT],
        who=BEARER,
        tags=["place"],
    ),
)
async def claim(
    event: FromPath[str], request: AnyRequest, rooms: NamedDependency[Rooms]
) -> Response[ClaimAnswer]:
    """Asked again within the life of the pass, the same pass. 409 keeps the place: ask again after
    Retry-After. 410: join again.
    """
    entry = _present(request, rooms, event)
    at_door(rooms, entry.event, "claim", entry.subject, request.scope)
    admitted = await rooms.claim(entry)
    links, settings = request.app.state["links"], rooms.snapshot(entry.event).settings
    enter_url = pass_address(links, host_of(request), entry.event, settings)
    return Response(claim_answer(admitted, enter_url), status_code=201, headers=headers_of())


@delete(
    "/rooms/{event:str}/entries/me",
    status_code=204,
    summary="Leave",
    **told(
        Answer(words="The place is free; the entry's cookie is taken back."),
        status=204,
        refusals=(*PLACE, *WRITE, Inside),
        parameters=[EVENT],
        who=BEARER,
        tags=["place"],
    ),
)
async def leave(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    secure_cookies: NamedDependency[bool],
) -> Response[None]:
    entry = _present(request, rooms, event)
    try:
        await rooms.leave(entry)
    except Inside as inside:
        links, settings = request.app.state["links"], rooms.snapshot(entry.event).settings
        if not links.has_shop or is_of_site(links, settings):
            raise
        raise Inside(leave_url=links.to("sales", request, "/leave")) from inside
    response: Response[None] = Response(None, status_code=204)
    hand_entry(response, entry.event, "", secure=secure_cookies)
    return response


@route("/rooms/{event:str}/entries/me", http_method=HttpMethod.OPTIONS, include_in_schema=False)
async def allowed_on_my_place() -> Response[None]:
    """The framework's own answer knows one of two handlers of an address."""
    return Response(None, status_code=204, headers={"Allow": "DELETE, GET, OPTIONS"})


@get(
    "/rooms/{event:str}/lottery",
    summary="The lottery's commitment and seed",
    **told(
        Answer(example=DRAWN, headers={"Cache-Control": "`public, max-age=1`"}),
        refusals=(*ROOM, NoLottery),
        parameters=[EVENT],
        who=[],
        tags=["room"],
    ),
)
async def lottery(event: FromPath[str], rooms: NamedDependency[Rooms]) -> Response[Published]:
    """Before the draw the commitment; after it all that is needed to compute every place."""
    published = rooms.lottery(rooms.snapshot(event_of(event)))
    return Response(published, headers=STATUS_HEADERS)


def _present(request: AnyRequest, rooms: Rooms, event: str) -> Entry:
    """The entry, for a room that exists."""
    event_id = event_of(event)
    rooms.snapshot(event_id)
    return entry_of(request, rooms, event_id)
