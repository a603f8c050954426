"""Chromium on the real, running service. Where it can't be had these tests say so loudly; in CI
they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.house import House

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing of this browser talks to anybody but us.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
PHONE = {"width": 390, "height": 844}
# People read Russian here unless a test says otherwise.
USUAL = {"viewport": PHONE, "locale": "ru-RU"}


# Not for the session: while Playwright lives it keeps an event loop running in this thread, and
# asynchronous tests cannot have their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = "NO CHROMIUM: the browser tests did not run (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        expect.set_options(timeout=PATIENCE_MS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages of people who don't know each other: each in a browser of its own."""
    contexts: list[BrowserContext] = []

    def make(**options) -> Page:
        contexts.append(browser.new_context(**(USUAL | options)))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def site(server: House) -> str:
    return server.address("sales").replace("127.0.0.1", "localhost")
