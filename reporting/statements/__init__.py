"""What the statement pages show of a fund's months: figures, and what they are made of."""
