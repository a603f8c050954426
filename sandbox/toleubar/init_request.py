"""What init may be given: the fields of contract §2.1, read and bounded."""

from decimal import Decimal
from http import HTTPStatus

from msgspec import Struct

from sandbox.toleubar.fields import Fields
from sandbox.toleubar.refusals import GatewayRefusal

AMOUNT_MAX = 2_147_483_647
EXPIRY_MIN, EXPIRY_MAX, EXPIRY_DEFAULT = 1, 43_200, 30
ORDER_ID = r"[A-Za-z0-9_-]+"
ITEMS_MAX = 100


class ItemsWrong(GatewayRefusal):
    """Items do not add up to the amount."""

    status, code = HTTPStatus.BAD_REQUEST, "1100"


class InitRequest(Struct, frozen=True, kw_only=True):
    team_slug: str
    token: str
    amount: Decimal
    order_id: str
    currency: str
    pay_type: str | None
    description: str | None
    customer_key: str | None
    success_url: str | None
    fail_url: str | None
    notification_url: str | None
    expiry_minutes: int
    items_amount: Decimal | None
    correlation_id: str | None


def read_init(fields: Fields) -> InitRequest:
    """Raises FieldsRefused, naming every field that is wrong."""
    amount = fields.number("amount", high=AMOUNT_MAX)
    if amount is None:
        fields.refuse("amount", f"The amount field is required, at most {AMOUNT_MAX}.")
    request = InitRequest(
        team_slug=fields.required("teamSlug", 50),
        token=fields.required("token", 256),
        amount=amount or Decimal(0),
        order_id=fields.required("orderId", 36, ORDER_ID),
        currency=fields.text("currency", 3, r"[A-Za-z]{3}") or "KZT",
        pay_type=fields.text("payType", 1, r"[OT]"),
        description=fields.text("description", 140),
        customer_key=fields.text("customerKey", 36),
        success_url=fields.address("successURL"),
        fail_url=fields.address("failURL"),
        notification_url=fields.address("notificationURL"),
        expiry_minutes=fields.whole("paymentExpiry", EXPIRY_MIN, EXPIRY_MAX, EXPIRY_DEFAULT),
        items_amount=_read_items(fields),
        correlation_id=fields.text("correlationId", 100),
    )
    fields.text("email", 254, r"[^@\s]+@[^@\s]+")
    fields.text("phone", 21, r"\+?[0-9]{7,20}")
    fields.text("language", 2, r"ru|en")
    fields.text("redirectMethod", 4, r"GET|POST")
    fields.text("descriptor", 50)
    fields.close()
    return request


def _read_items(fields: Fields) -> Decimal | None:
    """The sum of the items, each of them price times quantity; None without items."""
    rows = fields.rows("items")
    if len(rows) > ITEMS_MAX:
        fields.refuse("items", f"The field items must have at most {ITEMS_MAX} entries.")
        return None
    total = Decimal(0)
    for row in rows:
        numbers = [row.number(name) for name in ("quantity", "price", "amount")]
        quantity, price, amount = numbers
        if not row.text("name", 100) or quantity is None or price is None or amount is None:
            fields.refuse("items", "Each item needs name, quantity, price and amount.")
            return None
        if abs(quantity * price - amount) > 1:
            raise ItemsWrong("The amount of an item is not its price times its quantity.")
        total += amount
    return total if rows else None
