"""A shop with one event of eleven seats."""

import pytest

from tests.flow.shop import AHEAD, open_shop


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path):
    return await open_shop(db, redis_shop, clock, tmp_path, starts_at=AHEAD)
