"""Local Redis and PostgreSQL, for machines where the environment names no engine of its own.

We launch the machine's own binaries, or else those carried by wheels, always over unix sockets
inside the data folder and always with a parent-death signal: a killed parent leaves no orphan.
"""
