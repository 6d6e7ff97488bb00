"""Figures side by side in one run: what the pipeline takes beside what PostgreSQL alone takes. Ratios, not seconds."""
