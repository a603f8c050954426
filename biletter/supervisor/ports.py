"""Asked before anything starts: are our ports free?

A server that shares ports (SO_REUSEPORT) would not notice another one behind the same number,
so the question is asked without it.
"""

import errno
import socket

from biletter.trouble import Trouble


def check_ports(bind: str, ports: dict[str, int]) -> None:
    """ports: duty → number. Raises Trouble for the first one we can't have."""
    for duty, port in ports.items():
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as reason:
            raise Trouble(_sentence(bind, duty, port, reason)) from reason


def _sentence(bind: str, duty: str, port: int, reason: OSError) -> str:
    if reason.errno == errno.EADDRINUSE:
        return f"Port {port} ({duty}) is taken: free it, or set BILETTER_PORT to another number."
    if reason.errno == errno.EACCES:
        return f"Port {port} ({duty}) needs more rights: set BILETTER_PORT to 1024 or above."
    return f"Cannot listen on {bind} port {port} ({duty}): {reason.strerror}."
