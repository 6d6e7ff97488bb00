"""From source files to the append-only event log: reading, checking, accepting, quarantining."""
