"""The record: the hash-chained journal, and what is entered into it."""
