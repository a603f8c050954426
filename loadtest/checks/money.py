"""The gateway's books beside ours: what it took is what tickets are worth and what is owed."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx

from loadtest.checks.report import Report

LAST_RESET = "SELECT max(at) FROM audit WHERE action = 'sales.reset'"
OURS = """
SELECT p.gateway_order_id, p.order_id, p.amount, p.state IN ('captured', 'refunded') AS taken,
       p.state = 'reversed' OR EXISTS (SELECT FROM refund r
         WHERE r.payment_id = p.id AND r.state = 'done' AND r.amount > 0) AS given_back,
       (SELECT coalesce(sum(e.amount), 0)::bigint
          FROM ledger_posting g JOIN ledger_entry e ON e.posting_id = g.id
         WHERE g.payment_id = p.id AND e.account = 'gateway') AS told
  FROM payment p
"""
# By order: what is out, and what is owed by hand or kept as a fee.
WORTH = """
SELECT order_id, sum(tiyn)::bigint AS tiyn FROM (
  SELECT order_id, price AS tiyn FROM ticket WHERE state <> 'returned'
  UNION ALL
  SELECT order_id, amount + fee FROM refund WHERE state <> 'done') AS due
 GROUP BY order_id
"""
# A reset brings every balance to zero: this is what stands since.
LEDGER = "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE account = 'gateway'"
UNTAKEN = frozenset({"NEW", "FORM_SHOWED", "AUTHORIZED"})
MOVES = frozenset({"confirm", "cancel"})
Payment = dict[str, Any]


async def check_money(report: Report, db: Any, books_url: str, *, at_rest: bool) -> None:
    # A reset forgets what was sold before it, and lets the gateway keep its books.
    since = await db.fetchval(LAST_RESET)
    theirs = {one["orderId"]: one async for one in read_books(books_url, since)}
    ours = {row["gateway_order_id"]: row for row in await db.fetch(OURS)}
    taken = {name for name, one in theirs.items() if one["captured"]}
    said = {name for name, row in ours.items() if row["taken"]}
    report.none_of("captures of ours unknown to the gateway", len(said - taken))
    both = theirs.keys() & ours.keys()
    differing = sum(theirs[name]["amount"] != ours[name]["amount"] for name in both)
    report.none_of("payments with differing amounts", differing)
    report.none_of("payments moved twice at the gateway", sum(map(moved_twice, theirs.values())))
    if at_rest:
        report.none_of("captures at the gateway unknown to us", len(taken - said))
        waiting = sum(one["status"] in UNTAKEN and not one["captured"] for one in theirs.values())
        report.none_of("payments left open or reserved at the gateway", waiting)
        check_given_back(report, theirs, ours)
        await check_worth(report, db, theirs, ours)
    kept = sum(one["captured"] - one["refunded"] for one in theirs.values())
    report.add("money at the gateway, tenge", kept // 100, kept=True)


def check_given_back(report: Report, theirs: dict[str, Payment], ours: dict[str, Any]) -> None:
    """Each refund once, here as there, and the ledger payment by payment."""
    given = {name for name, one in theirs.items() if one["refunded"]}
    said = {name for name, row in ours.items() if row["given_back"]}
    # Money that was only reserved went back without ever having come.
    owed = {name for name in said if theirs.get(name, {}).get("captured")}
    report.none_of("refunds of ours that the gateway did not make", len(owed - given))
    report.none_of("refunds at the gateway unknown to us", len(given - said))
    twice = sum(
        one["acts"].get("cancel", 0) > 1 or one["refunded"] > one["captured"]
        for one in theirs.values()
    )
    report.none_of("refunds made twice, or of more than was taken", twice)
    otherwise = sum(
        theirs[name]["captured"] - theirs[name]["refunded"] != row["told"]
        for name, row in ours.items()
        if name in theirs
    )
    report.none_of("payments of which the ledger tells otherwise", otherwise)


async def check_worth(
    report: Report, db: Any, theirs: dict[str, Payment], ours: dict[str, Any]
) -> None:
    """Nobody paid for nothing, nobody got something for nothing, nobody got his money twice."""
    kept: Counter[int] = Counter()
    for name in theirs.keys() & ours.keys():
        kept[ours[name]["order_id"]] += theirs[name]["captured"] - theirs[name]["refunded"]
    worth = {row["order_id"]: row["tiyn"] for row in await db.fetch(WORTH)}
    over = [order for order, tiyn in kept.items() if tiyn > worth.get(order, 0)]
    under = [order for order, tiyn in worth.items() if tiyn > kept[order]]
    report.none_of("orders paid and without tickets or refund", len(over))
    report.none_of("orders given back twice, or never paid", len(under))
    balance = await db.fetchval(LEDGER)
    shown = f"{balance // 100} of {sum(kept.values()) // 100}"
    report.add("the ledger's gateway account, tenge", shown, kept=balance == sum(kept.values()))


def moved_twice(payment: Payment) -> bool:
    moves = Counter(line["status"] for line in payment["history"] if line["cause"] in MOVES)
    # The faithful gateway says yes to every confirm, and nothing moves.
    return any(count > 1 for status, count in moves.items() if status != "AUTHORIZED")


async def read_books(books_url: str, since: datetime | None) -> AsyncIterator[Payment]:
    """All that was opened at the gateway since then."""
    after: int | None = 0
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        while after is not None:
            answer = await client.get(books_url, params={"after": after})
            page = answer.raise_for_status().json()
            for one in page["payments"]:
                if since is None or datetime.fromisoformat(one["createdAt"]) > since:
                    yield one
            after = page["next"]
