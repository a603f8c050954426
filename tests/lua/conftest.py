"""The holds of a shop with nothing in it yet."""

import pytest

from sales.catalogue import Catalogue
from sales.holds import Holds


@pytest.fixture
def holds(redis_shop, db, clock):
    return Holds(redis_shop, db, Catalogue(db, clock), clock)
