"""What we remember: functions take a session and never commit."""
