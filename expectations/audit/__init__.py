"""The nightly audit: the whole log, the whole books and all checks over all history; what fails freezes publication."""
