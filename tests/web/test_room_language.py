"""The room speaks the language that a browser asks for: its page, and its refusals."""

from pathlib import Path

import httpx
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HTML, Site


async def page(visitor: httpx.AsyncClient, query: str = "") -> str:
    return (await visitor.get(f"/queue/{EVENT}{query}", headers=HTML)).text


async def test_the_page_and_the_calls_speak_the_language_that_the_browser_asks_for(
    redis_rooms: Redis, clock: ManualClock, tmp_path: Path
):
    site = Site(redis_rooms, clock, tmp_path)
    await site.open()
    aru = site.visitor()
    aru.headers["accept-language"] = "kk-KZ,kk;q=0.9,ru;q=0.8"
    assert '<html lang="kk"' in await page(aru)
    # The ordinary route, and the hot one.
    none = {"authorization": "Entry no.entry.ofours"}
    for method, path in (("DELETE", "entries/me"), ("GET", "entries/me")):
        refused = await aru.request(method, f"/rooms/{EVENT}/{path}", headers=none)
        assert refused.json()["code"] == "entry-forged"
        assert refused.json()["detail"] == "Кезектегі бұл нөмірді біз берген жоқпыз."
    # Who has chosen another language here is not asked again.
    assert '<html lang="en"' in await page(aru, "?lang=en")
    assert '<html lang="en"' in await page(aru)
    refused = await aru.get(f"/rooms/{EVENT}/entries/me", headers=none)
    assert refused.json()["detail"] == "This queue number was not issued by us."
