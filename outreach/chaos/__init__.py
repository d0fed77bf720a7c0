"""Real processes, killed and frozen while messages flow; at the end the carrier and the database are compared."""
