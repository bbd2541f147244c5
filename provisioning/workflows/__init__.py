"""One operation, one file; each is a durable workflow made of small idempotent steps."""
