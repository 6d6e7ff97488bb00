"""The content security policy of the site's pages, as each states it and as servers send it."""

from __future__ import annotations

# Scripts and styles from the files beside the page, and from nowhere else; no page of the site sends anything.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'"
)
