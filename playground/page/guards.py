"""Keeps the page on this machine: other sites and other names get nothing from it."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: http://127.0.0.1:* http://localhost:*; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def local_host(host: str) -> bool:
    """Return whether a Host header names this machine: no name that DNS could rebind."""
    return host.rpartition(":")[0] in LOCAL_NAMES if ":" in host else host in LOCAL_NAMES


def same_origin(request: web.Request) -> bool:
    """Return whether a request that acts, or listens, comes from the page itself."""
    origin = urlsplit(request.headers.get("Origin", ""))
    return origin.scheme == "http" and origin.netloc == request.host


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign hosts and origins, and forbid the browser what the page does not need."""
    if not local_host(request.host):
        return web.Response(status=421, text="This page answers to 127.0.0.1 and localhost only.\n")
    listening = request.headers.get("Upgrade", "").lower() == "websocket"
    if (request.method != "GET" or listening) and not same_origin(request):
        return web.Response(status=403, text="Only the page itself may do that.\n")
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
    return response
