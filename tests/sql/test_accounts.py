"""Accounts on real PostgreSQL: signing up, judging passwords, changing and upgrading them."""

import asyncio
import hashlib

import pytest

from accounts.accounts import (
    AccountInactive,
    Accounts,
    EmailTaken,
    Newcomer,
    WrongCredentials,
    WrongCurrentPassword,
)
from accounts.attempts import GUESSES_MAX, TooManyGuesses
from accounts.passwords import CHECKS_WAITING_MAX, Passwords, PasswordsBusy, WeakPassword

ARU, PASSWORD = "aru@mail.kz", "Тюльпан:2025\\"


@pytest.fixture
def passwords():
    made = Passwords(b"p" * 32)
    yield made
    made.close()


@pytest.fixture
def accounts(db, clock, passwords):
    return Accounts(db, passwords, clock)


async def stored_hash(db, email: str = ARU) -> str:
    return str(await db.fetchval("SELECT password_hash FROM account WHERE email = $1", email))


async def import_one(db, passwords, email: str, password: str) -> None:
    digest = hashlib.sha256(password.encode()).hexdigest()
    await db.execute(
        "INSERT INTO account (email, password_hash) VALUES ($1, $2)",
        email,
        passwords.import_digest(digest),
    )


async def test_who_signs_up_can_sign_in_and_is_kept_by_argon2id(accounts, db):
    aru = await accounts.sign_up(" Aru@Mail.kz", PASSWORD, first_name="Ару")
    assert (await accounts.sign_in("ARU@mail.kz", PASSWORD)).id == aru.id
    assert (await stored_hash(db)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await db.fetchval("SELECT last_logged_in FROM account WHERE id = $1", aru.id)


async def test_one_address_has_one_account_also_when_two_sign_up_at_once(accounts, db):
    answers = await asyncio.gather(
        *(accounts.sign_up(email, PASSWORD) for email in (ARU, "ARU@MAIL.KZ", ARU)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in answers) == ["EmailTaken", "EmailTaken", "Person"]
    with pytest.raises(EmailTaken):
        await accounts.sign_up(ARU, PASSWORD)
    assert await db.fetchval("SELECT count(*) FROM account") == 1


async def test_a_weak_password_makes_no_account(accounts, db):
    with pytest.raises(WeakPassword):
        await accounts.sign_up(ARU, "1234567")
    assert await db.fetchval("SELECT count(*) FROM account") == 0


async def test_a_stranger_and_a_wrong_password_get_the_same_answer(accounts):
    await accounts.sign_up(ARU, PASSWORD)
    with pytest.raises(WrongCredentials) as wrong:
        await accounts.sign_in(ARU, "другой пароль")
    with pytest.raises(WrongCredentials) as stranger:
        await accounts.sign_in("ermek@mail.kz", PASSWORD)
    assert (wrong.value.status, wrong.value.detail) == (401, stranger.value.detail)


@pytest.mark.parametrize("email", ["test", "a\x00@mail.kz", "x" * 5000, "ermek@mail.kz'--"])
async def test_whatever_is_offered_as_an_address_is_wrong_credentials(accounts, email):
    with pytest.raises(WrongCredentials):
        await accounts.authenticate(email, "test")


async def test_an_inactive_account_is_told_so_only_with_the_right_password(accounts, db):
    await accounts.sign_up(ARU, PASSWORD)
    await db.execute("UPDATE account SET is_active = false")
    with pytest.raises(AccountInactive):
        await accounts.authenticate(ARU, PASSWORD)
    with pytest.raises(WrongCredentials):
        await accounts.authenticate(ARU, "другой пароль")


async def test_guessing_one_account_is_slowed_and_the_others_are_not(accounts, clock):
    await accounts.sign_up(ARU, PASSWORD)
    await accounts.sign_up("bek@mail.kz", PASSWORD)
    for guess in range(GUESSES_MAX):
        with pytest.raises(WrongCredentials):
            await accounts.authenticate(ARU, f"догадка {guess}")
    with pytest.raises(TooManyGuesses):
        await accounts.authenticate(ARU, PASSWORD)
    assert await accounts.authenticate("bek@mail.kz", PASSWORD)
    clock.advance(301)
    assert await accounts.authenticate(ARU, PASSWORD)


async def test_guesses_offered_all_at_once_are_all_counted(accounts):
    await accounts.sign_up(ARU, PASSWORD)
    answers = await asyncio.gather(
        *(accounts.authenticate(ARU, f"догадка {n}") for n in range(40)), return_exceptions=True
    )
    assert sum(isinstance(one, WrongCredentials) for one in answers) == GUESSES_MAX


async def test_the_same_wrong_password_again_is_no_new_guess(accounts, clock, passwords, db):
    await import_one(db, passwords, ARU, PASSWORD)
    for _ in range(GUESSES_MAX * 5):
        with pytest.raises(WrongCredentials):
            await accounts.authenticate(ARU, "забытый пароль")
        clock.advance(0.4)
    assert await accounts.authenticate(ARU, PASSWORD)


async def test_the_owner_passes_while_a_stranger_guesses(accounts):
    """Credentials that were good a moment ago are not locked out by somebody else's guesses."""
    await accounts.sign_up(ARU, PASSWORD)
    await accounts.authenticate(ARU, PASSWORD)
    for guess in range(GUESSES_MAX + 3):
        with pytest.raises((WrongCredentials, TooManyGuesses)):
            await accounts.authenticate(ARU, f"догадка {guess}")
    assert await accounts.authenticate(ARU, PASSWORD)


async def test_credentials_judged_lately_ask_nobody(accounts, db, monkeypatch):
    await accounts.sign_up(ARU, PASSWORD)
    await accounts.authenticate(ARU, PASSWORD)
    monkeypatch.setattr(accounts, "_judge", None)
    assert (await accounts.authenticate(ARU, PASSWORD)).email == ARU


async def test_the_same_credentials_at_once_are_judged_once(accounts, passwords, monkeypatch):
    await accounts.sign_up(ARU, PASSWORD)
    checked = []
    verify = passwords.verify

    async def count(*given):
        checked.append(given)
        return await verify(*given)

    monkeypatch.setattr(passwords, "verify", count)
    await asyncio.gather(*(accounts.authenticate(ARU, PASSWORD) for _ in range(50)))
    assert len(checked) == 1


async def test_a_changed_password_is_known_elsewhere_a_second_later(db, clock, passwords):
    here, elsewhere = Accounts(db, passwords, clock), Accounts(db, passwords, clock)
    aru = await here.sign_up(ARU, PASSWORD)
    await elsewhere.authenticate(ARU, PASSWORD)
    await here.change_password(aru.id, PASSWORD, "новый пароль")
    with pytest.raises(WrongCredentials):
        await here.authenticate(ARU, PASSWORD)
    clock.advance(1.1)
    with pytest.raises(WrongCredentials):
        await elsewhere.authenticate(ARU, PASSWORD)
    assert (await elsewhere.authenticate(ARU, "новый пароль")).id == aru.id


async def test_a_blocked_account_is_refused_a_second_later(accounts, db, clock):
    await accounts.sign_up(ARU, PASSWORD)
    await accounts.authenticate(ARU, PASSWORD)
    await db.execute("UPDATE account SET is_active = false")
    clock.advance(1.1)
    with pytest.raises(AccountInactive):
        await accounts.authenticate(ARU, PASSWORD)


async def test_the_password_is_changed_only_by_who_knows_the_old_one(accounts, db):
    aru = await accounts.sign_up(ARU, PASSWORD)
    before = await stored_hash(db)
    with pytest.raises(WrongCurrentPassword):
        await accounts.change_password(aru.id, "не тот пароль", "новый пароль")
    with pytest.raises(WeakPassword):
        await accounts.change_password(aru.id, PASSWORD, "1234567")
    assert await stored_hash(db) == before


async def test_an_imported_password_works_at_once_and_is_upgraded_behind_the_request(
    accounts, db, passwords, monkeypatch
):
    await import_one(db, passwords, ARU, PASSWORD)
    await accounts.authenticate(ARU, PASSWORD)
    assert (await stored_hash(db)).startswith("hmac-sha256$")
    await accounts.upgrades.drain_one()
    assert (await stored_hash(db)).startswith("$argon2id$")
    monkeypatch.setattr(passwords, "verify", None)  # the judgement stands, nothing is checked anew
    assert await accounts.authenticate(ARU, PASSWORD)


async def test_an_upgrade_does_not_undo_a_change_of_password(accounts, db, passwords):
    await import_one(db, passwords, ARU, PASSWORD)
    aru = await accounts.authenticate(ARU, PASSWORD)
    await accounts.change_password(aru.id, PASSWORD, "новый пароль")
    changed = await stored_hash(db)
    await accounts.upgrades.drain_one()
    assert await stored_hash(db) == changed


async def test_a_stolen_table_does_not_hold_the_imported_digest(accounts, db, passwords):
    await import_one(db, passwords, ARU, PASSWORD)
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    assert digest not in await stored_hash(db)
    with pytest.raises(WrongCredentials):
        await Accounts(db, Passwords(b"q" * 32), accounts._clock).authenticate(ARU, PASSWORD)


async def test_a_full_queue_refuses_at_once_and_counts_no_guess(accounts, passwords):
    await accounts.sign_up(ARU, PASSWORD)
    passwords._waiting = CHECKS_WAITING_MAX
    for n in range(GUESSES_MAX + 1):
        with pytest.raises(PasswordsBusy):
            await accounts.authenticate(ARU, f"{PASSWORD}{n}")
    passwords._waiting = 0
    assert await accounts.authenticate(ARU, PASSWORD)


async def test_seeding_an_account_twice_changes_nothing(accounts, db):
    first = await accounts.ensure("dana@mail.kz", PASSWORD, "cashier", "Дана Касымова")
    before = await stored_hash(db, "dana@mail.kz")
    assert await accounts.ensure("dana@mail.kz", PASSWORD, "cashier", "Дана Касымова") == first
    assert await stored_hash(db, "dana@mail.kz") == before
    dana = await accounts.authenticate("dana@mail.kz", PASSWORD)
    assert (dana.role, dana.name) == ("cashier", "Дана Касымова")


async def test_many_accounts_are_seeded_in_one_go(accounts):
    newcomers = [Newcomer(f"guest-{n}@mail.kz", f"password-{n}") for n in range(3_000)]
    ids = await accounts.ensure_many([*newcomers, newcomers[0]])
    assert len(set(ids.values())) == 3_000
    assert (await accounts.authenticate("guest-7@mail.kz", "password-7")).id == ids[
        "guest-7@mail.kz"
    ]
    assert await accounts.ensure_many(newcomers) == ids
