"""What tests of the machine face share: the face itself, and Aru and Bek as its callers."""

import pytest
import structlog

from tests.halls import build_event
from tests.web.api_stand import api_stand


@pytest.fixture
async def stand(db, redis_shop, clock, tmp_path):
    async with api_stand(db, redis_shop, clock, tmp_path) as made:
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
async def event_id(db):
    return await build_event(db)


@pytest.fixture
def heard():
    """Log lines of this test."""
    with structlog.testing.capture_logs() as lines:
        yield lines
