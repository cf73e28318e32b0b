"""The one byte-stable JSON text of a value, and its digest. Standard library only.

Rulesets, facts and decisions are digested in this form, so it must never change: sorted keys, no
spaces, UTF-8, no NaN.
"""

import hashlib
import json
from typing import Final

# made once: json.dumps makes a new one for each call with such options
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


def canonical_json(value: object) -> str:
    """The canonical text of a value made of JSON's own types.

    >>> canonical_json({"b": [1, None], "a": "梯度"})
    '{"a":"梯度","b":[1,null]}'
    """
    return _ENCODER.encode(value)


def sha256(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hex: how Tidu names texts."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest(value: object) -> str:
    """The SHA-256 of the canonical text of a value."""
    return sha256(canonical_json(value))
