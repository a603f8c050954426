"""Answers of the gateway: its envelopes, its refusals, and answers that get lost on purpose."""

from typing import Any

import structlog
from litestar import Request, Response
from prometheus_client import Counter

from kernel.clock import Clock
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.envelope import encode, failure, fields_problem
from sandbox.toleubar.refusals import Breakdown, FieldsRefused, GatewayRefusal
from sandbox.toleubar.web.door import BREAK_HEADER

AnyRequest = Request[Any, Any, Any]
FAULTS = Counter("toleubar_faults", "Faults that struck", ["kind"])
log = structlog.get_logger()


def answer(body: object, status: int = 200) -> Response[bytes]:
    content = body if isinstance(body, bytes) else encode(body)
    return Response(content, status_code=status, media_type="application/json")


def break_down(desk: Desk) -> None:
    """Raises Breakdown when that fault strikes; nothing has been done yet."""
    if desk.strikes(desk.switchboard.faults.breakdown):
        FAULTS.labels("breakdown").inc()
        raise Breakdown


async def lose(desk: Desk, response: Response[Any], stall: float, abort: float) -> Response[Any]:
    """The request was carried out; by these shares its answer is held or its connection broken."""
    if desk.strikes(abort):
        FAULTS.labels("abort").inc()
        response.headers[BREAK_HEADER] = "1"
    elif desk.strikes(stall):
        FAULTS.labels("stall").inc()
        await desk.sleep(desk.switchboard.faults.stall_s)
    return response


def refusal_handlers(clock: Clock) -> dict[Any, Any]:
    """For the app's exception handlers. What nobody foresaw is the gateway's own 9999."""

    def refuse(_: AnyRequest, refusal: GatewayRefusal) -> Response[bytes]:
        response = answer(failure(refusal, clock.ms()), refusal.status)
        response.headers.update(refusal.headers)
        return response

    def refuse_fields(request: AnyRequest, refusal: FieldsRefused) -> Response[bytes]:
        trace_id = request.headers.get("x-request-id", "")
        response = answer(fields_problem(refusal, trace_id), refusal.status)
        response.media_type = "application/problem+json"
        return response

    def crash(request: AnyRequest, error: Exception) -> Response[bytes]:
        log.error("unexpected error", exc_info=error, path=request.url.path)
        return answer(failure(Breakdown(), clock.ms()), Breakdown.status)

    return {GatewayRefusal: refuse, FieldsRefused: refuse_fields, Exception: crash}
