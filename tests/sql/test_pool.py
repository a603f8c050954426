"""The pool of PostgreSQL: nobody waits without an end."""

import asyncio
import time

import pytest

from kernel import db as kernel_db
from kernel import pool as kernel_pool
from kernel.db import GONE, open_pool


async def test_who_finds_no_free_connection_is_told_in_time(db_url, monkeypatch):
    monkeypatch.setattr(kernel_pool, "ACQUIRE_TIMEOUT_S", 0.1)
    pool = await open_pool(db_url, size_max=1)
    async with pool.acquire():
        started = time.monotonic()
        with pytest.raises(GONE):
            await asyncio.wait_for(pool.fetchval("SELECT 1"), 5)
        assert time.monotonic() - started < 4
    assert await pool.fetchval("SELECT 1") == 1
    pool.terminate()


async def test_who_waits_a_moment_gets_the_connection(db_url):
    pool = await open_pool(db_url, size_max=1)
    assert await asyncio.gather(*(pool.fetchval("SELECT $1::int", n) for n in range(20))) == list(
        range(20)
    )
    pool.terminate()


async def test_a_statement_that_takes_too_long_is_given_up_and_the_next_one_works(db_url):
    pool = await open_pool(db_url, size_max=1, statement_timeout_ms=100)
    for _ in range(3):
        with pytest.raises(GONE):
            await pool.fetchval("SELECT pg_sleep(30)")
        assert await pool.fetchval("SELECT 1") == 1
    pool.terminate()


async def test_a_server_that_cannot_even_end_it_is_given_up_too(db_url, monkeypatch):
    """As when it stands still: our own clock is the last one."""
    monkeypatch.setattr(kernel_db, "ABANDON_AFTER_S", -0.9)
    pool = await open_pool(db_url, size_max=1, statement_timeout_ms=1_000)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pool.fetchval("SELECT pg_sleep(30)"), 5)
    assert await pool.fetchval("SELECT 1") == 1
    pool.terminate()


async def test_connections_that_were_all_cut_are_made_anew(db_url):
    pool = await open_pool(db_url, size_max=3)
    await asyncio.gather(*(pool.fetchval("SELECT pg_sleep(0.01)") for _ in range(3)))
    with pytest.raises(GONE):
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() ORDER BY pid = pg_backend_pid()"
        )
    failures = 0
    for _ in range(20):
        try:
            assert await pool.fetchval("SELECT 1") == 1
        except GONE:
            failures += 1
    assert failures <= 3
    pool.terminate()


async def test_what_was_left_open_is_undone_before_the_next_one_gets_the_connection(db_url):
    pool = await open_pool(db_url, size_max=1)
    await pool.execute("CREATE TABLE left_open (n int)")
    conn = await pool.acquire()
    await conn.execute("BEGIN")
    await conn.execute("INSERT INTO left_open VALUES (1)")
    await pool.release(conn)
    assert await pool.fetchval("SELECT count(*) FROM left_open") == 0
    pool.terminate()
