"""What a refund is, what it is decided on, and how returning tickets refuses."""

from datetime import datetime
from typing import ClassVar

import msgspec

from kernel.errors import BadInput, NotFound, Refusal
from sales.order import Order
from sales.tickets import Ticket


class OrderUnpaid(Refusal):
    """Этот заказ не оплачен, возвращать нечего."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "order-unpaid"


class RefundTooLate(Refusal):
    """Срок возврата этих билетов прошёл."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "refund-too-late"


class TicketUsed(Refusal):
    """По этому билету уже вошли, вернуть его нельзя."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "ticket-used"


class TicketReturned(Refusal):
    """Часть этих билетов уже возвращена. Выберите из оставшихся."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "ticket-returned"


class TicketUnknown(NotFound):
    """Такого билета в этом заказе нет."""

    code = "ticket-unknown"


class RefundUnknown(NotFound):
    """Такого возврата нет."""

    code = "refund-unknown"


class NoTicketsChosen(BadInput):
    """Не выбрано ни одного билета."""

    code = "no-tickets"


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way back; `amount` and the `fee` that was kept in tiyn. States: see
    sales.states.REFUND. `sent_at`: when the gateway was first told, since it was last asked for;
    `reference`: how staff paid it out.
    """

    id: int
    order_id: int
    payment_id: int
    event_id: int
    account_id: int
    reason: str
    amount: int
    fee: int
    state: str
    version: int
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    last_error: str | None
    reference: str | None


class Paid(msgspec.Struct, frozen=True):
    """The payment whose money goes back: captured, or owed. `amount` in tiyn."""

    id: int
    gateway_order_id: str
    gateway_payment_id: str | None
    amount: int
    state: str = "captured"


class Sheet(msgspec.Struct, frozen=True):
    """What a return is decided on. `late`: ids of tickets whose time to be returned is over, by
    the database's clock. `refunds`: of this payment.
    """

    order: Order
    paid: Paid
    tickets: list[Ticket]
    late: frozenset[int]
    refunds: list[Refund]


class Return(msgspec.Struct, frozen=True):
    """The decision: these tickets come back, `amount` goes to the buyer, `fee` stays (tiyn).
    `state` is where the refund begins; `is_last`: nobody will enter by this order any more.
    """

    tickets: list[Ticket]
    amount: int
    fee: int
    state: str
    is_last: bool

    @property
    def price(self) -> int:
        return self.amount + self.fee
