"""Sessions on real PostgreSQL: signed, endable, renewed while they are used."""

import jwt
import pytest

from accounts.people import Person, person_of
from accounts.sessions import BUYER_LIFE_S, DAY_S, STAFF_LIFE_S, Sessions, SignedIn

SECRET = b"s" * 32


@pytest.fixture
async def aru(db):
    return person_of(
        await db.fetchrow(
            "INSERT INTO account (email, password_hash, first_name)"
            " VALUES ('aru@mail.kz', '-', 'Ару')"
            " RETURNING id, email, first_name, surname, role, is_active, password_hash"
        )
    )


@pytest.fixture
def sessions(db, clock):
    return Sessions(db, SECRET, clock)


async def begin(sessions: Sessions, person: Person) -> SignedIn:
    signed = sessions.read(await sessions.start(person))
    assert signed is not None
    return signed


async def test_a_session_says_whose_it_is_without_asking_anybody(db, sessions, aru, clock):
    offline = Sessions(db, SECRET, clock)
    token = await sessions.start(aru)
    db.terminate()
    signed = offline.read(token)
    assert signed is not None
    assert (signed.account_id, signed.name, signed.role) == (aru.id, "Ару", "buyer")


async def test_every_session_has_a_new_id(sessions, aru):
    first, second = [await begin(sessions, aru) for _ in range(2)]
    assert first.sid != second.sid


async def test_a_session_ends_by_its_own_time(sessions, aru, clock):
    token = await sessions.start(aru)
    clock.advance(BUYER_LIFE_S - 1)
    assert sessions.read(token)
    clock.advance(1)
    assert sessions.read(token) is None


@pytest.mark.parametrize("change", ["key", "none", "audience", "letter"])
async def test_a_forged_session_is_nobodys(sessions, aru, change):
    token = await sessions.start(aru)
    claims = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience="site", options={"verify_exp": False}
    )
    forged = {
        "key": jwt.encode(claims, b"x" * 32, algorithm="HS256"),
        "none": jwt.encode(claims, "", algorithm="none"),
        "audience": jwt.encode(claims | {"aud": "staff"}, SECRET, algorithm="HS256"),
        "letter": token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
    }[change]
    assert sessions.read(forged) is None
    assert sessions.read(token)


async def test_a_sign_out_elsewhere_is_honoured_as_soon_as_the_asker_wants(
    db, sessions, aru, clock
):
    elsewhere = Sessions(db, SECRET, clock)
    signed = await begin(sessions, aru)
    assert await elsewhere.check(signed, within_ms=1_500)
    await sessions.end(signed)
    assert await sessions.check(signed, within_ms=1_500) is None
    assert await elsewhere.check(signed, within_ms=1_500)
    clock.advance(1.6)
    assert await elsewhere.check(signed, within_ms=1_500) is None


async def test_a_check_tells_the_present_role_and_refuses_the_blocked(db, sessions, aru, clock):
    signed = await begin(sessions, aru)
    await db.execute("UPDATE account SET role = 'operator'")
    assert (await sessions.check(signed, within_ms=1_500)).role == "operator"
    await db.execute("UPDATE account SET is_active = false")
    clock.advance(2)
    assert await sessions.check(signed, within_ms=1_500) is None


async def test_a_session_is_renewed_after_a_day_of_use_and_never_after_its_end(
    sessions, aru, clock
):
    signed = await begin(sessions, aru)
    assert await sessions.renew(signed) is None
    clock.advance(DAY_S)
    renewed = sessions.read(await sessions.renew(signed))
    assert (renewed.sid, renewed.expires_s - signed.expires_s) == (signed.sid, DAY_S)
    await sessions.end(renewed)
    assert await sessions.renew(signed) is None


async def test_a_staff_session_ends_with_the_shift(db, aru, clock):
    staff = Sessions(db, SECRET, clock, audience="staff")
    token = await staff.start(aru)
    clock.advance(STAFF_LIFE_S - 1)
    signed = staff.read(token)
    assert signed is not None
    assert await staff.renew(signed) is None
    clock.advance(1)
    assert staff.read(token) is None


async def test_the_other_sessions_of_an_account_can_be_ended_together(sessions, aru):
    tokens = [await sessions.start(aru) for _ in range(3)]
    mine, *others = [sessions.read(token) for token in tokens]
    await sessions.end_others(mine)
    assert await sessions.check(mine, within_ms=-1)
    assert [await sessions.check(one, within_ms=-1) for one in others] == [None, None]


async def test_a_new_name_is_told_at_once(db, sessions, aru):
    signed = await begin(sessions, aru)
    await db.execute("UPDATE account SET first_name = 'Арухан'")
    assert sessions.read(await sessions.retell(signed)).name == "Арухан"


async def test_sessions_that_ran_out_are_swept_and_others_are_not(db, sessions, aru, clock):
    await sessions.start(aru)
    clock.advance(BUYER_LIFE_S + DAY_S + 1)
    await sessions.start(aru)
    assert await sessions.sweep() == 1
    assert await db.fetchval("SELECT count(*) FROM session") == 1
