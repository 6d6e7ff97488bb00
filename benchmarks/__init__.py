"""Figures side by side in one run: each against what PostgreSQL itself needs for the same rows. No asserts on time."""
