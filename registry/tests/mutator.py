"""Damaged files from sound ones, by a seed: the same seed gives the same file.

A ``Kind`` says of a kind of file how a sound one is made and damaged, how it is read, and which answers
are right: the same as to the sound file, or a refusal that names its place. ``registry.tests.kinds`` has all.
"""

import re
import resource
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any, Final

#: What is put in: numbers beyond bounds, signs of the formats, characters that no text may keep.
WORDS: Final = tuple(
    word.encode("utf-8", "surrogatepass")
    for word in (
        "", "0", "-1", "1e999999999", "9" * 5000, "1/0", "NaN", "null", "true", "[" * 2000, "{", "}", "]", '"',
        ",", ":", "|", "||", "\n", "\r", "\t", "\x00", "\x1b[2J", "\x9b", "\u202e", "\ufeff", "\ud800", "甲" * 5000,
        "../", "/etc/passwd", "@id:", "规则:", "背景:", "场景:", "例子:", "假如 ", "那么 ", '"""', "<", ">", "#", "—",
        "万元", "%", "2999-13-45", "0000-00-00", "不低于", "=1+1",
    )
)  # fmt: skip


def mutated(data: bytes, random: Random) -> bytes:
    """The data with one to four changes: of bytes, of words, of pieces that are lost or come twice."""
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.choice((0, 1, 1, 4, 40, 400)))
        match random.randrange(6):
            case 0:
                new = bytes([random.randrange(256)])
            case 1:
                new = b""
            case 2:
                new = data[start:end] * random.choice((2, 3, 50))
            case 3:
                other = random.randrange(len(data) + 1)
                new = data[other : other + 40]
            case _:
                new = random.choice(WORDS)
        data = data[:start] + new + data[end:]
    return data if random.randrange(20) else data[: random.randrange(len(data) + 1)]


def respelled(data: bytes, random: Random) -> bytes:
    """A text with one to three changes that leave it a text: of signs, words, or pieces of its own."""
    text = data.decode()
    for _ in range(random.randint(1, 3)):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice((0, 1, 1, 2, 8, 60)))
        other = random.randrange(len(text) + 1)
        word = random.choice(WORDS).decode("utf-8", "replace")
        new = random.choice(
            (
                word,
                "",
                text[start:end] * 2,
                text[other : other + 20],
                random.choice("0123456789一二三、，|"),
            )
        )
        text = text[:start] + new + text[end:]
    return text.encode()


@dataclass(frozen=True)
class Answer:
    """What reading a file gave: why it was refused, or nothing, and what was read if anything was.

    ``told`` says whether anything was noted beside what was read.
    """

    said: str = ""
    content: Any = None
    told: bool = False


@dataclass(frozen=True)
class Damaged:
    """A damaged file, how it was damaged, and what is wrong with an answer to it, if anything."""

    data: bytes
    fault: Callable[[Answer], str]
    how: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of file: a sound one, how it is damaged, and what reads it.

    All that ``read`` raises is a fault of the program.
    """

    sound: bytes
    read: Callable[[bytes], Answer]
    damaged: Callable[[Random], Damaged]


@dataclass(frozen=True)
class Outcome:
    """What became of a damaged file, what is wrong with the answer, and the seconds that it took."""

    answer: Answer
    fault: str
    how: str
    seconds: float

    @property
    def word(self) -> str:
        """The outcome in a word, to be counted."""
        if self.fault:
            return "faults"
        return "refused" if self.answer.said else "told" if self.answer.told else "right"


def tried(kind: Kind, seed: int) -> Outcome:
    """Damage the sound file by a seed, and read it; whatever is raised goes on."""
    damaged = kind.damaged(Random(seed))
    start = perf_counter()
    answer = kind.read(damaged.data)
    seconds = perf_counter() - start
    return Outcome(answer, damaged.fault(answer), damaged.how, seconds)


def told_where(place: str, answer: Answer) -> str:
    """What is wrong with a refusal: it names no place, which every sentence of it has to."""
    bare = [line for line in answer.said.splitlines() if not re.search(place, line)]
    return f"no place: {bare[0]}" if bare else ""


def same(sound: Any, place: str, answer: Answer) -> str:
    """What is wrong with an answer: it has to say what the sound file does, or why not and where."""
    if answer.said:
        return told_where(place, answer)
    return "" if answer.content == sound else f"read otherwise: {answer.content!r:.300}"


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
