"""Work that nobody waits for in a browser: the outbox's worker and relay, and the ticker."""
