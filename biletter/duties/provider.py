"""The stand-in for the partner who owns seats, with records of its own."""

from biletter.parts import Parts, records_of
from biletter.trouble import Trouble
from kernel.web.serve import serve
from sandbox.provider.app import build
from sandbox.provider.config import ProviderConfig
from sandbox.sqlite_file import FileBrokenError


async def run(parts: Parts) -> None:
    settings = parts.settings
    records = records_of(settings)
    config = ProviderConfig(records=records, extras=settings.provider_extras)
    try:
        app = build(config, links=parts.links)
    except FileBrokenError as error:
        raise Trouble(str(error)) from error
    await serve(app, bind=settings.bind, port=settings.port_of("provider"), duty="provider")
