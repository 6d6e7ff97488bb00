"""What the statement pages show of a fund's months: figures, what they are made of, and in what state the months are."""
