"""Policy parameters as the accountant handles them: read, shown by day, checked, exported to a workbook, added to.

Parameters are rows of the seeds. What is in force is the row whose period holds the day; of several the newest
`known_from`. Rows only grow: a change is a new row, known from a later day. Nothing here needs a database.
"""
