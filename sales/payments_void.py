"""Payments whose orders a reset has dropped: whatever the gateway holds for them is let go.

The payment's row is gone, so everything stands in the notice. A sum that was only authorised is
reversed, one that was captured in the last moment is refunded; nobody pays for nothing.
"""

from typing import Any

import structlog

from kernel.clock import Clock
from sales.gateway import Accepted, Found, Gateway, Refused
from sales.outbox import Again, Notice, PermanentError
from sales.payments_steps import GIVE_UP_S, INIT_OVER_S, NEW, NOT_THERE, PAID, WATCH_S

VOID = "payment.void"
# A card is being looked at right now, or the gateway is silent.
AGAIN_S = 5.0
log = structlog.get_logger()


def payload_of(gateway_order_id: str, gateway_payment_id: str | None) -> dict[str, Any]:
    return {"gateway_order_id": gateway_order_id, "gateway_payment_id": gateway_payment_id}


class Voids:
    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock

    async def void(self, notice: Notice) -> Again | None:
        """For the outbox; may run twice. Raises PermanentError for what staff must look at."""
        age_s = (self._clock.now() - notice.created_at).total_seconds()
        again = await self._ask(notice.payload, age_s)
        # The gateway is asked first: it may have been away for all of the time until now.
        if again is not None and age_s > WATCH_S:
            raise PermanentError("the gateway did not let go of it within a day")
        return again

    async def _ask(self, told: dict[str, Any], age_s: float) -> Again | None:
        payment_id, order_id = told["gateway_payment_id"], told["gateway_order_id"]
        found = await self._gateway.check(payment_id=payment_id, order_id=order_id)
        if isinstance(found, Refused) and found.code == NOT_THERE:
            # An init that was under way during the reset may still arrive.
            return Again(AGAIN_S) if age_s < INIT_OVER_S else None
        if not isinstance(found, Found):
            return Again(min(AGAIN_S + age_s, GIVE_UP_S))
        if found.status not in NEW | PAID:
            is_over = found.status not in {"FORM_SHOWED", "AUTHORIZING", "PROCESSING"}
            return None if is_over else Again(AGAIN_S)
        answer = await self._gateway.cancel(
            payment_id=found.payment_id, reason="sales were reset", key=f"void-{order_id}"
        )
        if isinstance(answer, Accepted):
            log.info("payment let go after a reset", order=order_id, was=found.status)
            return None
        if isinstance(answer, Refused) and found.status in PAID:
            raise PermanentError(f"the gateway refused to give back {order_id}: {answer}")
        return Again(AGAIN_S)
