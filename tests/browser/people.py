"""What people do in a browser, in their own words."""

import itertools
import os
import re

from playwright.sync_api import Page, expect

GOOD, DECLINED = "4111 1111 1111 1111", "4000 0000 0000 0002"
COUNTER = itertools.count(1)
PASSWORD = "longer than eight"


def new_email() -> str:
    """Nobody has signed up with it, in this run of the service or an earlier one."""
    return f"buyer-{os.getpid()}-{next(COUNTER)}@example.kz"


def sign_up(page: Page, site: str, name: str = "Бек") -> str:
    """A new buyer; returns the e-mail."""
    email = new_email()
    page.goto(f"{site}/sign-up")
    page.locator('[name="first_name"]').fill(name)
    page.locator('[name="email"]').fill(email)
    page.locator('[name="password"]').fill(PASSWORD)
    page.locator("main form button").first.click()
    expect(page).not_to_have_url(re.compile("sign-up"))
    return email


def free_seats(page: Page):
    return page.locator("label.seat:not(.is-held):not(.is-sold):not(.is-mine)")


def choose(page: Page, count: int) -> None:
    """Tick the first free seats of the block on the screen and take them."""
    for index in range(count):
        free_seats(page).nth(index).click()
    page.locator("#take").click()
    expect(page).to_have_url(re.compile(r"/orders/\d+$"))


def pay(page: Page, card: str) -> None:
    """From the order page through the card form, until the gateway sends one back."""
    page.get_by_role("button", name=re.compile("^Оплатить")).click()
    expect(page.locator('[name="CardNumber"]')).to_be_visible()
    page.locator('[name="CardNumber"]').fill(card)
    page.locator('[name="ExpiryDate"]').fill("12/39")
    page.locator('[name="Cvv"]').fill("123")
    page.locator('[name="CardholderName"]').fill("BEK OSPANOV")
    page.locator('[name="Email"]').fill("bek@example.kz")
    page.locator("button.pay").click()
    expect(page).to_have_url(re.compile(r"/orders/\d+"))


def cinema_zone(page: Page, site: str) -> str:
    """The first zone of an event that has no queue."""
    events = page.request.get(f"{site}/api/events?query=кино&pageSize=20").json()
    events += page.request.get(f"{site}/api/events?page=2&pageSize=20").json()
    event = next(one["id"] for one in events if one["id"] != 1)
    return f"{site}/events/{event}/zones/1"
