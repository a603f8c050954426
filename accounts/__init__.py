"""People: accounts, sign-in, sessions, and who a request comes from."""
