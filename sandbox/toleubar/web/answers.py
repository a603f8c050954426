"""Answers of the gateway: its envelopes, its refusals, and the answer that breaks off."""

from typing import Any

import structlog
from litestar import Request, Response
from msgspec import Struct

from kernel.clock import Clock
from kernel.errors import Refusal
from sandbox.toleubar.envelope import encode, failure, fields_problem
from sandbox.toleubar.refusals import Breakdown, FieldsRefused, GatewayRefusal
from sandbox.toleubar.web.door import BREAK_HEADER
from sandbox.toleubar.web.trouble import LinkCut

AnyRequest = Request[Any, Any, Any]
JSON = "application/json"
PROBLEM = "application/problem+json"
log = structlog.get_logger()


class Plain(Struct, frozen=True):
    """An answer before it is given to a framework. `broken`: its line is cut in the middle."""

    content: bytes
    status: int = 200
    media_type: str = JSON
    broken: bool = False


def answer(body: object, status: int = 200) -> Response[bytes]:
    content = body if isinstance(body, bytes) else encode(body)
    return Response(content, status_code=status, media_type=JSON)


def refuse(refusal: Refusal, now_ms: int, trace_id: str) -> Plain:
    if isinstance(refusal, LinkCut):
        return Plain(b"", broken=True)
    if isinstance(refusal, FieldsRefused):
        content = encode(fields_problem(refusal, trace_id))
        return Plain(content, refusal.status, PROBLEM)
    assert isinstance(refusal, GatewayRefusal)
    return Plain(encode(failure(refusal, now_ms)), refusal.status)


def crash(error: Exception, path: str, now_ms: int) -> Plain:
    """What nobody foresaw is the gateway's own 9999."""
    log.error("unexpected error", exc_info=error, path=path)
    return refuse(Breakdown(), now_ms, "")


def refusal_handlers(clock: Clock) -> dict[Any, Any]:
    """For the app's exception handlers."""

    def handle(request: AnyRequest, error: Exception) -> Response[bytes]:
        if isinstance(error, Refusal):
            plain = refuse(error, clock.ms(), request.headers.get("x-request-id", ""))
            headers = dict(error.headers)
        else:
            plain, headers = crash(error, request.url.path, clock.ms()), {}
        if plain.broken:
            headers[BREAK_HEADER] = "1"
        return Response(
            plain.content, status_code=plain.status, media_type=plain.media_type, headers=headers
        )

    return dict.fromkeys((GatewayRefusal, FieldsRefused, LinkCut, Exception), handle)
