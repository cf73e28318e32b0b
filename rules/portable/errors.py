"""Errors as data: a slug with fields says what went wrong, a value names the remedy.

A face (command line, page, interface) makes the sentence and words the remedy in its own way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Remedy:
    """What a reader may do about an error; each face has its own words for ``act``.

    >>> Remedy("confirm", {"seq": 3}).given["seq"]
    3
    """

    act: str
    given: Mapping[str, Any] = field(default_factory=dict)


#: How a face words a remedy; empty if the face offers the remedy in another way.
Words: TypeAlias = Callable[[Remedy], str]


def unworded(_remedy: Remedy) -> str:
    """Leave every remedy unsaid."""
    return ""


class DescribedError(Exception):
    """An error with a slug, a pattern of its sentence in Chinese, the fields in it, and a remedy.

    Fields have the same names everywhere: ``where`` it is, the ``value`` that is wrong, and what
    is ``expected``; others are named for what they hold. ``str`` gives the sentence without the remedy.
    ``details`` are sentences of their own that a face shows before it, each on one thing.

    >>> error = DescribedError("no-such-entry", "没有第{value}号记录", value=7)
    >>> str(error), error.slug, error.fields["value"]
    ('没有第7号记录', 'no-such-entry', 7)
    """

    def __init__(
        self,
        slug: str,
        pattern: str,
        *,
        remedy: Remedy | None = None,
        details: tuple[str, ...] = (),
        **fields: Any,
    ) -> None:
        super().__init__(slug, pattern, remedy, details, fields)
        self.slug = slug
        self.pattern = pattern
        self.remedy = remedy
        self.details = details
        self.fields: Mapping[str, Any] = fields

    def __str__(self) -> str:
        return self.pattern.format_map(self.fields)

    def __reduce__(self) -> tuple[Any, ...]:
        # rebuilt without __init__, whose parameters differ by class: errors cross processes
        return type(self).__new__, (type(self), *self.args), self.__dict__
