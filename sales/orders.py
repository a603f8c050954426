"""Orders: from the empty envelope that names a hold to the paid order, or its end.

`open` is an envelope whose seats are held in Redis only. `place` makes it a promise: one
PostgreSQL transaction writes lines, claims, the payment attempt and the notices; only then is
the gateway spoken to. Every verb can be repeated, and continues where a killed one stopped.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from kernel.errors import Forbidden, NotFound, Refusal

Channel = Literal["web", "api", "box_office"]
# Newest first; nobody reads further, and the contract's machine clients make about a thousand.
OF_ACCOUNT_MAX = 1_500


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


class OrderEmpty(Refusal):
    """В заказе нет мест: выберите места и попробуйте ещё раз."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "order-empty"


class SeatsLost(Refusal):
    """Одно из мест уже занято. Выберите, пожалуйста, другие."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "seat-taken"


class AmountTooSmall(Refusal):
    """Такую маленькую сумму платёжная система не принимает."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "amount-too-small"


class AmountTooLarge(Refusal):
    """Один заказ не может стоить больше 21 474 836 тенге. Разделите его на несколько."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "amount-too-large"


class SaleClosed(Refusal):
    """Продажа билетов на это мероприятие закрыта."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "sale-closed"


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


class Orders(Protocol):
    """What pages and API call; being built, the class of this name will have these verbs."""

    async def open(
        self, account_id: int, event_id: int, channel: Channel, admission_jti: str | None = None
    ) -> Order:
        """A new empty envelope. Raises EventUnknown, SaleClosed."""
        ...

    async def open_or_reuse(
        self, account_id: int, event_id: int, channel: Channel, admission_jti: str | None = None
    ) -> Order:
        """The caller's newest open order of the event, or a new one."""
        ...

    async def get(self, order_id: int) -> Order:
        """Raises OrderUnknown."""
        ...

    async def own(self, order_id: int, account_id: int) -> Order:
        """The order, if it is the caller's. Raises OrderUnknown, NotYourOrder."""
        ...

    async def own_open(self, order_id: int, account_id: int) -> Order:
        """As `own`, and seats may still be added: raises OrderState otherwise."""
        ...

    async def lines(self, order_id: int) -> list[Line]:
        """What was placed, in seat order; empty while open (then see Holds.of_order)."""
        ...

    async def of_account(self, account_id: int, limit: int = OF_ACCOUNT_MAX) -> Sequence[Order]:
        """Newest first."""
        ...

    async def place(self, order_id: int, account_id: int, return_base: str) -> Checkout:
        """Claim the held seats and open a payment. `return_base`: where the browser came from,
        as `http://localhost:8080`. Repeating it while a payment is open gives the same answer.
        Raises OrderUnknown, NotYourOrder, OrderEmpty, OrderPaid, OrderState, SeatsLost,
        AmountTooSmall, AmountTooLarge, and what Holds.freeze raises.
        """
        ...

    async def cancel(self, order_id: int, account_id: int) -> Order:
        """End the order and free its seats. While the gateway's answer is unknown it stays
        `pending` with reason 'buyer', and ends by itself later. Cancelled already: no change.
        Raises OrderUnknown, NotYourOrder, OrderPaid.
        """
        ...
