"""Takes queued events from PostgreSQL, aggregates them and has people notified."""
