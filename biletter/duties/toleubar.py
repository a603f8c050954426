"""The stand-in for the payment integrator, with books of its own."""

from biletter.parts import Parts, books_of
from biletter.trouble import Trouble
from kernel.web.serve import serve
from sandbox.sqlite_file import FileBrokenError
from sandbox.toleubar.app import build
from sandbox.toleubar.config import ToleuBarConfig


async def run(parts: Parts) -> None:
    settings = parts.settings
    books = books_of(settings)
    books.parent.mkdir(parents=True, exist_ok=True)
    config = ToleuBarConfig(
        team_slug=settings.merchant_slug,
        password=settings.merchant_password,
        books=books,
        webhook_secret=settings.webhook_secret,
        notification_url=f"http://127.0.0.1:{settings.port}/api/payments/notifications",
        public_base_url=settings.public.get("toleubar"),
    )
    try:
        app = build(config, links=parts.links)
    except FileBrokenError as error:
        raise Trouble(str(error)) from error
    await serve(app, bind=settings.bind, port=settings.port_of("toleubar"), duty="toleubar")
