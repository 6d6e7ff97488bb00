"""Codes that only show against a database or a landing folder; tests/integration/test_ingestion_*.py,
test_corrections.py, test_closing.py and test_voucher_review.py produce them."""

AGAINST_THE_LOG = frozenset(
    {
        "E-CONFLICT",
        "E-FILE-FOLDER",
        "E-FILE-LINK",
        "E-FILE-MANIFEST-MISSING",
        "E-FILE-UNREADABLE",
        "E-PERIOD-APPROVER",
        "E-PERIOD-BEHIND",
        "E-PERIOD-CHECKS",
        "E-PERIOD-CLOSED",
        "E-PERIOD-DECIDED",
        "E-PERIOD-DIFFERS",
        "E-PERIOD-EMPTY",
        "E-PERIOD-MOVED",
        "E-PERIOD-ORDER",
        "E-PERIOD-REASON",
        "E-PERIOD-SEQ",
        "E-PERIOD-UNKNOWN",
        "E-REF-PERSON",
        "E-REF-POLICY",
        "E-REVIEW-PREPARER",
        "E-REVIEW-REASON",
        "E-REVIEW-ROLE",
        "E-REVIEW-VOUCHER",
        "E-VALUE-MASKED",
    }
)
