"""A line that breaks in the middle of an answer."""

from kernel.web.edge import Send

# What arrives of a broken answer: a head that promises more than ever comes.
PROMISED_BYTES = b"4096"


async def break_link(send: Send) -> None:
    """The server closes a connection whose answer ends before its promised length."""
    headers = [(b"content-type", b"application/json"), (b"content-length", PROMISED_BYTES)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
