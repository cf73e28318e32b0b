"""What a command is pointed at: credit codes or a file."""

from pathlib import Path


def is_code(text: str) -> bool:
    """Whether a word is a credit code rather than a file."""
    return len(text) == 18 and text.isalnum() and not Path(text).exists()
