"""What people read: the overview page, and a workbook per region."""
