"""JSON for machines: values as text, and documents written while they are computed."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from rules.model.characters import UNFIT


def json_text(value: object) -> str:
    """A value as one line of JSON; characters that no text may keep are escaped, without loss.

    Dataclasses become objects with their fields; days and moments become ISO texts.

    >>> print(json_text({"name": "甲\\x9b公司", "day": date(2023, 6, 30)}))
    {"name": "甲\\u009b公司", "day": "2023-06-30"}
    """
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    return text if text.isprintable() else UNFIT.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


def fields_of(value: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in without}


def _plain(value: object) -> object:
    if is_dataclass(value):
        return fields_of(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")


class JsonStream:
    """A JSON document of many values, each written as it comes; complete once closed.

    It is a list. With a ``name``, it is an object with ``head``, followed by the list under that
    name.

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
        """Write a value that is already JSON."""
        self._write(f"{self._between}{text}")
        self._between = ", "

    def close(self, tail: Mapping[str, Any] | None = None, *, error: str = "") -> None:
        """End the document; ``tail`` gives an object's last fields.

        ``error`` says why values are missing: as a field of an object, or as the last value of a
        list.
        """
        reason = {"error": error} if error else {}
        if self._name:
            ended = {**(tail or {}), **reason}
            self._write(f"], {json_text(ended)[1:]}\n" if ended else "]}\n")
            return
        if reason:
            self.add(reason)
        self._write("]\n")
