"""The machine face: the public sales contract under /api/*, on the same verbs as the pages."""
