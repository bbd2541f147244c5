"""One file for each revision, applied in the order of their `down_revision`."""
