"""One external system, one file or folder; only `bot.wiring` builds them."""
