"""`Idempotency-Key` on writes: the layer that answers a repeated question from what was kept.

A question without the header, and one of nobody in particular, passes through untouched. What is
not final (a breakdown, a "come again") is not kept. Answers from store say so in a header.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from litestar import Request

from accounts.identity import Caller
from kernel.db import GONE, DatabaseAway
from kernel.errors import Refusal
from kernel.web.edge import BODY_MAX_BYTES, TooLarge
from kernel.web.problems import PROBLEM, document_of, headers_of
from kernel.web.replay import Replay, read_body
from sales.idempotency import BODY_BYTES_MAX, Answer, Answers, Claim, KeyBad

NAME: Final = b"idempotency-key"
KEY: Final = re.compile(r'"?([A-Za-z0-9._:-]{1,100})"?')
WRITES: Final = frozenset({"POST", "PATCH"})
# Where something is bought or let go; answers elsewhere may set cookies, which are not kept.
API: Final = "/api/"
PATHS: Final = ("/orders/", "/events/")
# What belongs to the answer; the rest is made anew by the layers around.
KEPT_HEADERS: Final = frozenset({"content-type", "location", "link", "cache-control"})
NOT_FINAL: Final = frozenset({401, 408, 425, 429})
SERVER_ERRORS: Final = 500
App = Callable[[Any, Any, Any], Awaitable[None]]
log = structlog.get_logger()


class KeyedWrites:
    def __init__(
        self,
        app: App,
        answers: Answers,
        identify: Callable[[Any], Awaitable[Caller]],
        *,
        calls: frozenset[tuple[str, str]],
    ) -> None:
        """`calls`: method and address of every write under API; others are the routes' to refuse,
        as they would without a key.
        """
        self._app, self._answers, self._identify = app, answers, identify
        self._calls = calls

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self._is_write(scope["method"], scope["path"]):
            for name, value in scope["headers"]:
                if name == NAME:
                    await self._keyed(scope, receive, send, value)
                    return
        await self._app(scope, receive, send)

    def _is_write(self, method: str, path: str) -> bool:
        if path.startswith(API):
            return (method, path.rstrip("/")) in self._calls
        return method in WRITES and path.startswith(PATHS)

    async def _keyed(self, scope: Any, receive: Any, send: Any, value: bytes) -> None:
        try:
            account_id = (await self._identify(Request(scope))).account_id
            if account_id is None:
                await self._app(scope, receive, send)
                return
            key = _key_of(value)
            body, is_whole = await read_body(receive, BODY_MAX_BYTES)
            if not is_whole:
                return  # the caller has gone; what came is not what they meant
            if len(body) > BODY_MAX_BYTES:
                raise TooLarge
            claim = await self._answers.claim(account_id, key, _fingerprint(scope, body))
        except (Refusal, *GONE) as error:
            refusal = error if isinstance(error, Refusal) else DatabaseAway()
            headers = {"content-type": PROBLEM, **headers_of(refusal)}
            await _send(send, Answer(refusal.status, headers, document_of(refusal)))
            return
        if isinstance(claim, Answer):
            again = {**claim.headers, "idempotency-replayed": "true"}
            await _send(send, Answer(claim.status, again, claim.body))
            return
        await self._answer(claim, scope, Replay(body, receive), send)

    async def _answer(self, claim: Claim, scope: Any, receive: Any, send: Any) -> None:
        """Ask the routes, and keep what they say before it is sent."""
        said: list[Any] = []

        async def listen(message: Any) -> None:
            said.append(message)

        try:
            await self._app(scope, receive, listen)
        finally:
            try:
                await self._keep(claim, said)
            except GONE as error:
                # The answer stands all the same; the key is taken over when its claim is over.
                log.warning("answer not kept", error=repr(error))
        for message in said:
            await send(message)

    async def _keep(self, claim: Claim, said: list[Any]) -> None:
        answer = _answer_of(said)
        if answer is None:
            await self._answers.forget(claim)
        else:
            await self._answers.keep(claim, answer)


def _answer_of(said: list[Any]) -> Answer | None:
    """What is worth keeping of the messages of an answer: a whole one, final and not too long."""
    if not said or said[-1]["type"] != "http.response.body" or said[-1].get("more_body"):
        return None
    status = said[0]["status"]
    body = b"".join(message.get("body", b"") for message in said[1:])
    if status >= SERVER_ERRORS or status in NOT_FINAL or len(body) > BODY_BYTES_MAX:
        return None
    headers = {name.decode("latin-1").lower(): value for name, value in said[0]["headers"]}
    kept = {name: headers[name].decode("latin-1") for name in KEPT_HEADERS & headers.keys()}
    return Answer(status, kept, body)


def _key_of(value: bytes) -> str:
    """Raises KeyBad."""
    found = KEY.fullmatch(value.decode("latin-1").strip())
    if found is None:
        raise KeyBad
    return found[1]


def _fingerprint(scope: Any, body: bytes) -> bytes:
    address = scope["path"].encode() + b"?" + scope["query_string"]
    return hashlib.sha256(b"\n".join([scope["method"].encode(), address, body])).digest()


async def _send(send: Any, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
