"""The partner's calls, as plain ASGI. A hall stands in the path, `/event/<n>/event-provider`, as
behind the real one's ingress; without it the hall is 0. Errors carry no body.
"""

import re
from http import HTTPStatus
from urllib.parse import parse_qs

import msgspec
import structlog

from kernel.errors import Refusal
from kernel.web.edge import App, Receive, Scope, Send
from kernel.web.replay import read_body
from sandbox.link import break_link
from sandbox.provider.desk import Desk
from sandbox.provider.refusals import Crash, ProviderRefusal, Unknown
from sandbox.provider.web.acts import CALLS, EXTRA_CALLS, Act, Asked, Plain
from sandbox.provider.web.trouble import LinkCut, trouble_after, trouble_before

BODY_MAX_BYTES = 1_000_000
HALL = re.compile(r"/event/([0-9]{1,9})/event-provider(/.*)", re.ASCII)
# /api/partners/v1/orders/{}/…
ID_PART = 5
log = structlog.get_logger()


class Calls:
    """Answers the partner's calls and hands everything else on to `app`."""

    def __init__(self, desk: Desk, app: App, *, with_extras: bool) -> None:
        self._desk, self._app = desk, app
        self._calls = {**CALLS, **EXTRA_CALLS} if with_extras else CALLS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(("/api/", "/event/")):
            await self._app(scope, receive, send)
            return
        hall, path = split_hall(scope["path"])
        verb, act, named = self._find(scope["method"], path)
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        try:
            body = await _read_body(receive)
            asked = Asked(hall=hall, named=named, query=query, body=body)
            plain = await self._perform(verb, act, asked)
        except LinkCut:
            await break_link(send)
            return
        except Exception:  # the edge of the process: answered as the real one answers it
            log.exception("unexpected error", path=scope["path"])
            plain = Plain(Crash.status)
        await _answer(send, plain)

    def _find(self, method: str, path: str) -> tuple[str, Act, str]:
        parts = path.split("/")
        named = ""
        if (method, path) not in self._calls and len(parts) > ID_PART:
            named, parts[ID_PART] = parts[ID_PART], "{}"
        return *self._calls.get((method, "/".join(parts)), ("", _nothing)), named

    async def _perform(self, verb: str, act: Act, asked: Asked) -> Plain:
        """Raises LinkCut. The answer may get lost like any other when it is a refusal."""
        desk, hall = self._desk, asked.hall
        if not verb:
            return await self._act(act, asked)
        await trouble_before(desk, hall, verb)
        board = desk.switchboard
        if board.strikes("error", hall, verb):
            return Plain(Crash.status)
        plain = await self._act(act, asked)
        await trouble_after(desk, hall, verb)
        return Plain(Crash.status) if board.strikes("error_after", hall, verb) else plain

    async def _act(self, act: Act, asked: Asked) -> Plain:
        try:
            return await act(self._desk, asked)
        except Unknown as refusal:
            is_404 = self._desk.switchboard.of(asked.hall).unknown_404
            return Plain(HTTPStatus.NOT_FOUND if is_404 else refusal.status)
        except ProviderRefusal as refusal:
            return Plain(refusal.status)


def split_hall(path: str) -> tuple[int, str]:
    """The hall's number, and the path behind its prefix."""
    found = HALL.fullmatch(path)
    return (int(found[1]), found[2]) if found else (0, path)


async def _nothing(desk: Desk, asked: Asked) -> Plain:
    del desk, asked
    return Plain(HTTPStatus.NOT_FOUND)


async def _answer(send: Send, plain: Plain) -> None:
    body = b"" if plain.body is None else msgspec.json.encode(plain.body)
    headers = []
    if plain.body is not None:
        headers.append((b"content-type", b"application/json"))
    if plain.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": int(plain.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive) -> bytes:
    """Raises Refusal when it is too long."""
    body, _ = await read_body(receive, BODY_MAX_BYTES)
    if len(body) > BODY_MAX_BYTES:
        raise Refusal
    return body
