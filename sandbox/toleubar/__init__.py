"""A stand-in for the payment integrator ToleuBar: its own process, real HTTP, contract-true.

It behaves as documented; the switchboard turns on the faults and the "faithful" profile that
repeats what the real service was seen to do. It imports the kernel only: to the ticket service
it is a stranger.
"""
