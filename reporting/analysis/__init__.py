"""What the pages on risk, budget, statistics and disclosure show, read from the marts of that name. Reads only."""
