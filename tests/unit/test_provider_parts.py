"""The partner's stand-in inside: its calls are the contract's, its pages cost no sorting, and its
ceiling holds.
"""

import re
from random import Random

from sandbox.provider.consumer import Consumer
from sandbox.provider.outbox import Outbox
from sandbox.provider.records import Records
from sandbox.provider.switchboard import Switchboard
from sandbox.provider.web.acts import CALLS
from tests.web.provider_shapes import CONTRACT


def test_the_calls_are_the_contracts():
    theirs = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, calls in CONTRACT["paths"].items()
        for method in calls
        if method != "parameters"
    }
    assert set(CALLS) == theirs


def test_a_deep_page_costs_no_sorting(tmp_path):
    records = Records(tmp_path / "records.sqlite")
    query = "SELECT id, row, seat, shown_free FROM place WHERE hall = 1 AND shown = 1"
    plan = records._db.execute(
        f"EXPLAIN QUERY PLAN {query} ORDER BY row, seat, seq LIMIT 1000 OFFSET 99000"
    ).fetchall()
    told = " ".join(row["detail"] for row in plan)
    assert "place_listed" in told
    assert "B-TREE" not in told
    records.close()


def test_under_a_ceiling_low_revisions_go_first_and_no_more_than_it_allows(tmp_path, clock):
    records = Records(tmp_path / "records.sqlite")
    switchboard = Switchboard(records, Random(1))
    switchboard.change({"event_rate": 100, "lag_min_s": 0, "lag_max_s": 0})
    outbox = Outbox(records, switchboard, clock)
    consumer = Consumer(records, outbox, switchboard, clock)
    for number in range(60):
        revision = 2 if number % 2 else 1
        records.add_places([(str(number), 1, revision, number)], shown=False)
        outbox.post_place(1, str(number), revision, "created")
    carried = consumer.step()
    assert carried == 1
    for _ in range(40):
        clock.advance(0.01)
        carried += consumer.step()
    # A hundred a second, and one for the beginning.
    assert 40 <= carried <= 42
    shown = records.shown_places(1, 1000, 0)
    assert [row["row"] for row in shown].count(1) == 30
    clock.advance(60)
    # Nothing is banked but a moment's worth.
    assert consumer.step() == 5
    records.close()
