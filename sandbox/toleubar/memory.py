"""Check answers that may be given again though they are out of date (contract §1.7)."""

from collections import OrderedDict

from sandbox.toleubar.payment import Payment

# Remembered answers while staleness is on; the oldest go first.
REMEMBERED_MAX = 10_000


class Memory:
    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[int, Payment]] = OrderedDict()

    def recall(self, key: str, now_ms: int) -> Payment | None:
        until_ms, payment = self._answers.get(key, (0, None))
        return payment if now_ms < until_ms else None

    def keep(self, key: str, payment: Payment, until_ms: int) -> None:
        self._answers[key] = (until_ms, payment)
        self._answers.move_to_end(key)
        if len(self._answers) > REMEMBERED_MAX:
            self._answers.popitem(last=False)
