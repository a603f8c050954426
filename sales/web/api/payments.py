"""`/api/payments`: where the gateway sends browsers and webhooks. All of it is hints: the gateway
is asked, and only its answer counts.
"""

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from kernel.web.numbers import digits_in
from sales.orders import Orders
from sales.payments import Payments
from sales.web.api.shapes import (
    Done,
    GatewayNotification,
    OrderIdParameter,
    SignatureHeader,
    refusals,
)
from sales.web.api.strict import strictly


@get(
    "/api/payments/success",
    operation_id="paymentSucceeded",
    tags=["payments"],
    summary="Return address after a successful payment",
    tells_refusals=True,
    before_request=digits_in("orderId"),
    responses=refusals(400, 404),
)
async def payment_succeeded(
    order_id: OrderIdParameter, orders: NamedDependency[Orders], payments: NamedDependency[Payments]
) -> Done:
    """Says only that the hint was taken; the booking shows what came of it."""
    return await _ask_now(order_id, orders, payments)


@get(
    "/api/payments/fail",
    operation_id="paymentFailed",
    tags=["payments"],
    summary="Return address after a failed payment",
    tells_refusals=True,
    before_request=digits_in("orderId"),
    responses=refusals(400, 404),
)
async def payment_failed(
    order_id: OrderIdParameter, orders: NamedDependency[Orders], payments: NamedDependency[Payments]
) -> Done:
    """Anybody can call it, so nothing is cancelled on its word."""
    return await _ask_now(order_id, orders, payments)


@post(
    "/api/payments/notifications",
    operation_id="gatewayNotification",
    short=True,
    tags=["payments"],
    summary="Webhook of the payment gateway",
    status_code=200,
    before_request=strictly(GatewayNotification),
    responses=refusals(400),
)
async def notify(
    request: Request[Any, Any, Any],
    data: JSONBody[GatewayNotification],
    payments: NamedDependency[Payments],
    signature: SignatureHeader = None,
) -> Done:
    """Repeated, late, reordered and unknown ones are answered alike, and quickly."""
    del data  # checked for its shape; the signature is over the raw body
    await payments.notification(await request.body(), signature)
    return Done()


async def _ask_now(order_id: int, orders: Orders, payments: Payments) -> Done:
    order = await orders.get(order_id)
    await payments.hurry(order.id)
    return Done()
