"""One external system, one file or folder; only `bot.wiring` and `bot.vendors` build them."""
