"""The waiting room: a fair queue in front of an event, whose only memory is Redis.

It knows nothing of accounts or sales. What goes out is a signed pass; what comes back are the
two verbs `keep` and `free`, called when a visit begins and ends.
"""
