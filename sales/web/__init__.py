"""The sales process over HTTP: pages for people, calls for programs."""
