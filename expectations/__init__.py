"""Quality gate of the merged fund: what is checked between build and publication, and what a result decides.

Great Expectations is imported inside functions only: its import takes about five seconds.
"""
