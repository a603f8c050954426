"""Where the gateway sends the browser when it is done with it, and its webhooks."""

import msgspec

from sales.gateway import ReturnUrls
from sales.payment import Attempt


class Addresses(msgspec.Struct, frozen=True):
    """Where the gateway sends browsers and webhooks. `{base}` is where the buyer came from."""

    # Absolute; the gateway calls it from its own host.
    notification: str
    web: str = "{base}/orders/{order_id}/return?outcome={outcome}"
    # The contract's own return addresses (§4.9 of the sales contract).
    api: str = "{base}/api/payments/{outcome}?orderId={order_id}"

    def of(self, attempt: Attempt) -> ReturnUrls:
        pattern = self.api if attempt.order.channel == "api" else self.web
        base, order_id = attempt.payment.return_base, attempt.order.id
        success, fail = (
            pattern.format(base=base, order_id=order_id, outcome=outcome)
            for outcome in ("success", "fail")
        )
        return ReturnUrls(success, fail, self.notification)
