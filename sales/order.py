"""What an order is, and how its verbs refuse."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from kernel.errors import Forbidden, NotFound, Refusal, TryAgain

Channel = Literal["web", "api", "box_office"]


class OrderUnknown(NotFound):
    """Такого заказа нет."""

    code = "order-unknown"


class NotYourOrder(Forbidden):
    """Это чужой заказ."""

    code = "not-your-order"


class OrderPaid(Refusal):
    """Заказ уже оплачен."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "order-paid"


class AmountTooSmall(Refusal):
    """Такую маленькую сумму платёжная система не принимает."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "amount-too-small"


class AmountTooLarge(Refusal):
    """Один заказ не может стоить больше 21 474 836 тенге. Разделите его на несколько."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "amount-too-large"


class PaymentRefused(Refusal):
    """Платёжная система отказалась принять оплату. Попробуйте оформить заказ ещё раз."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "payment-refused"


class PaymentsAway(TryAgain):
    """Платёжная система сейчас не отвечает. Места за вами, пока идёт время: попробуйте ещё раз."""

    code: ClassVar[str] = "payments-away"


class PaymentUnderWay(Refusal):
    """Оплата уже проходит, отменить её сейчас нельзя. Подождите минуту."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "payment-under-way"


class SaleRestarted(Refusal):
    """Продажа началась заново, откройте мероприятие ещё раз."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "sale-restarted"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`total` in tiyn, 0 while open. `reason` says why it ended: 'buyer', 'declined', 'unpaid',
    'abandoned', 'gateway-refused', …; on a pending order it is a wish to end not yet granted.
    """

    id: int
    account_id: int
    event_id: int
    channel: Channel
    state: str
    reason: str | None
    version: int
    epoch: int
    total: int
    created_at: datetime
    updated_at: datetime
    admission_jti: str | None
    # While pending: until when it may be paid.
    expires_at: datetime | None
    paid_at: datetime | None


class Line(msgspec.Struct, frozen=True):
    """One place of a placed order. `price` in tiyn."""

    seat: int
    zone_no: int
    row_no: int
    seat_no: int
    price: int


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer is told after `place`.

    payment_state `offered`: send the browser to `payment_url`. `started` or `unknown`: we are
    asking the gateway, show the order page and look again. `authorised`: the money is there, the
    tickets are being made. `captured`: paid.
    """

    order_id: int
    payment_id: int
    payment_state: str
    payment_url: str | None
    expires_at: datetime
