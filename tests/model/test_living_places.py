"""Silent leavers, a dead block, stale signs of life, absent ones who return and a change of rate,
all in three virtual minutes on real Redis: the gate stays supplied, as design and page promise.
"""

from biletter.engines.launch import Engine
from biletter.simulation.run import RULES, simulate
from biletter.simulation.scenarios import SHORT


async def test_absent_people_cost_the_line_nothing(rooms_engine: Engine):
    told = await simulate(rooms_engine.url, SHORT, RULES["living places"], seed=7)
    assert told.mean >= 0.98
    assert told.worst >= 0.90
    assert told.best <= 1.02
    assert told.lost == 0


async def test_the_simple_rule_does_worse_and_the_same_seed_says_the_same(rooms_engine: Engine):
    small = SHORT.scaled(seconds=75, crowd=1500)
    first = await simulate(rooms_engine.url, small, RULES["by rate"], seed=7)
    assert first == await simulate(rooms_engine.url, small, RULES["by rate"], seed=7)
    assert first.mean < 0.9
