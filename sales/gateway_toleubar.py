"""The payment integrator ToleuBar, as its contract describes it (§2, §4, §9).

An answer about another payment, order or sum than the one that was asked about says nothing.
"""

import re
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

import msgspec
import structlog

from kernel.documents import UNREADABLE
from sales import gateway_tokens as tokens
from sales.gateway import (
    AMOUNT_MAX,
    AMOUNT_MIN,
    Accepted,
    Call,
    Found,
    Offered,
    Refused,
    ReturnUrls,
    Unknown,
)
from sales.gateway_wire import Answer, HttpWire, Wire, WireError

log = structlog.get_logger()

INIT: Final = "/api/v1/PaymentInit/init"
CHECK: Final = "/api/v1/PaymentCheck/check"
CONFIRM: Final = "/api/v1/PaymentConfirm/confirm"
CANCEL: Final = "/api/v1/PaymentCancel/cancel"
FORM: Final = "/api/v1/paymentform/render/"

# Confirm and cancel refuse to read a larger amount; it is then left out (§2.3).
AMOUNT_NAMED_MAX: Final = 50_000_000
CURRENCY: Final = "KZT"
# Answers that say nothing about what was done: duplicate id (ask by order id), internal timeout,
# internal errors, "lock not obtained", rate limit.
DOUBTFUL_CODES: Final = frozenset({"1002", "1408", "2408", "3408", "3503"})
DOUBTFUL_STATUSES: Final = frozenset({408, 429})
# What a yes may say of the payment (§2.3, §1.4; §2.4). Whatever else it says, check is asked.
AFTER_CONFIRM: Final = frozenset({"", "CONFIRMED", "AUTHORIZED"})
AFTER_CANCEL: Final = frozenset({"", "CANCELLED", "REFUNDED", "REVERSED"})
OK: Final = 200
# Doubtful as they are, these are answers of a gateway that works.
UNTROUBLED_CODES: Final = frozenset({"1002", "3503"})
CLIENT_ERRORS: Final = range(400, 500)
REASON_CHARS_MAX: Final = 200
PAYMENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")
ADDRESS_CHARS_MAX: Final = 2048


class ToleuBar:
    def __init__(
        self,
        base_url: str,
        *,
        team_slug: str,
        password: str,
        public_url: str | None = None,
        wire: Wire | None = None,
    ) -> None:
        """`public_url`: the gateway as browsers reach it, where that differs from `base_url`."""
        self._who = tokens.Merchant(team_slug, password)
        self._public = (public_url or base_url).rstrip("/")
        self._wire = wire or HttpWire(base_url)

    async def close(self) -> None:
        await self._wire.close()

    def form_url(self, payment_id: str) -> str:
        return f"{self._public}{FORM}{payment_id}"

    def away_s(self, call: Call) -> float:  # noqa: ARG002  # see CarefulGateway
        return 0.0

    def is_slow(self, call: Call) -> bool:  # noqa: ARG002  # see CarefulGateway
        return False

    async def init(
        self, *, order_id: str, amount: int, description: str, expiry_min: int, urls: ReturnUrls
    ) -> Offered | Refused | Unknown:
        """Open a payment under our order id, which is unique at the gateway for ever."""
        assert AMOUNT_MIN <= amount <= AMOUNT_MAX
        answer = await self._call(
            INIT,
            {
                "teamSlug": self._who.team_slug,
                "token": tokens.init(self._who, amount, CURRENCY, order_id),
                "amount": amount,
                "orderId": order_id,
                "currency": CURRENCY,
                "payType": "T",
                "description": description[:140],
                "language": "ru",
                "successURL": urls.success,
                "failURL": urls.fail,
                "notificationURL": urls.notification,
                "paymentExpiry": expiry_min,
            },
        )
        if not isinstance(answer, dict):
            return answer
        payment_id = answer.get("paymentId")
        if not isinstance(payment_id, str) or not PAYMENT_ID.fullmatch(payment_id):
            return Unknown("init answered without a payment id")
        if _is_other(answer, orderId=order_id, amount=amount, currency=CURRENCY):
            return Unknown("init answered about another order or sum")
        url = answer.get("paymentURL")
        return Offered(payment_id, url if _is_address(url) else self.form_url(payment_id))

    async def check(self, *, payment_id: str | None, order_id: str) -> Found | Refused | Unknown:
        """By payment id where we have one, else by our order id."""
        by = {"paymentId": payment_id} if payment_id else {"orderId": order_id}
        token = tokens.check(self._who, payment_id=payment_id, order_id=order_id)
        answer = await self._call(CHECK, {"teamSlug": self._who.team_slug, "token": token, **by})
        if not isinstance(answer, dict):
            return answer
        try:
            told = msgspec.convert(answer, _CheckAnswer).payments[0]
        except (msgspec.ValidationError, IndexError) as error:
            return Unknown(f"check answered oddly: {error}"[:REASON_CHARS_MAX])
        if told.amount % 1 or not PAYMENT_ID.fullmatch(told.paymentId):
            return Unknown("check answered oddly: an amount or a payment id that cannot be")
        if payment_id not in (None, told.paymentId):
            return Unknown("check answered about another payment")
        if told.currency not in (None, CURRENCY):
            return Unknown("check answered about other money")
        return Found(told.paymentId, told.orderId, told.status, int(told.amount))

    async def confirm(
        self, *, payment_id: str, amount: int, key: str
    ) -> Accepted | Refused | Unknown:
        """Take the money that was authorised: the whole of it, at once."""
        named = amount if amount <= AMOUNT_NAMED_MAX else None
        body: dict[str, Any] = {
            "teamSlug": self._who.team_slug,
            "token": tokens.confirm(self._who, payment_id, named),
            "paymentId": payment_id,
            "data": {"idempotencyKey": key},
        }
        if named is not None:
            body["amount"] = named
        return _accepted(await self._call(CONFIRM, body), payment_id, AFTER_CONFIRM)

    async def cancel(
        self, *, payment_id: str, reason: str, key: str
    ) -> Accepted | Refused | Unknown:
        """Cancel, reverse or refund, whichever its state asks for: always the whole amount."""
        body = {
            "teamSlug": self._who.team_slug,
            "token": tokens.cancel(self._who, payment_id),
            "paymentId": payment_id,
            "reason": reason[:255],
            "data": {"externalRequestId": key},
        }
        return _accepted(await self._call(CANCEL, body), payment_id, AFTER_CANCEL)

    async def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any] | Refused | Unknown:
        """The answer of a call that succeeded, or which kind of failure it was."""
        try:
            answer = await self._wire.post(path, msgspec.json.encode(body))
        except WireError as error:
            log.warning("gateway silent", call=path, error=str(error))
            return Unknown(str(error)[:REASON_CHARS_MAX])
        outcome = _sort(answer)
        if not isinstance(outcome, dict):
            log.warning("gateway", call=path, status=answer.status, outcome=repr(outcome))
        return outcome


class _Told(msgspec.Struct):
    paymentId: str  # noqa: N815  # the gateway's spelling
    orderId: str  # noqa: N815
    status: str
    amount: float
    currency: str | None = None


class _CheckAnswer(msgspec.Struct):
    payments: list[_Told]


def _sort(answer: Answer) -> dict[str, Any] | Refused | Unknown:
    """§9: three shapes of errors, and the doubtful ones among them."""
    try:
        told = msgspec.json.decode(answer.content)
    except UNREADABLE:
        told = None
    told = told if isinstance(told, dict) else {}
    code = str(told.get("errorCode") or f"http-{answer.status}")
    message = str(told.get("message") or told.get("title") or "")[:REASON_CHARS_MAX]
    if answer.status == OK and told.get("success") is True:
        return told
    is_clear = answer.status in CLIENT_ERRORS and answer.status not in DOUBTFUL_STATUSES
    if is_clear and code not in DOUBTFUL_CODES:
        return Refused(code, message)
    return Unknown(f"{answer.status} {code} {message}", is_trouble=code not in UNTROUBLED_CODES)


def _is_other(answer: dict[str, Any], **ours: str | int) -> bool:
    """Whether it names something else; what it leaves out (§2.1: null) it does not name."""
    return any(answer.get(name) not in (None, value) for name, value in ours.items())


def _is_address(url: Any) -> TypeGuard[str]:
    """Where a browser may be sent."""
    if not isinstance(url, str) or len(url) > ADDRESS_CHARS_MAX or not url.isascii():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()


def _accepted(
    answer: dict[str, Any] | Refused | Unknown, payment_id: str, after: frozenset[str]
) -> Accepted | Refused | Unknown:
    if not isinstance(answer, dict):
        return answer
    if _is_other(answer, paymentId=payment_id):
        return Unknown("answered about another payment")
    status = str(answer.get("status") or "")
    if status not in after:
        return Unknown(f"done, and yet {status}"[:REASON_CHARS_MAX])
    return Accepted(status)
