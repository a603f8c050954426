"""Abuse at the door: who asks far more often than any visitor needs is refused for a while.

Joins, heartbeats and claims have budgets of their own, so that a storm of one never costs an
honest visitor another; each is counted per subject (account or device) and per neighbourhood of
the network. What is refused for its subject isn't counted against its neighbours.

The budgets are a courtesy, not a lock: they live in this process's memory (a heartbeat must not
cost a trip to Redis), and when the memory is full, newcomers pass and are counted as `overflow`.
What must never be exceeded is the gate's business (lua/claim.lua).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from kernel.clock import Clock
from kernel.counter import PlainCounter
from kernel.errors import Refusal
from kernel.web.networks import Networks

MINUTE_MS = 60_000
# Subjects or neighbourhoods a budget remembers at once, some 100 bytes each.
KEYS_MAX = 500_000
# How long a neighbourhood that met its limit counts as suspect.
SUSPECT_MS = 10 * MINUTE_MS
SUSPECTS_MAX = 10_000

Verb = Literal["join", "heartbeat", "claim"]
DOOR = PlainCounter(
    "room_door", "Calls at the door, by rule and what was done", ["rule", "outcome"]
)


class TooMany(Refusal):
    """Слишком много запросов. Ваше место, если оно есть, сохраняется."""

    status, code = 429, "too-many-requests"


class TooManyJoins(TooMany):
    """Слишком много попыток встать в очередь. Ваше место, если оно есть, сохраняется."""

    code = "too-many-joins"


class TooManyHeartbeats(TooMany):
    """Слишком частые отметки. Ваше место сохраняется."""

    code = "too-many-heartbeats"


class TooManyClaims(TooMany):
    """Слишком много попыток войти. Ваше место сохраняется."""

    code = "too-many-claims"


REFUSALS: Mapping[str, type[TooMany]] = MappingProxyType(
    {"join": TooManyJoins, "heartbeat": TooManyHeartbeats, "claim": TooManyClaims}
)


class Rule(msgspec.Struct, frozen=True):
    """`burst` at once, and `per_minute` in the long run."""

    per_minute: int
    burst: int


# A page joins once, beats three times a minute and claims every few seconds: a subject may do so
# from ten tabs. Behind one /24 there may be a school, or a phone operator's thousands.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "join-subject": Rule(per_minute=60, burst=300),
        "join-prefix": Rule(per_minute=6_000, burst=6_000),
        "heartbeat-subject": Rule(per_minute=60, burst=60),
        "heartbeat-prefix": Rule(per_minute=60_000, burst=60_000),
        "claim-subject": Rule(per_minute=120, burst=120),
        "claim-prefix": Rule(per_minute=30_000, burst=30_000),
    }
)


class Budget:
    """Token buckets of one rule. A bucket is one number: when it will be full again (ms). After
    the time a whole burst takes, a bucket left alone is full and needn't be remembered.
    """

    def __init__(self, name: str, rule: Rule, *, refuses: bool) -> None:
        self.name = name
        self._refuses = refuses
        self._step_ms = MINUTE_MS / rule.per_minute
        self._whole_ms = self._step_ms * rule.burst
        self._full_at: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._turned_ms = 0.0
        self._passed = (name, "passed")
        self._late = (name, "refused" if refuses else "counted")
        self._overflow = (name, "overflow")
        for outcome in (self._passed, self._late, self._overflow):
            DOOR.counts[outcome] += 0

    def take(self, key: str, now_ms: int) -> float | None:
        """None: go on. Otherwise the call is to be refused: how long to wait (ms)."""
        late_ms = self._late_ms(key, now_ms)
        if not late_ms:
            DOOR.counts[self._passed] += 1
            return None
        DOOR.counts[self._late] += 1
        return late_ms

    @property
    def refuses(self) -> bool:
        """Whether the rule refuses, or only counts what it would refuse."""
        return self._refuses

    def _late_ms(self, key: str, now_ms: int) -> float:
        if not 0 <= now_ms - self._turned_ms < self._whole_ms:
            self._before, self._full_at = self._full_at, {}
            self._turned_ms = now_ms
        known = self._full_at.get(key) or self._before.get(key)
        if known is None and len(self._full_at) >= KEYS_MAX:
            DOOR.counts[self._overflow] += 1
            return 0
        full_at = max(known or 0, now_ms) + self._step_ms
        late_ms = full_at - now_ms - self._whole_ms
        # Later than a whole bucket only when the clock jumped back: then it starts anew.
        if late_ms > self._step_ms:
            full_at, late_ms = now_ms + self._step_ms, 0
        if late_ms > 0:
            return late_ms
        self._full_at[key] = full_at
        return 0


class Door:
    """`count_only` names rules (keys of RULES) that refuse nobody."""

    def __init__(
        self,
        clock: Clock,
        networks: Networks | None = None,
        *,
        rules: Mapping[str, Rule] = RULES,
        count_only: Iterable[str] = (),
    ) -> None:
        self._clock = clock
        self._networks = networks or Networks()
        mild = frozenset(count_only)
        assert mild <= set(rules), mild
        self._budgets = {
            name: Budget(name, rule, refuses=name not in mild) for name, rule in rules.items()
        }
        self._suspects: dict[str, int] = {}

    def check(self, verb: Verb, subject: str, scope: Any) -> None:
        """Raises TooManyJoins, TooManyHeartbeats, TooManyClaims: try again after a while."""
        now_ms = self._clock.ms()
        self._take(verb, f"{verb}-subject", subject, now_ms)
        prefix = self._networks.prefix_of(scope)
        if prefix is not None:
            self._take(verb, f"{verb}-prefix", prefix, now_ms)

    def is_suspect(self, subject: str, scope: Any) -> bool:
        """Whether this subject or its neighbourhood met a limit lately."""
        since_ms = self._clock.ms() - SUSPECT_MS
        prefix = self._networks.prefix_of(scope) or ""
        return max(self._suspects.get(subject, 0), self._suspects.get(prefix, 0)) > since_ms

    def _take(self, verb: Verb, rule: str, key: str, now_ms: int) -> None:
        budget = self._budgets[rule]
        late_ms = budget.take(key, now_ms)
        if late_ms is None:
            return
        if len(self._suspects) >= SUSPECTS_MAX:
            self._suspects.clear()
        self._suspects[key] = now_ms
        if budget.refuses:
            raise REFUSALS[verb](retry_after_s=-int(-late_ms // 1000), reason=rule)
