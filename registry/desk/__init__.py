"""What officers, auditors and drafters do: each act is one function that takes and returns values.

A face (command line, page, interface) reads what was typed, calls the desk and shows the result.
The desk neither prints nor words remedies.
"""
