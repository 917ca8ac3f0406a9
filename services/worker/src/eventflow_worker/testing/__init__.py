"""Stand-ins for notifications, for tests."""
