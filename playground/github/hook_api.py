"""The App's own webhook: where it goes, what was delivered, and once more, please."""

import json

from playground.github.calls import Answer, Call, Operation, Refusal, invalid, not_found
from playground.github.payloads import api
from playground.github.webhooks import Delivery
from playground.github.world import INSTALLATION_ID, Json

MOST_SHOWN = 100


def _config(call: Call) -> Json:
    hooks = call.hub.webhooks
    shown: Json = {"url": hooks.url, "content_type": "json", "insecure_ssl": "0"}
    return shown | ({"secret": "********"} if hooks.secret else {})


async def config(call: Call) -> Answer:
    """Return where webhooks go; the secret is never told."""
    return Answer(200, _config(call))


async def configure(call: Call) -> Answer:
    """Change where webhooks go and what signs them."""
    if call.text("content_type", "json") != "json":
        raise Refusal(422, "This stand-in sends webhooks as JSON only.")
    hooks = call.hub.webhooks
    hooks.url = call.text("url", hooks.url)
    hooks.secret = call.text("secret", hooks.secret)
    return Answer(200, _config(call))


def _item(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": delivery.delivered_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": INSTALLATION_ID,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


async def deliveries(call: Call) -> Answer:
    """List the deliveries of three days, newest first; `cursor` leads to the next page."""
    kept = call.hub.webhooks.kept()
    state = call.query.get("status")
    if state is not None:
        kept = [one for one in kept if one.succeeded == (state == "success")]
    cursor = call.query.get("cursor")
    if cursor is not None:
        if not cursor.isdecimal():
            raise invalid("HookDelivery", "cursor", "invalid")
        kept = [one for one in kept if one.id <= int(cursor)]
    asked = call.query.get("per_page", "30")
    size = min(max(int(asked) if asked.isdecimal() else 30, 1), MOST_SHOWN)
    return Answer(200, [_item(one) for one in kept[:size]], _next(call, kept, size))


def _next(call: Call, kept: list[Delivery], size: int) -> dict[str, str]:
    if len(kept) <= size:
        return {}
    others = "".join(f"{k}={v}&" for k, v in call.query.items() if k != "cursor")
    return {"Link": f'<{call.url}?{others}cursor={kept[size].id}>; rel="next"'}


def _delivery(call: Call) -> Delivery:
    wanted = int(call.params["delivery_id"])
    found = next((one for one in call.hub.webhooks.kept() if one.id == wanted), None)
    if found is None:
        raise not_found()
    return found


async def delivery(call: Call) -> Answer:
    """Return one delivery with its whole request and answer."""
    found = _delivery(call)
    request = {"headers": found.headers, "payload": json.loads(found.content)}
    answer = {"headers": found.answer_headers, "payload": found.answer}
    url = f"{api(call.root)}/app/hook/deliveries/{found.id}"
    return Answer(200, _item(found) | {"url": url, "request": request, "response": answer})


async def redeliver(call: Call) -> Answer:
    """Send a delivery again, under the same GUID."""
    found = _delivery(call)
    if not call.hub.webhooks.url:
        raise Refusal(422, "The webhook has no address.")
    call.hub.webhooks.redeliver(found)
    return Answer(202, {})


_HOOK = "/app/hook"
_ONE = f"{_HOOK}/deliveries/{{delivery_id}}"
OPERATIONS = (
    Operation("GET", f"{_HOOK}/config", config, "app"),
    Operation("PATCH", f"{_HOOK}/config", configure, "app"),
    Operation("GET", f"{_HOOK}/deliveries", deliveries, "app"),
    Operation("GET", _ONE, delivery, "app"),
    Operation("POST", f"{_ONE}/attempts", redeliver, "app"),
)
