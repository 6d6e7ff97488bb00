"""Closing accounting months: the figures that are signed, byte for byte the same whenever they are asked for again."""
