"""One external system, one file or folder; only the composition root in `bot` builds them."""
