"""Codes that only show against a database or a landing folder; tests/integration/test_ingestion_*.py and
test_corrections.py produce them."""

AGAINST_THE_LOG = frozenset(
    {
        "E-CONFLICT",
        "E-FILE-FOLDER",
        "E-FILE-LINK",
        "E-FILE-MANIFEST-MISSING",
        "E-FILE-UNREADABLE",
        "E-REF-PERSON",
        "E-REF-POLICY",
        "E-VALUE-MASKED",
    }
)
