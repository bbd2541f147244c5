"""Which Web API methods there are, how often each may be called, and with which scopes.

Facts from Slack's method reference (docs.slack.dev/reference/methods, 2026-05).
"""

from dataclasses import dataclass

TIER_2, TIER_3, TIER_4 = 20, 50, 100
GENEROUS = 600
"""For "special" limits that Slack describes as hundreds per minute."""

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
OPEN = ("im:write", "channels:manage", "groups:write", "mpim:write")


@dataclass(frozen=True)
class Method:
    """`per_minute` calls for one app in one workspace; any one of `scopes` admits."""

    per_minute: int
    scopes: tuple[str, ...] = ()
    app_token: bool = False


FACTS = {
    "apps.connections.open": Method(TIER_3, app_token=True),
    "auth.test": Method(GENEROUS),
    "chat.delete": Method(TIER_3, ("chat:write",)),
    "chat.getPermalink": Method(GENEROUS),
    "chat.postEphemeral": Method(TIER_4, ("chat:write",)),
    "chat.postMessage": Method(GENEROUS, ("chat:write",)),
    "chat.update": Method(TIER_3, ("chat:write",)),
    "conversations.history": Method(TIER_3, HISTORY),
    "conversations.info": Method(TIER_3, READ),
    "conversations.list": Method(TIER_2, READ),
    "conversations.members": Method(TIER_4, READ),
    "conversations.open": Method(TIER_3, OPEN),
    "conversations.replies": Method(TIER_3, HISTORY),
    "files.completeUploadExternal": Method(TIER_4, ("files:write",)),
    "files.getUploadURLExternal": Method(TIER_4, ("files:write",)),
    "pins.add": Method(TIER_2, ("pins:write",)),
    "reactions.add": Method(TIER_3, ("reactions:write",)),
    "usergroups.list": Method(TIER_2, ("usergroups:read",)),
    "usergroups.users.list": Method(TIER_2, ("usergroups:read",)),
    "users.info": Method(TIER_4, ("users:read",)),
    "users.list": Method(TIER_2, ("users:read",)),
    "users.lookupByEmail": Method(TIER_3, ("users:read.email",)),
    "views.open": Method(TIER_4),
    "views.publish": Method(TIER_4),
    "views.push": Method(TIER_4),
    "views.update": Method(TIER_4),
}
"""Each method's `FACTS`; a method that is not here answers `unknown_method`."""

PER_CHANNEL = ("chat.postMessage",)
"""Methods that are also limited to about one call per second and channel."""

BOT_SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "chat:write.public",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "pins:write",
    "reactions:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
"""What the app is granted unless the constructor says otherwise."""
