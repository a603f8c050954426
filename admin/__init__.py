"""Staff apps: the throttle console and the audit. They use the verbs of the two contexts."""
