"""The order in which the house opens and closes.

1. engines (those the environment does not name), until they answer
2. migrations, demo data
3. every duty of the Procfile, until the web duties are ready; meanwhile the demo's halls that a
   partner owns are laid and connected there
Closing goes backwards: duties first, then engines, each with its grace.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from biletter.datafolder import DataFolder
from biletter.engines import postgres, redis
from biletter.engines.launch import Engine, wait_until_answers
from biletter.settings import DUTIES_WITH_A_PORT, ROOT, Settings
from biletter.supervisor.console import Console
from biletter.supervisor.errand import run_errand
from biletter.supervisor.keeper import Job, Keeper
from biletter.supervisor.logfile import LogFile
from biletter.supervisor.ports import check_ports
from biletter.supervisor.procfile import read_procfile
from biletter.supervisor.readiness import wait_until_ready
from biletter.trouble import Trouble

ENGINE_GRACE_S = 30.0
DUTY_GRACE_S = 10.0


class House:
    """All processes of one `biletter up`."""

    def __init__(self, settings: Settings, procfile: Path, console: Console, *, demo: bool) -> None:
        """demo: fill an empty database with demo data. Raises Trouble before anything starts."""
        self._settings = settings
        self._console = console
        self._demo = demo
        self._duties = read_procfile(procfile)
        self._folder = DataFolder(settings.data)
        self._engines: list[Keeper] = []
        self._keepers: list[Keeper] = []
        self._environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "BILETTER_DATA": str(settings.data),
            "BILETTER_PORT": str(settings.port),
        }
        if "sales" not in self._duties and "sales" not in settings.public:
            self._environment.setdefault("BILETTER_SHOP", "off")
        check_ports(settings.bind, self._ports())

    async def open(self) -> None:
        """Starts everything, until it answers. Raises Trouble."""
        try:
            engines = await asyncio.to_thread(self._prepare_engines)
        except OSError as reason:
            raise Trouble(f"Cannot use {reason.filename}: {reason.strerror}.") from reason
        await asyncio.gather(*(self._start_engine(engine) for engine in engines))
        self._note_environment()
        await self._run_errand("migrate")
        if self._demo:
            await self._run_errand("seed", "demo", "--if-empty")
        for name, command in self._duties.items():
            keeper = self._keeper(self._job(name, command))
            self._keepers.append(keeper)
            await keeper.start()
            keeper.watch()
        preparing = [wait_until_ready(self.addresses())]
        if self._demo:
            preparing.append(self._prepare_partner())
        await asyncio.gather(*preparing)

    async def close(self, hurry: asyncio.Event) -> None:
        """Stops everything, in order; nothing of ours is left when it returns."""
        await asyncio.gather(*(keeper.stop(hurry) for keeper in self._keepers))
        calm = asyncio.Event()  # never hurried: an engine's stop is short and keeps its data whole
        await asyncio.gather(*(keeper.stop(calm) for keeper in self._engines))
        self._folder.forget_running()

    def addresses(self) -> dict[str, str]:
        """Web duty → the address it answers on from this machine."""
        every = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - recognised, not bound
        host = every.get(self._settings.bind, self._settings.bind)
        return {duty: f"http://{host}:{port}" for duty, port in self._ports().items()}

    def _ports(self) -> dict[str, int]:
        return {
            duty: self._settings.port_of(duty)
            for duty in DUTIES_WITH_A_PORT
            if duty in self._duties
        }

    def _prepare_engines(self) -> list[Engine]:
        """Those the environment doesn't name; the address of each joins the duties' environment."""
        data, settings = self._settings.data, self._settings
        engines: dict[str, Engine] = {}
        if settings.redis_rooms_url is None:
            engines["REDIS_ROOMS_URL"] = redis.prepare(data, "rooms")
        if settings.redis_shop_url is None:
            engines["REDIS_SHOP_URL"] = redis.prepare(data, "shop")
        if settings.database_url is None:
            engines["DATABASE_URL"] = postgres.prepare(data)
        self._environment |= {variable: engine.url for variable, engine in engines.items()}
        return list(engines.values())

    async def _start_engine(self, engine: Engine) -> None:
        keeper = self._keeper(
            Job(
                name=engine.name,
                command=engine.command,
                environment={**self._environment, **engine.environment},
                folder=Path("/"),
                stop_signal=engine.stop_signal,
                death_signal=engine.stop_signal,
                grace_s=ENGINE_GRACE_S,
                account=engine.account,
            ),
            quiet=True,
        )
        self._engines.append(keeper)
        await keeper.start()
        await wait_until_answers(engine, keeper.is_alive, keeper.log.path)
        keeper.watch()

    async def _prepare_partner(self) -> None:
        if "provider" in self._duties:
            await wait_until_ready({"provider": self.addresses()["provider"]})
        await self._run_errand("seed", "halls")

    async def _run_errand(self, *arguments: str) -> None:
        """One of our own commands, to its end."""
        job = self._job(arguments[0], [sys.executable, "-m", "biletter", *arguments])
        await run_errand(job, self._console.relay)

    def _job(self, name: str, command: Sequence[str]) -> Job:
        return Job(
            name=name,
            command=command,
            environment=self._environment,
            folder=ROOT,
            grace_s=DUTY_GRACE_S,
        )

    def _keeper(self, job: Job, *, quiet: bool = False) -> Keeper:
        """quiet: only the log file hears it, but for the keeper's own words about its death."""
        log = LogFile(self._folder.log / f"{job.name}.log")
        return Keeper(job, log, self._console, self._note_state, quiet=quiet)

    def _note_environment(self) -> None:
        """Addresses of what runs here, for other commands (`biletter env`)."""
        names = ("BILETTER_PORT", "REDIS_ROOMS_URL", "REDIS_SHOP_URL", "DATABASE_URL")
        asked = [name for name in ("BILETTER_SITES", "BILETTER_SHOP") if name in self._environment]
        told = {name: self._environment[name] for name in (*names, *asked)}
        self._folder.write_environment(told)

    def _note_state(self) -> None:
        """Which processes run now, for `biletter status`."""
        self._folder.write_state(
            {
                keeper.job.name: {
                    "pid": keeper.pid,
                    "started_at": keeper.started_at,
                    "restarts": keeper.restarts,
                }
                for keeper in (*self._engines, *self._keepers)
            }
        )
