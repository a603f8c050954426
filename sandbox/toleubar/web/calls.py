"""The merchant's four calls, as plain ASGI: a purchase makes five of them, and the framework's
routing would cost more than all that is done here.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from kernel.errors import Refusal
from kernel.web.edge import App, Receive, Scope, Send
from kernel.web.replay import read_body
from sandbox.toleubar.cancellation import cancel
from sandbox.toleubar.capture import confirm
from sandbox.toleubar.desk import Ask, Desk
from sandbox.toleubar.envelope import Body, encode
from sandbox.toleubar.fields import Fields, read_fields
from sandbox.toleubar.initiation import init
from sandbox.toleubar.inquiry import check
from sandbox.toleubar.refusals import Breakdown, GatewayRefusal, timed_out
from sandbox.toleubar.web.answers import Plain, crash, refuse
from sandbox.toleubar.web.door import BREAK_HEADER
from sandbox.toleubar.web.trouble import trouble_after, trouble_before

BODY_MAX_BYTES = 1_000_000
# Of the calls that time out, how many were carried out all the same.
DONE_ALL_THE_SAME = 0.5

Act = Callable[[Desk, Fields, Ask], Body | bytes]
CALLS: dict[str, tuple[str, Act]] = {
    "/api/v1/paymentinit/init": ("init", init),
    "/api/v1/paymentcheck/check": ("check", check),
    "/api/v1/paymentconfirm/confirm": ("confirm", confirm),
    "/api/v1/paymentcancel/cancel": ("cancel", cancel),
}


class BodyTooLarge(GatewayRefusal):
    """The request is too large."""

    status, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "1000"


class Calls:
    """Answers the four calls and hands everything else on to `app`."""

    def __init__(self, desk: Desk, app: App) -> None:
        self._desk, self._app = desk, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = CALLS.get(scope["path"]) if scope["type"] == "http" else None
        if call is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        plain = await self._perform(call, scope, receive)
        headers = [
            (b"content-type", plain.media_type.encode()),
            (b"content-length", str(len(plain.content)).encode()),
        ]
        if plain.broken:
            headers.append((BREAK_HEADER.encode(), b"1"))
        await send({"type": "http.response.start", "status": plain.status, "headers": headers})
        await send({"type": "http.response.body", "body": plain.content})

    async def _perform(self, call: tuple[str, Act], scope: Scope, receive: Receive) -> Plain:
        verb, act = call
        desk, given = self._desk, dict(scope["headers"])
        trace_id = given.get(b"x-request-id", b"").decode("latin-1")
        try:
            body = await _read_body(receive)
            await trouble_before(desk, verb)
            plain = self._act(verb, act, body, ask_of(desk, scope, given), trace_id)
            await trouble_after(desk, verb)
        except Refusal as refusal:
            return refuse(refusal, desk.clock.ms(), trace_id)
        except Exception as error:  # noqa: BLE001  # the edge of the process: answered as 9999
            return crash(error, scope["path"], desk.clock.ms())
        return plain

    def _act(self, verb: str, act: Act, body: bytes, ask: Ask, trace_id: str) -> Plain:
        """The answer, which may get lost like any other when it is a refusal."""
        board = self._desk.switchboard
        try:
            if board.breaks_down():
                raise Breakdown
            late = timed_out(verb) if board.strikes("timeout") else None
            if late and board.stream("timeout").random() >= DONE_ALL_THE_SAME:
                raise late
            told = act(self._desk, read_fields(body), ask)
            if late:
                raise late
        except Refusal as refusal:
            return refuse(refusal, self._desk.clock.ms(), trace_id)
        return Plain(told if isinstance(told, bytes) else encode(told))


def ask_of(desk: Desk, scope: Scope, given: Mapping[bytes, bytes]) -> Ask:
    host = given.get(b"host", b"localhost").decode("latin-1")
    base = (desk.public_base_url or desk.links.base("toleubar", host)).rstrip("/")
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Ask(base=base, query=query)


async def _read_body(receive: Receive) -> bytes:
    """Raises BodyTooLarge."""
    body, _ = await read_body(receive, BODY_MAX_BYTES)
    if len(body) > BODY_MAX_BYTES:
        raise BodyTooLarge
    return body
