"""The gateway's three ways to say no: its envelope, a textual token failure, and the framework's
problem document for fields (contract §9).
"""

from http import HTTPStatus
from typing import ClassVar

from kernel.errors import Refusal


class GatewayRefusal(Refusal):
    """Refused."""

    status: ClassVar[int] = 400
    # The contract's own number, or its textual code for token failures.
    code: ClassVar[str] = "9999"


class TokenInvalid(GatewayRefusal):
    """The token does not fit the request."""

    status, code = HTTPStatus.UNAUTHORIZED, "TOKEN_INVALID"


class Breakdown(GatewayRefusal):
    """Internal error."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "9999"


class TimedOut(GatewayRefusal):
    """The operation timed out."""

    status, code = HTTPStatus.REQUEST_TIMEOUT, "1408"


class ConfirmTimedOut(TimedOut):
    """The operation timed out."""

    code = "2408"


class CancelTimedOut(TimedOut):
    """The operation timed out."""

    code = "3408"


def timed_out(verb: str) -> TimedOut:
    """As each call says it (contract §9); whether it was carried out is not known."""
    return {"confirm": ConfirmTimedOut, "cancel": CancelTimedOut}.get(verb, TimedOut)()


class FieldsRefused(Refusal):
    """One or more validation errors occurred."""

    status, code = HTTPStatus.BAD_REQUEST, "fields-refused"

    def __init__(self, errors: dict[str, list[str]]) -> None:
        """`errors`: field name → what is wrong with it."""
        super().__init__()
        self.errors = errors
