"""Two lines before one gate: the ordinary one and the lane of the invited, on real Redis beside the
plain model, with invitations, places handed over and lines started anew.

Besides every answer: within a line nobody overtakes, the lane gets its part while people wait in
both, one gate keeps rate, burst and ceiling over both, no number is given twice, a repeat gets the
same one, and nobody has two turns.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from biletter.engines.launch import Engine
from kernel.errors import Refusal
from kernel.keyring import Keyring
from tests.model.lives import run_lives
from tests.model.plain_lanes import PlainLanes, hand_over
from tests.model.plain_room import SHARE_MIN, PlainRoom
from tests.model.test_room_machine import (
    CEILINGS,
    EVENT,
    PEOPLE,
    RATES,
    STATES,
    WHO,
    RoomMachine,
)
from waitingroom import keys
from waitingroom.entries import Entry
from waitingroom.invitations import Invitation

DAY_S = 86_400
CARDS = range(8)


class LanesMachine(RoomMachine):
    model: PlainLanes

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainLanes(rate=60, ceiling=3, grace_s=30, pass_s=30)
        # Written once; each is whoever's uses it first.
        self.cards = [self.card() for _ in CARDS]
        self.voided: dict[str, Entry] = {}
        self.given: set[tuple[keys.LineId, int]] = set()
        # What the lane and the line got while people waited in both, as claimers expected.
        self.shared = [0.0, 0.0]

    def card(self, event: int = EVENT, life_s: int = 30 * DAY_S, subject: str = "") -> Invitation:
        until_s = self.clock.ms() // 1000 + life_s
        invitations = self.rooms.invitations
        token = invitations.write(event, lane="fans", until_s=until_s, subject=subject)
        return invitations.read(event, token, subject)

    def side(self, entry: Entry) -> PlainRoom:
        return self.model.lane if entry.lane else self.model

    def lines(self) -> list[tuple[keys.LineId, PlainRoom]]:
        now = self.rooms.snapshot(EVENT).settings
        return [(now.generation, self.model), (now.lane_id, self.model.lane)]

    def join(self, who: str, card: Invitation | None = None) -> None:
        name = card.jti if card else ""
        expected, number, in_lane = self.model.come(who, name, self.clock.ms())
        code, joined = self.code(self.rooms.join(EVENT, who, invite=card))
        if expected in ("closed", "used"):
            assert code == {"closed": "room-closed", "used": "invite-used"}[expected]
            return
        entry = joined.entry
        assert (code, entry.number, bool(entry.lane)) == ("done", number, in_lane)
        assert joined.is_new == (expected == "joined")
        if joined.is_new:
            self.passes.pop(who, None)
            assert (entry.line, number) not in self.given, "a number is given once"
            self.given.add((entry.line, number))
        self.entries[who] = entry
        self.heard(who, expected)

    @rule(who=WHO, card=st.sampled_from([None, *CARDS]))
    def come(self, who: str, card: int | None) -> None:
        self.join(who, None if card is None else self.cards[card])

    @rule(chance=st.randoms(use_true_random=False))
    def everybody_comes(self, chance: object) -> None:
        for n, who in enumerate(PEOPLE):
            self.come(who, chance.choice([None, None, n % len(CARDS)]))  # type: ignore[attr-defined]  # Random

    @rule(who=WHO, kind=st.sampled_from(["foreign", "named", "late", "forged"]))
    def a_card_that_is_no_good(self, who: str, kind: str) -> None:
        """It is refused before anything is asked of Redis, and changes nothing."""
        subject, event = ("", EVENT + 1) if kind == "foreign" else ("somebody", EVENT)
        until_s = self.clock.ms() // 1000 + DAY_S
        invitations = self.rooms.invitations
        token = invitations.write(event, lane="fans", until_s=until_s, subject=subject)
        if kind == "late":
            self.clock.advance(DAY_S)
        if kind == "forged":
            token = token[:-6] + "AAAAAA"
        with pytest.raises(Refusal) as refused:
            invitations.read(EVENT, token, who)
        if kind == "late":
            self.clock.advance(-DAY_S)
        codes = {"foreign": "foreign", "named": "not-yours", "late": "expired", "forged": "forged"}
        assert refused.value.code == f"invite-{codes[kind]}"

    @rule(who=WHO, whom=WHO)
    def hand_over(self, who: str, whom: str) -> None:
        entry = self.entries.get(who)
        if entry is None:
            return
        side, now = self.side(entry), self.clock.ms()
        stage = side.poll(who, entry.number, now)
        code, offer = self.code(self.rooms.hand_over(entry))
        if stage not in ("waiting", "called", "passed"):
            assert code in ("no-entry", "lapsed")
            return
        self.run(self.rooms.signs.flush())
        side.beat(entry.number, now)
        assert code == "done"
        expected = "moved" if who == whom else self._expect_move(entry, who, whom)
        code, taken = self.code(self.rooms.take_over(EVENT, offer[0], whom))
        assert (
            code
            == {"moved": "done", "gone": "handover-gone", "needless": "handover-needless"}[expected]
        )
        if expected == "moved" and who != whom:
            self.entries[whom] = taken
            if entry.lane:
                self.model.give_up_line(whom)

    def _expect_move(self, entry: Entry, who: str, whom: str) -> str:
        if not entry.lane and self.model.stands_in_lane(whom, self.clock.ms()):
            return "needless"
        return hand_over(self.side(entry), who, whom, entry.number)

    @rule(ms=st.sampled_from([50, 250, 250, 1000, 5000]), times=st.integers(1, 12))
    def tick(self, ms: int, times: int) -> None:
        model = self.model
        for _ in range(times):
            self.clock.advance(ms / 1000)
            is_ticked, before = model.is_ticked, (model.lane.calls, model.lane.recalls)
            both_wait = is_ticked and min(model.waiting, model.lane.waiting) > 0
            called = model.tick(self.clock.ms())
            told = self.run(self.rooms.tick(EVENT, fence=1))
            assert (told.moved, told.serving) == (called, model.serving)
            lane = model.lane.calls + model.lane.recalls - sum(before)
            self._share(both_wait, lane, called)

    def _share(self, both_wait: bool, lane: int, line: int) -> None:  # noqa: FBT001  # of a tick
        """The lane's part of those who were expected at the gate, give or take what may be owed."""
        model = self.model
        enough = min(model.there, model.lane.there) > 0
        if not (both_wait and enough):
            self.shared = [0.0, 0.0]
            return
        self.shared[0] += lane * max(SHARE_MIN, model.lane.share)
        self.shared[1] += line * max(SHARE_MIN, model.share)
        part = model.lane_share / 100
        owed = part * sum(self.shared) - self.shared[0]
        assert abs(owed) <= 2 * max(1, model.rate * 0.1) + 2

    @rule(rate=RATES, ceiling=CEILINGS, state=STATES)
    def configure(self, rate: int, ceiling: int, state: str) -> None:
        self._configure(rate, ceiling, state, self.model.lane_share)

    @rule(share=st.sampled_from([1, 20, 50, 80, 100]))
    def part(self, share: int) -> None:
        self._configure(self.model.rate, self.model.ceiling, self.model.state, share)

    def _configure(self, rate: int, ceiling: int, state: str, share: int) -> None:
        changes = {"rate_per_minute": rate, "ceiling": ceiling, "state": state, "lane_share": share}
        self.run(self.rooms.configure(EVENT, changes, "Dana"))
        self.model.change(rate, ceiling, state, share)
        self.rates.append((self.clock.ms(), rate))
        self.shared = [0.0, 0.0]

    @precondition(lambda self: self.model.issued + self.model.lane.issued > 8)
    @rule()
    def reset(self) -> None:
        self.run(self.rooms.reset(EVENT, "Dana"))
        self.model.anew()
        self.voided, self.entries = self.voided | self.entries, {}
        self.shared = [0.0, 0.0]
        self.run(self.rooms.reader.refresh())

    @precondition(lambda self: self.voided)
    @rule(who=WHO, verb=st.sampled_from(["place", "heartbeat", "claim", "leave", "hand_over"]))
    def a_voided_number_does_nothing(self, who: str, verb: str) -> None:
        if who in self.voided:
            work = getattr(self.rooms, verb)(self.voided[who])
            assert self.code(work)[0] == "generation-over"

    @invariant()
    def the_called_are_the_models(self) -> None:
        for line, plain in self.lines():
            told = self.run(self.redis.get(keys.called(EVENT, line))) or b""
            bits = {n for n in range(len(told) * 8) if told[n // 8] & (128 >> n % 8)}
            assert bits == plain.called

    @invariant()
    def nobody_waits_in_both_lines(self) -> None:
        for who in PEOPLE:
            numbers = [(line, line.places.get(who)) for line in (self.model, self.model.lane)]
            waits = [n for line, n in numbers if n is not None and n > line.serving
                     and n not in line.spent]  # fmt: skip
            assert len(waits) < 2

    def teardown(self) -> None:
        for line, plain in self.lines():
            for who in PEOPLE:
                name = keys.places(EVENT, line, who.encode())
                held = self.run(self.redis.hget(name, who))
                assert (held and int(held)) == plain.places.get(who)
        super().teardown()


def test_two_lines_before_one_gate_keep_their_promises(rooms_engine: Engine) -> None:
    with tempfile.TemporaryDirectory() as folder:
        RoomMachine.url = rooms_engine.url
        RoomMachine.keyring = Keyring(Path(folder))
        run_lives(LanesMachine, count=12, steps=40)
