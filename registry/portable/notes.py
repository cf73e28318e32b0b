"""Signed notes and checkpoints as transparency logs exchange them, and the keys to verify them.

The formats are C2SP's signed-note and tlog-checkpoint, with Ed25519 signatures (type 1). A note is
a text, an empty line, and lines of ``— name base64(key hash || signature)``; a checkpoint is a text
that states the origin, size and root of a log. Each value has exactly one written form; any other
form is refused. As the formats demand, a note may also have signatures by other keys; they are
ignored and prove nothing.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from registry.portable.clock import is_moment
from registry.portable.ed25519 import verify
from rules.portable.errors import DescribedError

_ED25519: Final = b"\x01"
_DASH: Final = "—"
#: The number of bytes of a public key, and of a root.
_WHOLE: Final = 32
#: A bureau's name, eight digits and 44 characters of base64, with much to spare.
_LONGEST_KEY: Final = 1_000
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,19}")
#: The most bytes of a note: a checkpoint has three lines, and one signature for each signer.
LARGEST: Final = 64 << 10
#: Control characters and direction marks, which would make a name read differently.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class NoteError(DescribedError):
    """A note, a checkpoint or a verifier key is malformed, or not signed by the required key."""


@dataclass(frozen=True)
class VerifierKey:
    """The public key that verifies notes, and the name under which it signs."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise NoteError(
                "bad-signer",
                "签名者名称「{value}」不合格式：不能为空，也不能含空格、加号或控制字符",
                value=_shown(self.name),
            )
        if len(self.public) != _WHOLE:
            raise NoteError(
                "bad-key-length",
                "公钥应为{expected}字节，实为{value}字节：请重新取得公钥",
                value=len(self.public),
                expected=_WHOLE,
            )

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Parse a key from a line ``name+hash+base64``."""
        name, _, rest = text[:_LONGEST_KEY].partition("+")
        encoded = _decoded(rest.partition("+")[2])
        if encoded is not None and _is_name(name) and len(encoded) == 33:
            key = cls(name, encoded[1:])
            if str(key) == text:
                return key
        raise NoteError(
            "unreadable-key",
            "验证公钥「{value}」无法识别：应为一行「{expected}」，请重新取得公钥",
            value=_shown(text),
            expected="名称+8位小写十六进制+base64",
        )

    @property
    def hash(self) -> bytes:
        """The four bytes that identify this key in a signature."""
        return sha256(_utf8(self.name) + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{_base64(_ED25519 + self.public)}"


@dataclass(frozen=True)
class Checkpoint:
    """A log's commitment: under the name ``origin``, a tree of ``size`` leaves with ``root``."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            _utf8(line)
            if not line or _CONTROL.search(line):
                raise NoteError(
                    "bad-checkpoint-line",
                    "检查点的来源名称和附加行不能为空，也不能含换行或控制字符：请改正",
                    value=_shown(line),
                )
        if not 0 <= self.size < 2**64:
            raise NoteError(
                "checkpoint-size-out-of-range",
                "检查点的条数{value}超出范围：应为64位以内的非负整数",
                value=self.size,
            )
        if len(self.root) != _WHOLE:
            raise NoteError(
                "bad-root-length",
                "检查点的根散列应为{expected}字节，实为{value}字节：请重新取得检查点",
                value=len(self.root),
                expected=_WHOLE,
            )

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Parse a checkpoint from ``text``, usually the text of a note.

        >>> point = Checkpoint("example.cn/bureau", 3, bytes(32))
        >>> Checkpoint.parse(point.text()) == point
        True
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise NoteError(
                "incomplete-checkpoint",
                "检查点不完整：应有来源、条数、根散列三行，以换行结尾，请重新取得检查点",
            )
        origin, size, encoded, *extensions = lines[:-1]
        root = _decoded(encoded)
        if not _SIZE.fullmatch(size):
            raise NoteError(
                "bad-checkpoint-size",
                "检查点的条数「{value}」不合格式：应为没有前导零的十进制数",
                value=_shown(size),
            )
        if root is None:
            raise NoteError(
                "bad-root",
                "检查点的根散列「{value}」不是规范的 base64：请重新取得检查点",
                value=_shown(encoded),
            )
        return cls(origin, int(size), root, tuple(extensions))

    @property
    def time(self) -> str:
        """The moment at which it says that it was signed; empty if it does not say.

        >>> Checkpoint("甲", 3, bytes(32), ("time 2023-07-01T08:00:00.000000Z",)).time
        '2023-07-01T08:00:00.000000Z'
        """
        stated = (line.removeprefix("time ") for line in self.extensions if line[:5] == "time ")
        return next(filter(is_moment, stated), "")

    def text(self) -> str:
        """The text to be signed."""
        lines = (self.origin, str(self.size), _base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def signed(text: str, name: str, key_hash: bytes, signature: bytes) -> str:
    """The note of ``text`` with one signature over its UTF-8 bytes, which is not verified."""
    if not text.endswith("\n") or not _is_clean(text):
        raise NoteError("bad-note-text", "待签名的文本不合格式：应以换行结尾，且不含回车等控制字符")
    if not _is_name(name) or len(key_hash) != 4 or len(signature) != 64:
        raise NoteError(
            "bad-signature", "签名不合格式：应有不含空格和加号的名称、4字节公钥标识和64字节签名"
        )
    return f"{text}\n{_DASH} {name} {_base64(key_hash + signature)}\n"


def open_note(note: str | bytes, key: VerifierKey) -> str:
    """The text of a note that ``key`` has signed; anything else raises ``NoteError``.

    Pass the content of a file as bytes, because reading it as text may translate line ends.
    """
    if len(note) > LARGEST:
        raise NoteError(
            "note-too-large",
            "签名文件超过{expected}KB，不是检查点：请重新取得原文件",
            expected=LARGEST >> 10,
        )
    content = _decoded_utf8(note) if isinstance(note, bytes) else note
    head, separator, tail = content.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or not _is_clean(content):
        raise NoteError(
            "bad-note",
            "签名文件不合格式：应为正文、空行、签名行，以换行结尾，不含回车等控制字符，请重新取得原文件",
        )
    text = head + "\n"
    signatures: dict[tuple[str, bytes], bytes] = {}
    for line in tail[:-1].split("\n"):
        name, key_hash, signature = _signature(line)
        if (name, key_hash) in signatures:
            raise NoteError(
                "signed-twice",
                "签名文件中「{value}」的同一公钥签名重复：请重新取得原文件",
                value=_shown(name),
            )
        signatures[name, key_hash] = signature
    found = signatures.get((key.name, key.hash))
    if found is None:
        raise NoteError(
            "not-signed-by-key",
            "签名文件没有「{expected}」用所给公钥作的签名：请核对公钥和文件是否对应",
            expected=key.name,
        )
    if not verify(key.public, _utf8(text), found):
        raise NoteError(
            "wrong-signature",
            "「{value}」的签名与正文不符：文件可能被改动，请勿采信，并重新取得原文件",
            value=key.name,
        )
    return text


def _signature(line: str) -> tuple[str, bytes, bytes]:
    """The name, key hash and signature of a signature line of any type."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    payload = _decoded(encoded)
    if dash != _DASH or not _is_name(name) or payload is None or len(payload) < 5:
        raise NoteError(
            "bad-signature-line",
            "签名行「{value}」不合格式：应为「{expected}」，请重新取得原文件",
            value=_shown(line),
            expected="— 名称 base64",
        )
    return name, payload[:4], payload[4:]


def _is_name(name: str) -> bool:
    return (
        name != ""
        and not _CONTROL.search(name)
        and not any(c == "+" or c.isspace() or "\ud800" <= c <= "\udfff" for c in name)
    )


def _is_clean(text: str) -> bool:
    """Whether ``text`` is encodable in UTF-8 and has no control characters except newlines."""
    _utf8(text)
    return not _CONTROL.search(text.replace("\n", ""))


def _shown(text: str) -> str:
    """A quotation of outside text: on one line, short, and harmless to a terminal."""
    return repr(text[:80])[1:-1] + ("…" if len(text) > 80 else "")


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _decoded(text: str) -> bytes | None:
    """The bytes of canonical base64; None for any other form."""
    try:
        data = b64decode(text)
    except ValueError:
        return None
    return data if _base64(data) == text else None


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NoteError("not-encodable", "文本含有无法用 UTF-8 表示的字符：请删去或改正") from None


def _decoded_utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("note-not-utf8", "签名文件不是 UTF-8 文本：请重新取得原文件") from None
