"""For other sites: may this visitor pass, the way on to them, and the keys of passes."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from kernel.errors import BadInput
from kernel.web.links import Links
from kernel.web.told import Answer, told
from waitingroom.gate.requests import without_pass
from waitingroom.gate.used import fingerprint
from waitingroom.gate.visits import TOKEN_MAX, Refused, Visit, visit_cookie_of
from waitingroom.passes import PURPOSE
from waitingroom.room import Rooms
from waitingroom.web.described import EVENT, ROOM
from waitingroom.web.entrance import AnyRequest, event_of, pass_cookie_of, return_address

URI_MAX = 4_000


def _header(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": words, "schema": {"type": "string"}}


FORM_MAX = 8_192
JWKS_HEADERS = {"Cache-Control": "public, max-age=60"}
# nginx may remember a visit that goes on for this long, and longer while the room is away.
VISIT_HEADERS = {"Cache-Control": "no-store", "X-Accel-Expires": "5"}
KEPT_NOWHERE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class Key(msgspec.Struct, frozen=True):
    """A public key of passes."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class KeySet(msgspec.Struct, frozen=True):
    keys: list[Key]


KEYS = KeySet(
    [Key("OKP", "Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "2026a", "EdDSA", "sig")]
)
PASSED = Answer(
    words="The visitor may pass: with a visit, with a good pass, or because the room is off.",
    headers={
        "Set-Cookie": "`queue_visit_<event>`, when the visit begins: hand it on.",
        "Cache-Control": "`no-store`",
        "X-Accel-Expires": "How long nginx may remember a visit that goes on, in seconds.",
    },
)
TURNED_AWAY = Answer(
    words="The visitor is to be sent elsewhere.",
    headers={
        "Location": "Where: the queue page, or the original address without the pass in it.",
        "Set-Cookie": "As with 204, when a visit begins here.",
        "Cache-Control": "`no-store`",
    },
)
ASKED: list[dict[str, Any]] = [
    {**EVENT, "in": "query"},
    _header("X-Original-URI", "Where the visitor wants to go: an absolute address."),
    _header("X-Original-Method", "The method of that request."),
    _header("X-Real-IP", "The visitor's address, as the web server sees it."),
]


class Original(msgspec.Struct, frozen=True):
    """The request that a web server asks about. `uri` is without the pass that stood in it."""

    uri: str | None
    token: str | None
    # A page was asked for, so the visitor can be led elsewhere.
    is_page: bool

    @property
    def is_https(self) -> bool:
        return (self.uri or "").startswith("https://")


@get(
    "/authorize",
    summary="204 with a good pass, 401 without: for nginx auth_request",
    **told(
        {204: PASSED, 401: TURNED_AWAY},
        refusals=(BadInput, *ROOM),
        parameters=[*ASKED],
        who=[{}, {"pass": []}],
        tags=["other sites"],
    ),
)
async def authorize(
    request: AnyRequest, event: FromQuery[str], rooms: NamedDependency[Rooms]
) -> Response[Any]:
    """`?event=` names the room. The pass comes in X-Queue-Pass, in the query of X-Original-URI or
    in its cookie, and becomes a cookie of the visit. X-Original-URI is where the visitor goes
    afterwards; Location of a 401 is where to send them now.
    """
    event_id = event_of(event)
    rooms.doorman.counts.came(event_id)
    if rooms.snapshot(event_id).state == "off":
        return Response(None, status_code=204, headers=KEPT_NOWHERE)
    original = _original(request)
    links: Links = request.app.state["links"]
    settings = rooms.snapshot(event_id).settings
    back = return_address(request, links, event_id, original.uri, settings)
    visit = rooms.doorman.visit(event_id, request.cookies.get(visit_cookie_of(str(event_id))))
    if visit is not None:
        if original.token and original.is_page and back:
            return _led_to(back)
        return Response(None, status_code=204, headers=VISIT_HEADERS)
    try:
        visit = await _begun(request, rooms, event_id, original.token)
    except Refused:
        query = f"?return_to={quote(back, safe='')}" if back else ""
        return _led_to(links.to("waitingroom", request, f"/queue/{event_id}{query}"))
    cookie = {"Set-Cookie": rooms.doorman.cookie(visit, secure=original.is_https)}
    if original.token and original.is_page and back:
        return _led_to(back, cookie)
    return Response(None, status_code=204, headers=KEPT_NOWHERE | cookie)


@post("/queue/{event:str}/onward", include_in_schema=False)
async def onward(event: FromPath[str], request: AnyRequest) -> Response[Any]:
    """With the pass to the site that the visitor came from; only to one that the room knows."""
    event_id = event_of(event)
    raw = await request.body()
    if len(raw) > FORM_MAX:
        raise BadInput
    try:
        fields = dict(parse_qsl(raw.decode(), max_num_fields=10))
    except ValueError as error:
        raise BadInput from error
    token, back = fields.get("pass", ""), fields.get("return_to", "")
    links: Links = request.app.state["links"]
    if not links.leads_to_site(back) or not 0 < len(token) <= TOKEN_MAX:
        return Response(b"", status_code=303, headers={"Location": f"/queue/{event_id}"})
    parts = urlsplit(back)
    query = "&".join(part for part in (parts.query, urlencode({"pass": token})) if part)
    address = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    return Response(b"", status_code=303, headers={"Location": address, **KEPT_NOWHERE})


@get(
    "/.well-known/jwks.json",
    summary="Public keys of passes",
    **told(
        Answer(
            words="A JWK set (RFC 7517); two keys are good during a change.",
            example=KEYS,
            headers={"Cache-Control": "`public, max-age=60`"},
        ),
        who=[],
        tags=["other sites"],
    ),
)
async def jwks(rooms: NamedDependency[Rooms]) -> Response[KeySet]:
    keys = msgspec.convert(rooms.keyring.jwks(PURPOSE), KeySet)
    return Response(keys, headers=JWKS_HEADERS)


async def _begun(request: AnyRequest, rooms: Rooms, event: int, in_address: str | None) -> Visit:
    held = request.headers.get("x-queue-pass")
    token = held or in_address or request.cookies.get(pass_cookie_of(event))
    if not token or len(token) > TOKEN_MAX:
        raise Refused("pass-needed", 429)
    return await rooms.doorman.begin(event, token, _visitor(request))


def _original(request: AnyRequest) -> Original:
    uri = request.headers.get("x-original-uri", "")
    method = request.headers.get("x-original-method", "GET")
    is_page = method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if not uri or len(uri) > URI_MAX:
        return Original(None, None, is_page)
    try:
        parts = urlsplit(uri)
    except ValueError:
        return Original(None, None, is_page)
    query, token = without_pass(parts.query)
    return Original(urlunsplit(parts._replace(query=query)), token, is_page)


def _visitor(request: AnyRequest) -> str:
    """As the gate tells them apart, with the address that the web server saw."""
    address = request.headers.get("x-real-ip", "")
    return fingerprint({**request.scope, "client": (address, 0)})


def _led_to(address: str, more: dict[str, str] | None = None) -> Response[bytes]:
    headers = {"Location": address, **KEPT_NOWHERE, **(more or {})}
    return Response(b"", status_code=401, headers=headers, media_type="text/plain")
