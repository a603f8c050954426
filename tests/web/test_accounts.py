"""The account pages and who a request comes from, through the common edge."""

import base64

import pytest
from litestar import Request

from accounts.identity import API
from accounts.passwords import Passwords
from kernel.subjects import subject_of
from tests.web.accounts_site import Site

ARU = {"email": "Aru@mail.kz", "password": "тюльпаны цветут", "first_name": "Ару"}


@pytest.fixture
def site(db, clock):
    passwords = Passwords(b"p" * 32)
    yield Site(db, clock, passwords)
    passwords.close()


def basic(email: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{email}:{password}".encode()).decode()
    return {"authorization": f"Basic {token}"}


async def test_signing_up_signs_in_and_goes_where_one_came_from(site):
    async with site.browser() as browser:
        answer = await browser.post("/sign-up", data=ARU | {"next": "/events/1?zone=2"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/events/1?zone=2")
        line = next(x for x in answer.headers.get_list("set-cookie") if "biletter_session" in x)
        assert "HttpOnly" in line
        assert "SameSite=Lax" in line
        assert (await browser.get("/whoami")).json()["name"] == "Ару"


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"email": "aru", "password": "тюльпаны"}, 400, "адрес электронной почты"),
        ({"email": "aru@mail.kz", "password": "1234567"}, 400, "не короче 8"),
        ({}, 400, "адрес электронной почты"),
    ],
)
async def test_an_error_stands_beside_its_field_and_what_was_typed_is_kept(
    site, form, status, words
):
    async with site.browser() as browser:
        answer = await browser.post("/sign-up", data=form)
        assert answer.status_code == status
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert f'value="{form.get("email", "")}"' in answer.text
        assert form.get("password", "never") not in answer.text


async def test_a_taken_address_is_told_to_people_and_to_programs(site):
    await site.accounts.sign_up(ARU["email"], ARU["password"])
    async with site.browser() as browser:
        page = await browser.post("/sign-up", data=ARU)
        assert page.status_code == 409
        assert "уже есть" in page.text
        problem = await browser.post("/sign-up", data=ARU, headers={"accept": "application/json"})
        assert (problem.status_code, problem.json()["code"]) == (409, "email-taken")


async def test_wrong_credentials_stay_on_the_form(site):
    async with site.browser() as browser:
        answer = await browser.post("/sign-in", data=ARU | {"next": "/orders"})
        assert answer.status_code == 401
        assert 'role="alert"' in answer.text
        assert 'value="/orders"' in answer.text


async def test_a_session_planted_before_sign_in_is_worth_nothing_after_it(site):
    await site.accounts.sign_up(ARU["email"], ARU["password"])
    ermek = await site.accounts.sign_up("ermek@mail.kz", "пароль ермека")
    planted = await site.sessions.start(ermek)
    async with site.browser(cookies={"biletter_session": planted}) as browser:
        answer = await browser.post("/sign-in", data=ARU)
        line = next(x for x in answer.headers.get_list("set-cookie") if "biletter_session" in x)
        assert planted not in line
    async with site.browser(cookies={"biletter_session": planted}) as attacker:
        assert (await attacker.post("/whoami", headers={"accept": "*/*"})).status_code == 401


async def test_signing_out_ends_the_session_not_only_the_cookie(site):
    async with site.browser() as browser:
        await browser.post("/sign-up", data=ARU)
        stolen = browser.cookies["biletter_session"]
        assert (await browser.post("/sign-out")).status_code == 303
        assert "biletter_session" not in browser.cookies
    async with site.browser(cookies={"biletter_session": stolen}) as thief:
        assert (await thief.post("/whoami", headers={"accept": "*/*"})).status_code == 401
        assert (await thief.get("/whoami")).json()["account_id"] is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://localhost:18500@evil.example/",
        "http://localhost:9999/",
        "/\n/evil.example",
    ],
)
async def test_nobody_is_sent_to_another_site_after_signing_in(site, elsewhere):
    await site.accounts.sign_up(ARU["email"], ARU["password"])
    async with site.browser() as browser:
        answer = await browser.post("/sign-in", data=ARU | {"next": elsewhere})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = await browser.get("/sign-in", params={"next": elsewhere})
        assert page.headers.get("location", "/") == "/"


async def test_the_queue_of_our_own_waiting_room_is_a_place_to_come_back_to(site):
    await site.accounts.sign_up(ARU["email"], ARU["password"])
    async with site.browser() as browser:
        queue = "http://localhost:18501/queue/1"
        answer = await browser.post("/sign-in", data=ARU | {"next": queue})
        assert answer.headers["location"] == queue


async def test_a_form_sent_by_another_site_is_refused(site):
    async with site.browser() as browser:
        answer = await browser.post(
            "/sign-in", data=ARU, headers={"origin": "https://evil.example"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")


async def test_name_and_password_are_changed_on_the_account_page(site):
    async with site.browser() as browser, site.browser() as other:
        await browser.post("/sign-up", data=ARU)
        await other.post("/sign-in", data=ARU)
        await browser.post("/account", data={"first_name": "Арухан", "surname": "Сейтова"})
        assert "Арухан Сейтова" in (await browser.get("/account?done=name")).text
        new = {"current": ARU["password"], "password": "маки цветут", "repeated": "маки цветут"}
        assert (await browser.post("/account/password", data=new)).status_code == 303
        assert (await browser.post("/whoami")).status_code == 201
        assert (await other.post("/whoami", headers={"accept": "*/*"})).status_code == 401
        answer = await other.post("/sign-in", data=ARU | {"password": "маки цветут"})
        assert answer.status_code == 303


async def test_nobody_is_called_what_cannot_be_seen(site):
    unseen = {"first_name": "А\u202eр\u200bу\x07", "surname": " Сей\ufeffтова\nмладшая "}
    async with site.browser() as browser:
        await browser.post("/sign-up", data=ARU | unseen)
        assert (await browser.get("/whoami")).json()["name"] == "Ару Сейтова младшая"
        await browser.post("/account", data=unseen | {"first_name": "\u2067Бек\u2069"})
        assert (await browser.get("/whoami")).json()["name"] == "Бек Сейтова младшая"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"current": "не тот", "password": "маки цветут", "repeated": "маки цветут"}, "неверен"),
        ({"current": "тюльпаны цветут", "password": "a", "repeated": "a"}, "не короче 8"),
        ({"current": "тюльпаны цветут", "password": "маки цветут", "repeated": "б"}, "совпадают"),
    ],
)
async def test_a_password_is_not_changed_by_a_wrong_form(site, form, words):
    async with site.browser() as browser:
        await browser.post("/sign-up", data=ARU)
        answer = await browser.post("/account/password", data=form)
        assert answer.status_code == 400
        assert words in answer.text
        assert await site.accounts.authenticate(ARU["email"], ARU["password"])


async def test_the_account_page_asks_to_sign_in(site):
    async with site.browser() as browser:
        answer = await browser.get("/account")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/account")


async def test_basic_is_heard_under_api_only(site):
    aru = await site.accounts.sign_up(ARU["email"], ARU["password"])
    async with site.browser(headers=basic("aru@mail.kz", ARU["password"])) as program:
        assert (await program.get("/api/whoami")).json()["account_id"] == aru.id
        assert (await program.get("/whoami")).json()["account_id"] is None
    assert not API.match("/apiary")


@pytest.mark.parametrize(
    "password", ["a:b:c:defg", "\\n\\\\\"',", "пароль: ә і ң һ", ":начало-с-:"]
)
async def test_basic_takes_every_password_a_file_may_hold(site, password):
    email = "айгүл_һаким_12@mail.kz"
    await site.accounts.ensure(email, password)
    async with site.browser(headers=basic(email, password)) as program:
        assert (await program.get("/api/whoami")).json()["email"] == email


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic YWJj", basic("test", "test")])
async def test_unreadable_and_wrong_basic_is_401_with_a_challenge(site, header):
    headers = header if isinstance(header, dict) else {"authorization": header}
    async with site.browser(headers=headers) as program:
        answer = await program.get("/api/whoami")
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong-credentials")
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_an_inactive_account_is_403(site, db):
    await site.accounts.sign_up(ARU["email"], ARU["password"])
    await db.execute("UPDATE account SET is_active = false")
    async with site.browser(headers=basic("aru@mail.kz", ARU["password"])) as program:
        answer = await program.get("/api/whoami")
        assert (answer.status_code, answer.json()["code"]) == (403, "account-inactive")


async def test_a_browser_gets_one_device_and_a_program_none(site):
    async with site.browser() as browser:
        first = (await browser.get("/whoami")).json()["device"]
        assert browser.cookies["biletter_device"] == first
        again = await browser.get("/whoami")
        assert again.json()["device"] == first
        assert "set-cookie" not in again.headers
    async with site.browser(headers={"accept": "application/json"}) as program:
        answers = [await program.get("/api/whoami") for _ in range(2)]
        assert all("set-cookie" not in answer.headers for answer in answers)
        assert answers[0].json()["device"] != answers[1].json()["device"]


async def test_a_made_up_device_is_replaced(site):
    async with site.browser(cookies={"biletter_device": "me"}) as browser:
        assert len((await browser.get("/whoami")).json()["device"]) == 22


async def test_a_session_in_use_is_renewed_by_the_day(site, clock):
    async with site.browser() as browser:
        await browser.post("/sign-up", data=ARU)
        before = browser.cookies["biletter_session"]
        clock.advance(25 * 3600)
        assert (await browser.get("/whoami")).json()["email"] == "aru@mail.kz"
        assert browser.cookies["biletter_session"] != before


async def test_a_visitor_is_its_account_where_one_is_known_and_else_its_device(site):
    aru = await site.accounts.sign_up(ARU["email"], ARU["password"])
    account = subject_of(b"k" * 32, "account", aru.id)
    seen = []

    async def look(scope, receive, send):
        seen.append(await site.identity.visitor(Request(scope, receive, send)))
        headers = dict(scope["headers"])
        if b"authorization" not in headers:
            assert site.identity.near(headers, scope["device"]) == seen[-1]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    site.app.app = look
    token = await site.sessions.start(aru)
    async with site.browser(cookies={"biletter_session": token}) as browser:
        await browser.get("/")
    async with site.browser(headers=basic("aru@mail.kz", ARU["password"])) as program:
        await program.get("/")
    async with site.browser() as nobody:
        await nobody.get("/")
        await nobody.get("/")
    assert seen[:2] == [account, account]
    assert seen[2] == seen[3] != account
    assert seen[2] == subject_of(b"k" * 32, "device", nobody.cookies["biletter_device"])
