"""What tests of the faces share: the machine face with Aru and Bek as its callers, and the desk."""

import pytest
import pytest_asyncio
import structlog

from kernel.clock import ManualClock
from tests.halls import build_event
from tests.web.admin_site import Desk
from tests.web.api_stand import OWNER, api_stand
from tests.web.provider_stand import open_provider


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch):
    """People sign in by the hundred here; what a hash has to cost is told in tests/sql."""
    monkeypatch.setattr("accounts.passwords.MEMORY_KIB", 64)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Booking is tried with seats of a partner each time, the rest of the contract when asked for
    (OWNER).
    """
    if "owner" in metafunc.fixturenames and metafunc.module.__name__.endswith("test_api_booking"):
        metafunc.parametrize("owner", ["own", "partner"])


@pytest.fixture
def owner() -> str:
    return OWNER


@pytest.fixture
async def stand(db, redis_shop, clock, tmp_path, owner):
    async with api_stand(db, redis_shop, clock, tmp_path, owner=owner) as made:
        yield made


@pytest.fixture
async def aru(stand):
    async with stand.api("aru") as client:
        yield client


@pytest.fixture
async def bek(stand):
    async with stand.api("bek") as client:
        yield client


@pytest.fixture
async def desk(db, redis_rooms, clock, tmp_path):
    made = Desk(db, redis_rooms, clock, tmp_path / "keys")
    await made.open()
    yield made
    made.passwords.close()


@pytest.fixture
async def event_id(db):
    return await build_event(db)


@pytest.fixture
def heard():
    """Log lines of this test."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_provider(tmp_path_factory):
    """One stand-in for a module: each test has a hall of its own."""
    path = tmp_path_factory.mktemp("provider") / "records.sqlite"
    async with open_provider(path, ManualClock()) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def provider(shared_provider):
    """With all switches off. Its tests run in the module's loop."""
    await shared_provider.faults()
    return shared_provider
