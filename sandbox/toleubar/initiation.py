"""init: a payment is created for an order, once (contract §2.1)."""

from decimal import Decimal
from http import HTTPStatus

from msgspec.structs import replace

from sandbox.toleubar.desk import PAYMENTS, Ask, Desk
from sandbox.toleubar.envelope import Body, success
from sandbox.toleubar.fields import Fields
from sandbox.toleubar.init_request import InitRequest, ItemsWrong, read_init
from sandbox.toleubar.merchant import CURRENCIES, TIYN_PER_UNIT, Profile
from sandbox.toleubar.moments import iso, midnight_ms
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import GatewayRefusal
from sandbox.toleubar.states import Status
from sandbox.toleubar.tokens import init_tokens

AMOUNT_MIN = 1_000
MINUTE_MS = 60_000
# The id's tail is random: 8 999 values a second at first, then more, so that a burst finds room.
ID_TAILS = ((1_000, 9_998),) * 8 + ((10_000_000, 99_999_998),) * 8


class CustomerUnknown(GatewayRefusal):
    """The customer key is not known."""

    status, code = HTTPStatus.BAD_REQUEST, "1003"


class AmountBelow(GatewayRefusal):
    """The amount is below the minimum."""

    status, code = HTTPStatus.BAD_REQUEST, "1004"


class AmountAbove(GatewayRefusal):
    """The amount is above the maximum."""

    status, code = HTTPStatus.BAD_REQUEST, "1005"


class CurrencyRefused(GatewayRefusal):
    """The currency is not supported."""

    status, code = HTTPStatus.BAD_REQUEST, "1006"


class DailyLimitReached(GatewayRefusal):
    """The merchant's daily limit is reached."""

    status, code = HTTPStatus.PAYMENT_REQUIRED, "1007"


class OrderTaken(GatewayRefusal):
    """A payment with this order id exists already."""

    status, code = HTTPStatus.CONFLICT, "1002"


class IdCollision(GatewayRefusal):
    """Internal error."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "9999"


def init(desk: Desk, fields: Fields, ask: Ask) -> Body:
    request = read_init(fields)
    _verify(desk, request, ask)
    known = desk.books.find_order(request.team_slug, request.order_id)
    payment = _payment(desk, request)
    if known is not None:
        if desk.manners.repeats_init and known.is_same_order(payment):
            return _answer(desk, known, request, ask)
        raise OrderTaken
    _weigh(desk, request)
    added = _add(desk, payment)
    PAYMENTS.labels(Status.NEW).inc()
    if desk.manners.announces_new:
        desk.tell(added)
    return _answer(desk, added, request, ask)


def _verify(desk: Desk, request: InitRequest, ask: Ask) -> None:
    tokens = init_tokens(
        desk.who,
        amount=format(request.amount, "f"),
        currency=request.currency,
        order_id=request.order_id,
        query=ask.query,
    )
    desk.verify(request.team_slug, request.token, tokens)


def _weigh(desk: Desk, request: InitRequest) -> None:
    """The rules that come after the token: customer, currency, amount, items, daily limit."""
    profile = desk.merchant.profile
    if request.customer_key is not None:
        raise CustomerUnknown
    if request.currency not in CURRENCIES or request.currency not in profile.supported_currencies:
        raise CurrencyRefused
    if request.amount < max(AMOUNT_MIN, TIYN_PER_UNIT * (profile.min_payment_amount or 0)):
        raise AmountBelow
    high = profile.max_payment_amount
    if high is not None and request.amount > TIYN_PER_UNIT * high:
        raise AmountAbove
    if request.items_amount is not None and abs(request.items_amount - request.amount) > 1:
        raise ItemsWrong
    _weigh_day(desk, profile, request.amount)


def _weigh_day(desk: Desk, profile: Profile, amount: Decimal) -> None:
    if profile.daily_payment_limit is None and profile.daily_transaction_limit is None:
        return
    count, total = desk.books.since(midnight_ms(desk.today()))
    limit = profile.daily_payment_limit
    if limit is not None and total + amount > TIYN_PER_UNIT * limit:
        raise DailyLimitReached
    count_max = profile.daily_transaction_limit
    if count_max is not None and count >= count_max:
        raise DailyLimitReached


def _payment(desk: Desk, request: InitRequest) -> Payment:
    now_ms = desk.clock.ms()
    return Payment(
        payment_id="",
        team_slug=request.team_slug,
        order_id=request.order_id,
        amount=request.amount,
        currency=request.currency,
        status=Status.NEW,
        reason="init",
        pay_type=request.pay_type,
        description=request.description,
        success_url=request.success_url,
        fail_url=request.fail_url,
        notification_url=request.notification_url,
        created_ms=now_ms,
        updated_ms=now_ms,
        expires_ms=now_ms + request.expiry_minutes * MINUTE_MS,
    )


def _add(desk: Desk, payment: Payment) -> Payment:
    """Under an id that is free. The faithful gateway draws once, and fails when it is taken."""
    if desk.switchboard.strikes("id_collision"):
        raise IdCollision
    tails = ID_TAILS if desk.manners.draws_id_again else ID_TAILS[:1]
    for low, high in tails:
        payment_id = f"{payment.created_ms // 1000}{desk.chance.randint(low, high)}"
        named = replace(payment, payment_id=payment_id)
        if desk.books.add(named):
            return named
    raise IdCollision


def _answer(desk: Desk, payment: Payment, request: InitRequest, ask: Ask) -> Body:
    """The same for the first call and for its repetitions."""
    dated = desk.manners.tells_dates_at_init
    return success(
        payment.created_ms,
        request.correlation_id,
        paymentId=payment.payment_id,
        orderId=payment.order_id,
        status=Status.NEW,
        amount=payment.amount,
        currency=payment.currency if dated else None,
        paymentURL=f"{ask.base}/api/v1/paymentform/render/{payment.payment_id}",
        expiresAt=iso(payment.expires_ms) if dated else None,
        createdAt=iso(payment.created_ms) if dated else None,
        details={
            "description": payment.description,
            "payType": payment.pay_type,
            "successURL": payment.success_url,
            "failURL": payment.fail_url,
            "notificationURL": payment.notification_url,
        },
    )
