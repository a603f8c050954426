"""Proofs at the door: work or patience, for one event and one subject, for ten minutes."""

from hashlib import sha256
from pathlib import Path

import pytest

from kernel.clock import ManualClock
from kernel.keyring import Keyring
from waitingroom.proof import LIFE_S, WAIT_S, ProofDesk, ProofRequired, bits_for, zero_bits

EVENT, BITS = 1, 8


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> ProofDesk:
    return ProofDesk(Keyring(tmp_path), clock)


def work(challenge: str, bits: int = BITS) -> str:
    proofs = (f"{challenge}.{n}" for n in range(1_000_000))
    return next(p for p in proofs if zero_bits(sha256(p.encode()).digest()) >= bits)


def reason(desk: ProofDesk, proof: str | None, event: int = EVENT, subject: str = "Aru") -> str:
    """Why the proof is refused; empty: it isn't."""
    try:
        desk.check(event, subject, BITS, proof)
    except ProofRequired as refusal:
        return str(refusal.extra["reason"])
    return ""


def test_work_is_good_for_its_event_and_subject_only(desk: ProofDesk):
    proof = work(desk.challenge(EVENT, "Aru", BITS).challenge)
    assert reason(desk, proof) == ""
    assert reason(desk, proof, subject="Bek") == "foreign"
    assert reason(desk, proof, event=2) == "foreign"


def test_work_is_good_for_ten_minutes(desk: ProofDesk, clock: ManualClock):
    proof = work(desk.challenge(EVENT, "Aru", BITS).challenge)
    clock.advance(LIFE_S)
    assert reason(desk, proof) == ""
    clock.advance(1)
    assert reason(desk, proof) == "expired"


def test_patience_is_as_good_as_work(desk: ProofDesk, clock: ManualClock):
    proof = desk.challenge(EVENT, "Aru", BITS).challenge + ".wait"
    clock.advance(WAIT_S - 1)
    assert reason(desk, proof) == "early"
    clock.advance(1)
    assert reason(desk, proof) == ""


def test_too_little_work_is_told_from_none(desk: ProofDesk):
    challenge = desk.challenge(EVENT, "Aru", BITS).challenge
    weak = next(
        f"{challenge}.{n}"
        for n in range(100)
        if zero_bits(sha256(f"{challenge}.{n}".encode()).digest()) < BITS
    )
    assert reason(desk, weak) == "weak"
    assert reason(desk, None) == "missing"


@pytest.mark.parametrize("proof", ["x", "1.8.9.x.1", "1.8.5", "." * 9, "я.8.1.x.1", "1" * 5000])
def test_nonsense_is_refused(desk: ProofDesk, proof: str):
    assert reason(desk, proof) in ("malformed", "foreign")


def test_an_easier_challenge_cannot_be_written_by_oneself(desk: ProofDesk):
    event, _, rest = desk.challenge(EVENT, "Aru", BITS).challenge.split(".", 2)
    assert reason(desk, work(f"{event}.0.{rest}", 0)) == "foreign"


def test_a_refusal_brings_a_new_challenge(desk: ProofDesk):
    with pytest.raises(ProofRequired) as refused:
        desk.check(EVENT, "Aru", BITS, None)
    told = refused.value.extra
    assert (told["bits"], told["wait_s"], told["expires_in_s"]) == (BITS, WAIT_S, LIFE_S)
    assert reason(desk, work(str(told["challenge"]))) == ""


@pytest.mark.parametrize(
    ("set_bits", "who", "bits"),
    [
        (0, "a suspect", 0),
        (16, "a known", 0),
        (16, "a stranger", 16),
        (16, "a suspect", 19),
        (16, "a known suspect", 19),
    ],
)
def test_the_difficulty_goes_by_the_risk(set_bits: int, who: str, bits: int):
    assert bits_for(set_bits, is_known="known" in who, is_suspect="suspect" in who) == bits
