"""The command line: outreach <noun> <verb>."""
