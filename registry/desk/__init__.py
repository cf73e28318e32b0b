"""What an officer, an auditor or a drafter does, whoever asks: each act is one function with values in and out.

A face (command line, page, interface) reads what was typed, calls the desk and shows what it returns;
the desk neither prints nor words a remedy.
"""
