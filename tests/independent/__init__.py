"""A verifier of the event log written from docs/canonical-form.md alone: it shares no code with the project."""
