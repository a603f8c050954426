"""How the machines of this folder are run: drawn lives, each step compared with what a plain model
says. `HYPOTHESIS_EXAMPLES` asks for more lives; `HYPOTHESIS_SEED` repeats a run, and one that fails
says its own.
"""

import os
from random import SystemRandom

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

SEED = int(os.environ.get("HYPOTHESIS_SEED") or SystemRandom().randrange(2**32))


def run_lives(machine: type[RuleBasedStateMachine], *, count: int, steps: int) -> None:
    try:
        run_state_machine_as_test(
            hypothesis.seed(SEED)(machine),
            settings=settings(
                max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", count)),
                stateful_step_count=steps,
                deadline=None,
                database=None,
                # Shrinking on real engines takes minutes: add Phase.shrink to debug.
                phases=[Phase.generate],
                print_blob=True,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except BaseException as error:
        error.add_note(f"HYPOTHESIS_SEED={SEED} repeats this")
        raise
