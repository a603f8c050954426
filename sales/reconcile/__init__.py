"""Reconcilers: what PostgreSQL, Redis, the ledger and the gateway say of one thing is compared.

Where the rule is certain (Redis follows PostgreSQL; asking the gateway never harms) a difference is
repaired and told; every other one becomes a review item for staff, with what to do. What is in
flight is looked at twice before anybody hears of it.
"""
