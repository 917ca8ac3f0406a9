"""EventFlow's API: accepts events, queues them for the worker, and reads them back."""
