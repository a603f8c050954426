"""The room under virtual time: its own commands on a real Redis, and simulated visitors."""
