"""Request tokens: plain SHA-256 over named values in ordinal order of their names, no separators.

Only Amount, Currency, OrderId, PaymentId, TeamSlug and the secret Password take part, plus any
query parameter of the address. `Amount` is the decimal as written: 20000000 and 20000000.00 give
different tokens.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct

NO_QUERY: Mapping[str, str] = {}


class Credentials(Struct, frozen=True):
    team_slug: str
    password: str


def accepts(given: str, tokens: Iterable[str]) -> bool:
    """Case-sensitive, without an early exit."""
    presented = given.encode()
    return sum(compare_digest(presented, token.encode()) for token in tokens) > 0


def init_tokens(
    who: Credentials, *, amount: str, currency: str, order_id: str, query: Mapping[str, str]
) -> tuple[str, ...]:
    values = {"Amount": amount, "Currency": currency, "OrderId": order_id}
    return (_ordered(who, values, query),)


def check_tokens(
    who: Credentials, *, payment_id: str | None, order_id: str | None, query: Mapping[str, str]
) -> tuple[str, ...]:
    """With a payment id, whether or not the order id is sent too, the id comes first: the one
    exception from the order of names.
    """
    if payment_id is not None:
        return (_id_first(who, payment_id, query),)
    assert order_id is not None
    return (_ordered(who, {"OrderId": order_id}, query),)


def confirm_tokens(
    who: Credentials, *, payment_id: str, amount: str | None, query: Mapping[str, str]
) -> tuple[str, ...]:
    """The guide, its author's script and the service's own rule disagree; all three are good."""
    values = {"PaymentId": payment_id} | ({"Amount": amount} if amount is not None else {})
    by_rule = _ordered(who, values, query)
    if query:
        return (by_rule,)
    before = amount or ""
    by_guide = _seal(before, payment_id, who.team_slug, who.password)
    by_script = _seal(before, payment_id, who.password, who.team_slug)
    return (by_rule, by_guide, by_script)


def cancel_tokens(
    who: Credentials, *, payment_id: str, amount: str | None, query: Mapping[str, str]
) -> tuple[str, ...]:
    if amount is None:
        return (_id_first(who, payment_id, query),)
    return (_ordered(who, {"Amount": amount, "PaymentId": payment_id}, query),)


def _id_first(who: Credentials, payment_id: str, query: Mapping[str, str]) -> str:
    return _seal(payment_id, *_in_order(who, {}, query))


def _ordered(who: Credentials, values: Mapping[str, str], query: Mapping[str, str]) -> str:
    return _seal(*_in_order(who, values, query))


def _in_order(
    who: Credentials, values: Mapping[str, str], query: Mapping[str, str]
) -> Iterable[str]:
    named = {**query, **values, "Password": who.password, "TeamSlug": who.team_slug}
    return (named[name] for name in sorted(named))


def _seal(*values: str) -> str:
    return sha256("".join(values).encode()).hexdigest()
