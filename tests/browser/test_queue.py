"""The queue page in Chromium: proof of work, the place on another device, the call."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from kernel.clock import SystemClock
from kernel.keyring import Keyring
from tests.house import House
from waitingroom.invitations import Invitations

pytestmark = pytest.mark.browser
SETTINGS = "room:{1}:settings"
ORDINARY = {"state": "open", "proof_bits": 0, "rate_per_minute": 600, "ceiling": 1000}
# The room is read four times a second.
READ_MS = 800
# What a page that hears the stream leaves between two polls (static/queue.js).
POLL_MS = 12_000


@pytest.fixture
def room(server: House) -> Iterator[Callable[..., None]]:
    """Sets the star's room, and puts it back afterwards."""
    redis: Any = Redis(unix_socket_path=str(server.data / "run" / "redis-rooms.sock"))
    before = redis.hgetall(SETTINGS)

    def change(**fields) -> None:
        redis.hset(SETTINGS, mapping=ORDINARY | fields)

    yield change
    redis.hset(SETTINGS, mapping=before)
    redis.close()


def queue_of(page: Page, site: str) -> str:
    """To the queue page by the event's; whoever comes from there joins without a press. Returns
    the page's bare address, which joins nobody by itself.
    """
    page.goto(f"{site}/events/1")
    page.get_by_role("link", name="Встать в очередь").first.click()
    expect(page.locator("#place")).to_be_visible()
    return page.url.partition("?")[0]


def waits(page: Page) -> None:
    expect(page.locator('#place:is([data-shows="waiting"], [data-shows="paused"])')).to_be_visible()


def test_a_browser_works_for_its_number_unasked(new_page, site, room):
    room(state="paused", proof_bits=14)
    page = new_page()
    page.wait_for_timeout(READ_MS)
    page.goto(queue_of(new_page(), site))
    expect(page.locator("#place")).to_have_attribute("data-bits", "14")
    page.locator('form[data-verb="join"] button').click()
    waits(page)
    assert page.title().startswith("№ ")


def test_a_place_moves_to_another_browser_by_its_link(new_page, site, room):
    room(state="paused")
    laptop, phone = new_page(), new_page()
    laptop.wait_for_timeout(READ_MS)
    queue_of(laptop, site)
    waits(laptop)
    number = laptop.locator(".queue-number strong").inner_text()
    laptop.locator('form[data-verb="handovers"] button').click()
    expect(laptop.locator("#handover img")).to_be_visible()
    waits(laptop)
    phone.goto(laptop.locator(".queue-link a").get_attribute("href"))
    phone.get_by_role("button", name="Забрать место").click()
    waits(phone)
    assert phone.locator(".queue-number strong").inner_text() == number
    expect(laptop.locator('#place[data-shows="moved"]')).to_be_visible()


def test_who_asked_to_be_called_is_called_by_a_notification(new_page, site, room):
    room(state="paused")
    page = new_page(permissions=["notifications"])
    page.wait_for_timeout(READ_MS)
    page.add_init_script(
        "window.Notification = class { static permission = 'granted';"
        " static requestPermission() { return Promise.resolve('granted'); }"
        " constructor(words) { sessionStorage.called = words; } };"
    )
    address = queue_of(page, site)
    waits(page)
    page.locator("#queue-alert").click()
    expect(page.locator("#queue-alert")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#queue-alert-note")).to_contain_text("уведомлением")
    room(state="open")
    # Not the address of the queue page, which only mentions the event.
    page.wait_for_url(re.compile(r"^[^?]*/events/1"))
    page.goto(address)
    assert page.evaluate("sessionStorage.called") == "Ваша очередь подошла"


def test_near_the_front_the_server_tells_by_itself(new_page, site, room, server):
    """The stream brings the call long before the next poll would."""
    leases = "room:{1}:leases"
    redis: Any = Redis(unix_socket_path=str(server.data / "run" / "redis-rooms.sock"))
    redis.zadd(leases, {"somebody inside": (time.time() + 120) * 1000})
    room(state="open", ceiling=1)
    page = new_page()
    page.wait_for_timeout(READ_MS)
    with page.expect_request(re.compile(r"/rooms/1/live$")):
        queue_of(page, site)
    waits(page)
    redis.zrem(leases, "somebody inside")
    with page.expect_request(re.compile(r"/rooms/1/claims$"), timeout=POLL_MS // 2):
        room(state="open", ceiling=1000)
    page.wait_for_url(re.compile(r"^[^?]*/events/1"))
    redis.close()


def test_an_invitation_is_used_by_its_button(new_page, site, room, server):
    room(state="paused")
    keyring, clock = Keyring(server.data / "keys"), SystemClock()
    until_s = clock.ms() // 1000 + 600
    token = Invitations(keyring, clock).write(1, lane="fans", until_s=until_s)
    page = new_page()
    page.wait_for_timeout(READ_MS)
    address = queue_of(new_page(), site)
    page.goto(f"{address}?invite={token}")
    expect(page.locator("#queue-invite")).to_be_visible()
    page.get_by_role("button", name="Встать по приглашению").click()
    waits(page)
    expect(page.get_by_text("Вы в очереди приглашённых")).to_be_visible()
    other = new_page()
    other.goto(f"{address}?invite={token}")
    other.get_by_role("button", name="Встать по приглашению").click()
    expect(other.get_by_text("Этим приглашением уже воспользовались.")).to_be_visible()


def test_a_page_that_nobody_hears_says_so_and_goes_on_by_itself(new_page, site, room):
    room(state="paused")
    page = new_page()
    queue_of(page, site)
    waits(page)
    lost = page.locator("#queue-lost")
    expect(lost).to_be_hidden()
    page.context.set_offline(True)
    expect(lost).to_be_visible()
    expect(page.locator("#queue-says")).to_contain_text("Нет связи с очередью")
    page.context.set_offline(False)
    expect(lost).to_be_hidden()
    waits(page)
