"""The same edge for every process: request ids, safety headers, refusals, health, pages."""
