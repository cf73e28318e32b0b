"""JSON that is written while it is computed, for what may be a million values."""

from collections.abc import Callable, Mapping
from typing import Any

from registry.kit.characters import json_text


class JsonStream:
    """One JSON document of many values, each written as it comes; once closed, it is whole.

    It is a list; with a ``name``, an object that has the list under that name, after what is in ``head``.

    >>> parts: list[str] = []
    >>> stream = JsonStream(parts.append, "results", {"day": "2023-06-30"})
    >>> stream.add(1), stream.add("二"), stream.close({"refused": 0})
    (None, None, None)
    >>> print("".join(parts).rstrip())
    {"day": "2023-06-30", "results": [1, "二"], "refused": 0}
    """

    def __init__(
        self,
        write: Callable[[str], object],
        name: str = "",
        head: Mapping[str, Any] | None = None,
    ) -> None:
        self._write, self._name = write, name
        self._between = ""
        write(json_text({**(head or {}), name: []})[: -len("]}")] if name else "[")

    def add(self, value: object) -> None:
        """Write a value."""
        self.put(json_text(value))

    def put(self, text: str) -> None:
        """Write a value that is JSON already."""
        self._write(f"{self._between}{text}")
        self._between = ", "

    def close(self, tail: Mapping[str, Any] | None = None, *, error: str = "") -> None:
        """End the document; of an object, after ``tail``.

        An ``error`` says why there are no more values: a field of the object, the last value of a list.
        """
        reason = {"error": error} if error else {}
        if self._name:
            ended = {**(tail or {}), **reason}
            self._write(f"], {json_text(ended)[1:]}\n" if ended else "]}\n")
            return
        if reason:
            self.add(reason)
        self._write("]\n")
