"""The least a Slack app can do: acknowledge. What our own latencies are measured against."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def main() -> None:
    """Acknowledge every `/sciclops` until killed."""
    client = AsyncWebClient("xoxb-playground", base_url=sys.argv[1])
    app = AsyncApp(client=client)

    @app.command("/sciclops")
    async def slash(ack: Callable[..., Awaitable[None]]) -> None:
        await ack()

    handler = AsyncSocketModeHandler(app, "xapp-playground")
    await handler.connect_async()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
