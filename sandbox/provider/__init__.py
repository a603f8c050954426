"""A stand-in for the partner who owns seats: its own process, real HTTP, contract-true.

Writing is decided at once, reading lags behind by projections, and nothing is idempotent: what the
real service does to its partners, this one does too. It imports the kernel only: to the ticket
service it is a stranger. One real instance is one hall; here halls are told apart by a prefix.
"""
