"""The small shared floor: no ticketing rule lives here, and it imports nothing of ours."""
