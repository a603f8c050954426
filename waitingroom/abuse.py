"""Abuse at the door: who asks far more often than any visitor needs is refused for a while.

Joins, heartbeats and claims have budgets of their own, so that a storm of one never costs an
honest visitor another; each is counted per subject (account or device), per device whoever has
signed in on it, and per neighbourhood of the network. What is refused for its subject isn't counted
against its neighbours.

The budgets are a courtesy, not a lock: they live in this process's memory (a heartbeat must not
cost a trip to Redis), and when the memory is full, newcomers pass and are counted as `overflow`.
What must never be exceeded is the gate's business (lua/claim.lua).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from kernel.clock import Clock
from kernel.counter import PlainCounter
from kernel.errors import Refusal
from kernel.web.networks import Networks
from waitingroom.rules import RULES, Rule
from waitingroom.terms import Terms

MINUTE_MS = 60_000
# Subjects or neighbourhoods a budget remembers at once, some 100 bytes each.
KEYS_MAX = 500_000
# How long a neighbourhood that met its limit counts as suspect.
SUSPECT_MS = 10 * MINUTE_MS
SUSPECTS_MAX = 10_000

Verb = Literal["join", "heartbeat", "claim"]
# Whatever a browser sends under this name was given by us, or counts for nobody else.
DEVICE = re.compile(rb"(?:^|;\s*)biletter_device=([A-Za-z0-9_-]{22})(?:;|$)")
EVERYWHERE = Terms()
DOOR = PlainCounter(
    "room_door", "Calls at the door, by rule and what was done", ["rule", "outcome"]
)


class TooMany(Refusal):
    """Слишком много запросов. Ваше место, если оно есть, сохраняется."""

    status, code = 429, "too-many-requests"
    told = MappingProxyType({"retry_after_s": 12, "reason": "claim-subject"})


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


class Budget:
    """Token buckets of one rule. A bucket is one number: when it will be full again (ms). After
    the time a whole burst takes, a bucket left alone is full and needn't be remembered.
    """

    def __init__(self, name: str, rule: Rule, *, refuses: bool) -> None:
        self.name = name
        self.passed = (name, "passed")
        self.refusal = REFUSALS[name.partition("-")[0]]
        self.refuses = refuses
        self._step_ms = MINUTE_MS / rule.per_minute
        self._whole_ms = self._step_ms * rule.burst
        self._full_at: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._turned_ms = 0.0
        for outcome in ("passed", "refused", "counted", "overflow"):
            DOOR.counts[name, outcome] += 0

    def take(self, key: str, now_ms: int) -> float:
        """0: the call passes. Else it is to be refused: how long till it would pass (ms)."""
        if not 0 <= now_ms - self._turned_ms < self._whole_ms:
            self._before, self._full_at = self._full_at, {}
            self._turned_ms = now_ms
        known = self._full_at.get(key) or self._before.get(key)
        if known is None:
            if len(self._full_at) < KEYS_MAX:
                self._full_at[key] = now_ms + self._step_ms
            else:
                DOOR.counts[self.name, "overflow"] += 1
            return 0
        full_at = max(known, now_ms) + self._step_ms
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
            verb: [
                Budget(name, rules[name], refuses=name not in mild)
                for name in (f"{verb}-subject", f"{verb}-device", f"{verb}-prefix")
            ]
            for verb in REFUSALS
        }
        self._suspects: dict[str, int] = {}
        # Event, rule and outcome → how often, since that was last told.
        self._tallies: defaultdict[tuple[int, str, str], int] = defaultdict(int)

    def check(  # who calls, for what, where, on which terms
        self,
        verb: Verb,
        subject: str,
        scope: Any,
        *,
        event: int = 0,
        terms: Terms = EVERYWHERE,
        device: str | None = None,
    ) -> None:
        """Raises TooManyJoins, TooManyHeartbeats, TooManyClaims: try again after a while. `terms`
        are the room's; `device` is the token in the cookie, if that was looked for already.
        """
        if terms.allows and self.is_allowed(subject, scope, terms):
            return
        now_ms, by = self._clock.ms(), self._budgets[verb]
        device = device or device_in(scope)
        keys = subject, device, self._networks.prefix_of(scope)
        for budget, key in zip(by, keys, strict=True):
            if key is None:
                continue
            late_ms = budget.take(key, now_ms)
            if late_ms:
                self._judge(budget, key, now_ms, late_ms, event, terms)
            else:
                DOOR.counts[budget.passed] += 1
                self._tallies[event, budget.name, "passed"] += 1

    def is_allowed(self, subject: str, scope: Any, terms: Terms) -> bool:
        """Whether the room counts nothing against this caller."""
        return subject in terms.staff or (
            bool(terms.networks) and self._networks.is_in(scope, terms.networks)
        )

    def is_suspect(self, subject: str, scope: Any) -> bool:
        """Whether this subject, its device or its neighbourhood met a limit lately."""
        since_ms = self._clock.ms() - SUSPECT_MS
        asked = subject, device_in(scope), self._networks.prefix_of(scope)
        return any(self._suspects.get(key, 0) > since_ms for key in asked if key is not None)

    def take_tallies(self) -> dict[int, dict[str, int]]:
        """By event, `rule outcome` → how often, since they were last taken."""
        told: dict[int, dict[str, int]] = {}
        for (event, rule, outcome), count in self._tallies.items():
            if event:
                told.setdefault(event, {})[f"{rule} {outcome}"] = count
        self._tallies.clear()
        return told

    def put_back(self, event: int, counts: Mapping[str, int]) -> None:
        """They could not be told."""
        for what, count in counts.items():
            rule, _, outcome = what.partition(" ")
            self._tallies[event, rule, outcome] += count

    def _judge(  # noqa: PLR0917  # a part of `check`
        self, budget: Budget, key: str, now_ms: int, late_ms: float, event: int, terms: Terms
    ) -> None:
        outcome = "counted"
        if budget.refuses and budget.name not in terms.mild:
            outcome = "refused"
        DOOR.counts[budget.name, outcome] += 1
        self._tallies[event, budget.name, outcome] += 1
        if len(self._suspects) >= SUSPECTS_MAX:
            self._suspects.clear()
        self._suspects[key] = now_ms
        if outcome == "refused":
            raise budget.refusal(retry_after_s=-int(-late_ms // 1000), reason=budget.name)


def device_in(scope: Any) -> str | None:
    """The device's token, out of its cookie; None: there is none yet."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            found = DEVICE.search(value)
            return found[1].decode() if found else None
    return None
