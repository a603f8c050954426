"""Health and metrics of a process that answers no web requests (worker, relay, ticker).

The duty's loop says "I went round" (`beat`); a small thread tells whoever asks over HTTP whether
that was lately. The thread keeps answering while the loop is stuck, which is when it matters.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

# A loop goes round several times a second; silent for this long it is stuck or its stores are away.
FRESH_S = 5.0


class Pulse:
    def __init__(self, *parts: str) -> None:
        """`parts` are the loops that must all be alive for the duty to be ready."""
        self._beats = dict.fromkeys(parts, 0.0)

    def beat(self, part: str) -> None:
        self._beats[part] = time.monotonic()

    def missing(self) -> dict[str, str]:
        """What is not alive, with since when; empty: ready."""
        now = time.monotonic()
        late = {part: now - at for part, at in self._beats.items() if now - at > FRESH_S}
        return {
            part: "not yet" if self._beats[part] == 0 else f"silent for {age:.0f} s"
            for part, age in late.items()
        }


def serve_pulse(pulse: Pulse, *, bind: str, port: int) -> ThreadingHTTPServer:
    """Answer /health/live, /health/ready and /metrics from a daemon thread; port 0 picks one."""
    server = ThreadingHTTPServer((bind, port), _handler_of(pulse))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="pulse", daemon=True).start()
    return server


def _handler_of(pulse: Pulse) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library gives the name
            if self.path == "/health/live":
                self._answer(200, {"status": "live"})
            elif self.path == "/health/ready":
                missing = pulse.missing()
                body: dict[str, Any] = {"status": "not ready", "missing": missing}
                self._answer(503 if missing else 200, body if missing else {"status": "ready"})
            elif self.path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._answer(404, {"status": 404, "code": "not-found"})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self._send(status, "application/json", msgspec.json.encode(body))

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its signature
            """Probes are not worth a line."""

    return Handler
