"""A duty for the supervisor's tests: answers /health/ready, and is as naughty as it is told.

    python duty.py OFFSET [deaf] [chatty]

OFFSET: its port is BILETTER_PORT + OFFSET. deaf: ignores SIGTERM. chatty: writes megabytes.
"""

import http.server
import os
import signal
import sys

offset, *manners = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if "chatty" in manners:
            for _ in range(2_000):
                sys.stdout.write("x" * 500 + "\n")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def leave(*_):
    sys.exit(0)


signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in manners else leave)
port = int(os.environ["BILETTER_PORT"]) + int(offset)
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
