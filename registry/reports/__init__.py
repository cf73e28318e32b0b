"""What people read: verdicts, recorded decisions for three readers, comparisons, impact; as text, page or workbook."""
