"""`python -m outreach`: the same as the command `outreach`."""

from outreach.cli.main import main

main()
