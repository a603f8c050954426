"""The waiting room's face: its calls for programs, its page for people."""
