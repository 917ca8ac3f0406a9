"""EventFlow's identity: issues, checks and revokes tokens."""
