"""What is asked by the clock, for ever, finds its few rows by an index of just those, also under a
plan that was made once for any values.
"""

import re
from pathlib import Path

from kernel.sql import load_queries
from sales import orders, reconcile

SALES = load_queries(Path(orders.__file__).parent / "sql")
RECONCILE = load_queries(Path(reconcile.__file__).parent / "sql")
SWEEPS = {
    "close_abandoned": (SALES, "orders_open"),
    "lapse_admissions": (SALES, "admission_due"),
    "take_notices": (SALES, "notice_due"),
    "any_notice_due": (SALES, "notice_due"),
    "list_payouts": (SALES, "refund_queue"),
    "sweep_partner_orders": (SALES, "partner_order_moving"),
    "watch_payments": (RECONCILE, "payment_unsettled"),
    "find_stuck_orders": (RECONCILE, "orders_pending"),
    "find_stuck_refunds": (RECONCILE, "refund_at_the_gateway"),
}


async def test_what_the_clock_asks_for_is_found_by_an_index_of_it(db):
    missed = []
    async with db.acquire() as conn, conn.transaction():
        # The table is empty: only an index that cannot serve is not taken.
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for name, (queries, index) in SWEEPS.items():
            given = max(map(int, re.findall(r"\$(\d+)", queries[name])))
            await conn.execute(f"PREPARE {name} AS {queries[name]}")
            nothing = ", ".join(["NULL"] * given)
            lines = await conn.fetch(f"EXPLAIN EXECUTE {name} ({nothing})")
            plan = "\n".join(line[0] for line in lines)
            if f"using {index} " not in plan and f"on {index} " not in plan:
                missed.append(f"{name}\n{plan}")
    assert not missed, "\n".join(missed)
