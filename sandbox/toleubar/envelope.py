"""The shape of every answer to the merchant: camelCase, absent values written as null."""

import msgspec

from sandbox.toleubar.moments import iso
from sandbox.toleubar.refusals import FieldsRefused, GatewayRefusal

Body = dict[str, object]
encode = msgspec.json.Encoder(decimal_format="number").encode


def success(at_ms: int, correlation_id: str | None, **fields: object) -> Body:
    head: Body = {
        "success": True,
        "errorCode": "0",
        "message": None,
        "timestamp": iso(at_ms),
        "correlationId": correlation_id,
        "version": "1.0",
    }
    return head | fields


def failure(refusal: GatewayRefusal, at_ms: int) -> Body:
    return {
        "success": False,
        "errorCode": refusal.code,
        "message": refusal.detail,
        "timestamp": iso(at_ms),
        "correlationId": None,
        "version": "1.0",
        "details": refusal.extra or None,
    }


def fields_problem(refusal: FieldsRefused, trace_id: str) -> Body:
    """What the gateway's framework answers before its own code is reached."""
    return {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": refusal.detail,
        "status": int(refusal.status),
        "errors": refusal.errors,
        "traceId": trace_id,
    }
