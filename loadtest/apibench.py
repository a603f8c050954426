"""The public contract's calls against a bare answer of the same server, measured in the same run:
searches, seat lists, logins, and the contract's own flow (book, look, select, list, cancel).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from loadtest import apicalls
from loadtest.blast import Blast, blast, cpu_seconds, get
from loadtest.figures import Figures
from loadtest.purchases import buyer, hold, sites_of
from loadtest.salesbench import make_hall
from loadtest.stand import Stand
from loadtest.visitor import OK, Gone, Visit, code_of, demo_account

CONNECTIONS = 64
# A search asks the database every time: as many at once as a crowd of programs would.
SEARCHERS = 8
STAR = 1
FLOW_SEATS = 8_000
# Whose first login is measured; so few of them come again in the rounds that each is remembered.
PEOPLE, KNOWN = 3_000, 100
FLOW = "whole flow"
RATIOS = ("search, repeated", "search, uncached", "seat list", "login, first", "login, again")
Measure = Callable[[], Awaitable[Blast]]


class ApiBench:
    def __init__(
        self, stand: Stand, peer_port: int, peer_pid: int, *, seconds: float, rounds: int
    ) -> None:
        self.stand, self.peer_port, self.peer_pid = stand, peer_port, peer_pid
        self.seconds, self.rounds = seconds, rounds
        self.pids = stand.pids("run", "sales")
        self.results: dict[str, float] = {}

    async def run(self, buyers: int) -> dict[str, float]:
        """The rounds of all calls in turn, and of each the middle one; then the flow."""
        people = [demo_account(number + 1) for number in range(PEOPLE)]
        first = await self._sales(apicalls.first_calls(people), CONNECTIONS, 10 * self.seconds)
        found: dict[str, list[Blast]] = {}
        for _ in range(self.rounds):
            for name, measure in self._measures(people).items():
                found.setdefault(name, []).append(await measure())
        rows = {
            name: sorted(blasts, key=lambda one: one.rate)[len(blasts) // 2]
            for name, blasts in found.items()
        }
        rows["login, first"] = first
        self._table(rows)
        await self._flow(buyers, rows["bare answer"])
        for name in RATIOS:
            self.results[f"{name} ÷ bare, rate"] = rows[name].rate / rows["bare answer"].rate
            self.results[f"{name} ÷ bare, CPU"] = rows[name].cpu_us / rows["bare answer"].cpu_us
        for name, value in self.results.items():
            print(f"{name:<36}{value:>8.2f}")
        return self.results

    def _measures(self, people: list[tuple[str, str]]) -> dict[str, Measure]:
        paths = apicalls.addresses()
        return {
            "bare answer": lambda: self._peer(lambda: get("/bare")),
            "framework route": lambda: self._peer(lambda: get("/route")),
            "search, repeated": lambda: self._warm(apicalls.repeated(paths)),
            "search, uncached": lambda: self._warm(apicalls.never_twice(paths), SEARCHERS),
            "seat list": lambda: self._warm(apicalls.seat_lists(STAR, people)),
            "login, again": lambda: self._warm(apicalls.own_bookings(people[:KNOWN])),
        }

    async def _flow(self, buyers: int, bare: Blast) -> None:
        """As the contract's own test walks it, by so many at once in one hall."""
        event = await make_hall(self.stand, FLOW_SEATS)
        await self._walk(Figures(), event, buyers, self.seconds / 2)
        figures, before = Figures(), cpu_seconds(self.pids)
        flows, lost, spent = await self._walk(figures, event, buyers, 2 * self.seconds)
        cpu_ms = (cpu_seconds(self.pids) - before) / max(1, flows) * 1e3
        calls = sum(figures.count(step) for step in figures.steps() if step != FLOW)
        print(f"\nThe contract's flow, {buyers} at once: {flows / spent:.0f}/s, ", end="")
        print(f"sales {cpu_ms:.2f} ms each, {lost} lost a seat")
        print(figures.table(FLOW))
        self.results["flows/s"] = flows / spent
        self.results["flow's calls ÷ bare, rate"] = calls / spent / bare.rate
        self.results["flow's calls ÷ bare, CPU"] = cpu_ms * 1e3 * flows / calls / bare.cpu_us

    async def _walk(
        self, figures: Figures, event: int, buyers: int, seconds: float
    ) -> tuple[int, int, float]:
        """Flows, those that found no seat, and seconds."""
        sites, flows, lost = sites_of(self.stand), 0, 0
        started = time.perf_counter()

        async def one(index: int) -> None:
            nonlocal flows, lost
            while time.perf_counter() < started + seconds:
                visit = buyer(sites, figures, index, event)
                begun = time.perf_counter()
                lost += not await flow(visit)
                flows += 1
                figures.note(FLOW, time.perf_counter() - begun)

        await asyncio.gather(*(one(index) for index in range(buyers)))
        spent = time.perf_counter() - started
        await asyncio.gather(*(site.close() for site in (sites.sales, sites.room, sites.gateway)))
        return flows, lost, spent

    def _table(self, rows: dict[str, Blast]) -> None:
        bare = rows["bare answer"]
        print(f"\nContract ({CONNECTIONS} connections, searches that are not repeated ", end="")
        print(f"{SEARCHERS}; {self.rounds} times {self.seconds:g} s each; CPU of sales)")
        print(f"{'':<20}{'/s':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'CPU µs':>9}", end="")
        print(f"{'÷ bare':>9}{'CPU ÷ bare':>12}")
        for name, row in rows.items():
            wrong = {code: n for code, n in row.statuses.items() if code != OK}
            cells = f"{row.rate:>9.0f}{row.ms(0.5):>9.2f}{row.ms(0.95):>8.2f}{row.ms(0.99):>8.2f}"
            ratios = f"{row.rate / bare.rate:>9.2f}{row.cpu_us / bare.cpu_us:>12.2f}"
            refused = f"  REFUSED {wrong}" if wrong else ""
            print(f"{name:<20}{cells}{row.cpu_us:>9.1f}{ratios}{refused}")

    async def _peer(self, requests: apicalls.Requests) -> Blast:
        return await self._blast(
            self.peer_port, [self.peer_pid], requests, CONNECTIONS, self.seconds
        )

    async def _warm(self, requests: apicalls.Requests, many: int = CONNECTIONS) -> Blast:
        await self._sales(requests, many, self.seconds / 4)
        return await self._sales(requests, many, self.seconds)

    async def _sales(self, requests: apicalls.Requests, many: int, seconds: float) -> Blast:
        return await self._blast(self.stand.port, self.pids, requests, many, seconds)

    async def _blast(self, port: int, pids: list[int], requests: Any, many: int, s: float) -> Blast:
        return await blast(port, requests, seconds=s, connections=many, pids=pids)


async def flow(visit: Visit) -> bool:
    """Book, look, select, list, cancel; whether a seat was had. Raises Gone for whatever the
    contract doesn't foresee.
    """
    taken = await hold(visit)
    listed = await visit.ask_sales("list", "GET", "/api/bookings")
    mine = [one for one in listed.json() if one["id"] == visit.booking]
    if listed.status != OK or not mine or len(mine[0]["seats"]) != taken:
        raise Gone(f"list: {code_of(listed)}, and the booking is not as it was made")
    body = {"booking_id": visit.booking}
    answer = await visit.ask_sales("cancel", "PATCH", "/api/bookings/cancel", body)
    if answer.status != OK:
        raise Gone(f"cancel: {code_of(answer)}")
    return taken > 0
