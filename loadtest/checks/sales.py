"""PostgreSQL: orders, tickets, claims, payments, refunds, notices, ledger."""

from typing import Any

from loadtest.checks.report import Report

# Promise → how many rows break it, at any moment.
ALWAYS = {
    "seats with two valid tickets": """
        SELECT count(*) FROM (SELECT event_id, seat FROM ticket WHERE state <> 'returned'
                              GROUP BY event_id, seat HAVING count(*) > 1) AS doubled""",
    "paid orders without all their tickets": """
        SELECT count(*) FROM orders o WHERE o.state IN ('paid', 'refunded')
           AND (SELECT count(*) FROM order_line l WHERE l.order_id = o.id)
            <> (SELECT count(*) FROM ticket t WHERE t.order_id = o.id)""",
    "captures without a paid order": """
        SELECT count(*) FROM payment p JOIN orders o ON o.id = p.order_id
         WHERE p.state = 'captured' AND o.state NOT IN ('paid', 'refunded')""",
    "orders that were captured twice": """
        SELECT count(*) FROM (SELECT order_id FROM payment WHERE state IN ('captured', 'refunded')
                              GROUP BY order_id HAVING count(*) > 1) AS doubled""",
    "tickets that nobody paid for": """
        SELECT count(*) FROM ticket t WHERE NOT EXISTS (
          SELECT FROM payment p
           WHERE p.order_id = t.order_id AND p.state IN ('captured', 'refunded'))""",
    "tickets without the seat's claim": """
        SELECT count(*) FROM ticket t WHERE t.state <> 'returned' AND NOT EXISTS (
          SELECT FROM seat_claim c
           WHERE c.event_id = t.event_id AND c.seat = t.seat AND c.order_id = t.order_id
             AND c.sold)""",
    "seats sold without a ticket": """
        SELECT count(*) FROM seat_claim c WHERE c.sold AND NOT EXISTS (
          SELECT FROM ticket t
           WHERE t.event_id = c.event_id AND t.seat = c.seat AND t.order_id = c.order_id
             AND t.state <> 'returned')""",
    "claims of orders that ended": """
        SELECT count(*) FROM seat_claim c LEFT JOIN orders o ON o.id = c.order_id
         WHERE o.state IS NULL OR o.state NOT IN ('pending', 'paid')""",
    "places sold outside an allotment": """
        SELECT count(*) FILTER (WHERE outside OR nth > given) FROM (
          SELECT a.zone_no IS NULL OR c.seat <> ALL (coalesce(a.seats, ARRAY[c.seat])) AS outside,
                 a.places AS given, row_number() OVER (PARTITION BY e.id, z.zone_no) AS nth
            FROM event e
            JOIN seat_claim c ON c.event_id = e.id
            LEFT JOIN zone z ON z.event_id = e.id
             AND c.seat BETWEEN z.first_seat AND z.first_seat + z.seat_count - 1
            LEFT JOIN allotment a ON a.event_id = e.id AND a.zone_no = z.zone_no
           WHERE e.ownership = 'allotment') AS claimed""",
    "orders whose total is not their lines'": """
        SELECT count(*) FROM orders o WHERE o.state IN ('paid', 'refunded')
           AND o.total <> (SELECT sum(price) FROM order_line l WHERE l.order_id = o.id)""",
    "tickets returned for another sum than the refund's": """
        SELECT count(*) FROM refund r WHERE r.amount + r.fee <>
           (SELECT coalesce(sum(price), 0) FROM ticket t WHERE t.refund_id = r.id)
           AND EXISTS (SELECT FROM ticket t WHERE t.order_id = r.order_id)""",
    "ledger postings that do not sum to zero": """
        SELECT count(*) FROM (SELECT posting_id FROM ledger_entry
                              GROUP BY posting_id HAVING sum(amount) <> 0) AS crooked""",
    "the ledger's sum, tiyn": "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry",
}
# When everything has had its time.
AT_REST = {
    "orders that are not final": """
        SELECT count(*) FROM orders WHERE state IN ('open', 'pending')""",
    "orders of cancelled events that were not given back": """
        SELECT count(*) FROM orders o JOIN event e ON e.id = o.event_id
         WHERE e.state = 'cancelled' AND o.state NOT IN ('cancelled', 'expired', 'refunded')""",
    "payments that are not final": """
        SELECT count(*) FROM payment
         WHERE state IN ('started', 'offered', 'unknown', 'authorised')""",
    "refunds that are not final, nor in doubt": """
        SELECT count(*) FROM refund WHERE state = 'asked'
            OR state = 'sent' AND sent_at < now() - interval '15 min'""",
    "notices that are overdue": """
        SELECT count(*) FROM notice WHERE parked_at IS NULL AND due_at < now() - interval '5 s'""",
    "notices set aside for staff": "SELECT count(*) FROM notice WHERE parked_at IS NOT NULL",
}
# An answer was lost: whether the money went back is asked again after ten minutes (ADR 29).
DOUBTS = """
    SELECT count(*) FROM refund WHERE state = 'sent' AND sent_at >= now() - interval '15 min'"""
DIFFERENCES = "SELECT count(*) FROM review_item WHERE state = 'open'"


async def check_sales(report: Report, db: Any, *, at_rest: bool) -> None:
    for promise, question in (ALWAYS | (AT_REST if at_rest else {})).items():
        report.none_of(promise, await db.fetchval(question))
    # No promise: staff is told rather than left in the dark.
    report.add("differences shown to staff", await db.fetchval(DIFFERENCES), kept=True)
    if at_rest:
        report.add("refunds in doubt, asked about later", await db.fetchval(DOUBTS), kept=True)
