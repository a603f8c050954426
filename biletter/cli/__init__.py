"""The `biletter` command."""
