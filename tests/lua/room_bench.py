"""A room's commands by name, on the keys of event 1, at a time that the test chooses."""

from pathlib import Path
from typing import Any

from redis.asyncio import Redis

import waitingroom
from kernel.lua import LuaScripts
from waitingroom import keys
from waitingroom.settings import RoomSettings, to_hash

EVENT, GENERATION = 1, 7
LIVE_S, SLACK_MS, REMEMBER_MS = 180, 15_000, 120_000
START_MS = 1_780_315_200_000


class Bench:
    def __init__(self, redis: "Redis") -> None:
        self.redis = redis
        self.now_ms = START_MS
        self._scripts = LuaScripts(redis, Path(waitingroom.__file__).parent / "lua")

    async def open(self, **fields: Any) -> list[Any]:
        settings = RoomSettings(**{"generation": GENERATION, "version": 1} | fields)
        return await self._run("open", [keys.settings(EVENT)], to_hash(settings))

    async def set(self, **fields: str | int) -> None:
        for field, value in fields.items():
            await self.redis.hset(keys.settings(EVENT), field, str(value))

    async def join(self, who: str, generation: int = GENERATION) -> list[Any]:
        """The answer for this subject, or the one for all."""
        answers = await self.joins(who, generation=generation)
        return answers[0]

    async def joins(
        self, *whos: str, generation: int = GENERATION, floor: int = 0
    ) -> list[list[Any]]:
        """One command for all of them, and each one's answer."""
        names = self._named("settings line done knocked leases live", "")
        for gen in (GENERATION, GENERATION - 1):
            names += [keys.places(EVENT, gen, who.encode()) for who in whos]
        args = [generation, self.now_ms, LIVE_S, generation, floor, *whos]
        reply = await self._run("join", names, args)
        if reply[0] != "answered":
            return [reply]
        return [list(pair) for pair in zip(reply[1::2], reply[2::2], strict=True)]

    async def adopt(
        self, giver: str, taker: str, number: int, generation: int = GENERATION, hands: int = 0
    ) -> list[Any]:
        names = self._named("settings line place", giver)
        names += self._named("place done left knocked owners moves", taker)
        return await self._run("adopt", names, [generation, giver, taker, number, hands])

    async def heartbeat(self, number: int, generation: int = GENERATION) -> list[Any]:
        names = self._named("settings line live called done knocked returned", "")
        return await self._run("heartbeat", names, [generation, LIVE_S, number])

    async def leave(self, who: str, number: int, generation: int = GENERATION) -> list[Any]:
        names = self._named("settings line place done left live leases", who)
        return await self._run("leave", names, [generation, who, number, self.now_ms])

    async def look(self, who: str, number: int, generation: int = GENERATION) -> list[Any]:
        names = self._named("settings line place done knocked leases called", who)
        return await self._run("look", names, [generation, who, number, self.now_ms])

    async def claim(
        self, who: str, number: int, generation: int = GENERATION, *, own_clock: bool = False
    ) -> list[Any]:
        names = self._named("settings line place done knocked leases visits bucket called", who)
        names += self._named("standing came left owners", who)
        now_ms = 0 if own_clock else self.now_ms
        args = [generation, who, number, f"jti-{who}-{self.now_ms}", SLACK_MS, now_ms]
        return await self._run("claim", names, args)

    async def keep(self, who: str, until_ms: int, jti: str = "") -> list[Any]:
        names = self._named("settings leases visits", who)
        return await self._run("keep", names, [who, jti, until_ms, self.now_ms])

    async def free(self, who: str, jti: str = "") -> list[Any]:
        return await self._run("free", self._named("leases visits", who), [who, jti])

    async def tick(
        self, after_ms: int = 0, fence: int = 1, generation: int = GENERATION
    ) -> list[Any]:
        self.now_ms += after_ms
        """Reckon and call, as the leader does. The answer of the first that refuses."""
        names = self._named("settings line leases reached came standing", "")
        reckoned = await self._run("tick", names, [generation, fence, self.now_ms])
        if reckoned[0] not in ("ticked", "still"):
            return reckoned
        names = self._named("settings line done reached called returned live", "")[:7]
        called = await self._run("call", names, [generation, fence])
        return called if reckoned[0] == "ticked" else reckoned

    async def hear(self, *seconds: int, teller: str = "sales") -> list[Any]:
        """Ages and counts, one after another."""
        args = [teller, self.now_ms, 10, 600, *seconds]
        return await self._run("hear", [keys.traffic(EVENT)], args)

    async def watch(self, fence: int = 1, generation: int = GENERATION) -> list[Any]:
        names = self._named("settings line traffic changes", "")
        return await self._run("watch", names, [generation, fence, self.now_ms, 3])

    async def sweep(self) -> list[Any]:
        names = self._named("leases visits", "")
        return await self._run("sweep", names, [self.now_ms - REMEMBER_MS])

    async def lead(self, name: str, life_ms: int = 2000) -> list[Any]:
        names = [keys.LEADER, keys.LEADER_FENCE]
        return await self._run("lead", names, [name, life_ms, self.now_ms])

    async def read(
        self, known: int = 0, more: int = 100, generation: int = GENERATION
    ) -> list[Any]:
        names = self._named("settings line leases left live", "")[:5] + self._named("moves", "")
        return await self._run("read", names, [generation, self.now_ms, known, more, 0])

    async def configure(self, made_to: int, *, empty: bool = False, **fields: Any) -> list[Any]:
        names = [keys.settings(EVENT), keys.changes(EVENT), keys.line(EVENT, GENERATION)]
        flat = [part for pair in fields.items() for part in map(str, pair)]
        return await self._run("configure", names, [made_to, "{}", 3, int(empty), *flat])

    async def call(self, count: int) -> None:
        """The next `count` numbers are called, by as many ticks as that takes."""
        called = 0
        for _ in range(100):
            reply = await self.tick(250)
            called += reply[2] if reply[0] == "called" else 0
            if called >= count:
                return
        raise AssertionError(f"only {called} were called")

    async def line(self, field: str) -> int:
        return int(await self.redis.hget(keys.line(EVENT, GENERATION), field) or 0)

    def _named(self, names: str, who: str) -> list[str]:
        pair = keys.live_pair(EVENT, GENERATION, self.now_ms)
        of_line = {"line": keys.line, "done": keys.done, "knocked": keys.knocked}
        of_line |= {"called": keys.called, "left": keys.left, "reached": keys.reached}
        of_line |= {"returned": keys.returned, "standing": keys.standing}
        of_line |= {"came": keys.came, "owners": keys.owners, "moves": keys.moves}
        of_room = {"settings": keys.settings, "leases": keys.leases, "visits": keys.visits}
        of_room |= {"bucket": keys.bucket, "traffic": keys.traffic, "changes": keys.changes}
        found: list[str] = []
        for name in names.split():
            if name in of_line:
                found.append(of_line[name](EVENT, GENERATION))
            elif name in of_room:
                found.append(of_room[name](EVENT))
            elif name == "place":
                found.append(keys.places(EVENT, GENERATION, who.encode()))
            else:
                found += pair
        return found

    async def _run(self, name: str, names: list[str], args: list[Any]) -> list[Any]:
        reply = await self._scripts.run(name, names, args)
        return [part.decode() if isinstance(part, bytes) else part for part in reply]
