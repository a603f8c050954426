"""What must hold of a shop whatever broke: read from PostgreSQL, Redis and the gateway's books, and
told as sentences, none of them when every promise is kept.

`always` may be asked at any moment, `at_rest` when nothing is left to do.
"""

from collections import Counter
from typing import Any

import asyncpg

from sales.ledger import Ledger

TWO_OWNERS = """
SELECT event_id, seat FROM ticket WHERE state <> 'returned' GROUP BY 1, 2 HAVING count(*) > 1
"""
TICKETS_WITHOUT_CLAIM = """
SELECT t.order_id, t.seat FROM ticket t WHERE t.state <> 'returned' AND NOT EXISTS (
    SELECT FROM seat_claim c
     WHERE c.event_id = t.event_id AND c.seat = t.seat AND c.order_id = t.order_id AND c.sold)
"""
SOLD_WITHOUT_TICKET = """
SELECT c.order_id, c.seat FROM seat_claim c WHERE c.sold AND NOT EXISTS (
    SELECT FROM ticket t WHERE t.event_id = c.event_id AND t.seat = c.seat
       AND t.order_id = c.order_id AND t.state <> 'returned')
"""
CLAIMS_OF_THE_ENDED = """
SELECT c.order_id, c.seat, o.state FROM seat_claim c LEFT JOIN orders o ON o.id = c.order_id
 WHERE NOT c.sold AND coalesce(o.state, '') <> 'pending'
"""
PAID_WITHOUT_TICKETS = """
SELECT o.id FROM orders o WHERE o.state = 'paid'
   AND (SELECT count(*) FROM order_line l WHERE l.order_id = o.id)
    <> (SELECT count(*) FROM ticket t WHERE t.order_id = o.id)
"""
TICKETS_WITHOUT_MONEY = """
SELECT t.order_id FROM ticket t WHERE NOT EXISTS (
    SELECT FROM payment p WHERE p.order_id = t.order_id AND p.state IN ('captured', 'refunded'))
"""
CAPTURED_TWICE = """
SELECT order_id FROM payment WHERE state = 'captured' GROUP BY order_id HAVING count(*) > 1
"""
UNFINISHED = "SELECT id, state FROM orders WHERE state IN ('open', 'pending')"
UNSETTLED = """
SELECT id, state FROM payment WHERE state IN ('started', 'offered', 'unknown', 'authorised')
"""
UNRETURNED = "SELECT id, state FROM refund WHERE state IN ('asked', 'sent')"
# What has not gone back through the gateway is owed to the buyer by hand, or kept as a fee.
OWED = """
SELECT order_id, sum(amount + fee)::bigint AS owed FROM refund WHERE state <> 'done' GROUP BY 1
"""
LEFT_TO_DO = "SELECT kind, subject_id, parked_at IS NOT NULL AS parked, last_error FROM notice"
PAYMENTS = "SELECT gateway_order_id, amount, state, order_id FROM payment"
VALID_WORTH = """
SELECT order_id, sum(price)::bigint AS worth FROM ticket WHERE state <> 'returned' GROUP BY 1
"""
CLAIMS = "SELECT seat, sold FROM seat_claim WHERE event_id = $1"
ALWAYS = {
    "a seat has two owners": TWO_OWNERS,
    "a ticket without its claim": TICKETS_WITHOUT_CLAIM,
    "a seat sold without a ticket": SOLD_WITHOUT_TICKET,
    "a claim of an order that is not pending": CLAIMS_OF_THE_ENDED,
    "a paid order without all its tickets": PAID_WITHOUT_TICKETS,
    "tickets nobody paid for": TICKETS_WITHOUT_MONEY,
    "an order was paid twice": CAPTURED_TWICE,
}
AT_REST = {
    "an order is not final": UNFINISHED,
    "a payment is not final": UNSETTLED,
    "a refund is not final": UNRETURNED,
    "something is left to do": LEFT_TO_DO,
}
ACTS = frozenset({"confirm", "cancel"})
Books = list[dict[str, Any]]


async def always(db: asyncpg.Pool, books: Books) -> list[str]:
    broken = await _ask(db, ALWAYS)
    ours = {row["gateway_order_id"]: row for row in await db.fetch(PAYMENTS)}
    for payment in books:
        broken += _acts(payment)
        known = ours.get(payment["orderId"])
        if known is not None and known["amount"] != payment["amount"]:
            broken.append(f"the gateway took another sum: {payment['orderId']}")
        # Ours follows what was taken; before it says so it must have been taken.
    taken = {payment["orderId"] for payment in books if payment["captured"]}
    broken += [
        f"captured here and not there: {name}"
        for name, row in ours.items()
        if row["state"] == "captured" and name not in taken
    ]
    broken += [f"the ledger: {difference}" for difference in await Ledger(db).check()]
    balances = await Ledger(db).balances()
    if sum(balances.values()):
        broken.append(f"the ledger does not sum to zero: {balances}")
    return broken


async def at_rest(db: asyncpg.Pool, redis: Any, books: Books, event_id: int) -> list[str]:
    broken = await always(db, books) + await _ask(db, AT_REST)
    broken += await _money(db, books)
    return broken + await _seats(db, redis, event_id)


async def _money(db: asyncpg.Pool, books: Books) -> list[str]:
    """What the gateway keeps is what tickets are worth and what is still owed, order by order; and
    nothing is reserved.
    """
    due: Counter[int] = Counter()
    for question in (VALID_WORTH, OWED):
        for order_id, amount in await db.fetch(question):
            due[order_id] += amount
    orders = {row["gateway_order_id"]: row["order_id"] for row in await db.fetch(PAYMENTS)}
    kept: Counter[int] = Counter()
    broken = []
    for payment in books:
        name = payment["orderId"]
        if name not in orders:
            broken.append(f"a payment that we know nothing of: {name}")
            continue
        kept[orders[name]] += payment["captured"] - payment["refunded"]
        if payment["status"] in {"AUTHORIZED", "FORM_SHOWED", "NEW"} and not payment["captured"]:
            broken.append(f"{payment['status']} for ever: {name}")
    return broken + [
        f"order {order_id}: the gateway keeps {kept[order_id]}, and it is worth {due[order_id]}"
        for order_id in sorted(due.keys() | kept.keys())
        if due[order_id] != kept[order_id]
    ]


async def _seats(db: asyncpg.Pool, redis: Any, event_id: int) -> list[str]:
    """Redis shows what PostgreSQL has decided, and nobody holds anything."""
    broken = []
    holds = await redis.hgetall(f"holds:{{{event_id}}}")
    if holds:
        broken.append(f"a hold is not gone: {holds}")
    claims = {row["seat"]: row["sold"] for row in await db.fetch(CLAIMS, event_id)}
    shown = ((await redis.get(f"seats:{{{event_id}}}")) or b"").decode()
    expected = "".join("S" if claims.get(seat) else "F" for seat in range(len(shown)))
    if shown != expected:
        broken.append(f"Redis shows {shown}, and PostgreSQL says {expected}")
    return broken


def _acts(payment: dict[str, Any]) -> list[str]:
    """Whatever moves money was carried out once."""
    moves = Counter(line["status"] for line in payment["history"] if line["cause"] in ACTS)
    # The faithful gateway says yes to a confirm as often as it is asked, and nothing moves.
    return [
        f"{payment['orderId']}: {count} times {status}"
        for status, count in moves.items()
        if count > 1 and status != "AUTHORIZED"
    ]


async def _ask(db: asyncpg.Pool, questions: dict[str, str]) -> list[str]:
    return [
        f"{promise}: {dict(row)}"
        for promise, question in questions.items()
        for row in await db.fetch(question)
    ]
