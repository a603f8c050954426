"""Runs the whole Procfile in the foreground: engines first, then migrations, then the duties."""
