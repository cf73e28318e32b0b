from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.portable import notes
from registry.portable.notes import Checkpoint, NoteError, VerifierKey, open_note, signed

#: The published example of Go's sumdb/note, where the format comes from.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
BY_PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
NOTE = f"{TEXT}\n{BY_PETER}"

#: The example of tlog-checkpoint.
CHECKPOINT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey("tidu.example/县局", PRIVATE.public_key().public_bytes_raw())
ROOT = bytes(range(32))


def note_of(text: str) -> str:
    return signed(text, KEY.name, KEY.hash, PRIVATE.sign(text.encode()))


def line(name: str, payload: bytes) -> str:
    return f"— {name} {b64encode(payload).decode()}\n"


def shown(value: object) -> str:
    return ascii(value)[:60]


def refused(note: str | bytes, key: VerifierKey) -> bool:
    try:
        open_note(note, key)
    except NoteError:
        return True
    return False


@pytest.mark.parametrize(
    "text",
    [
        PETER,
        ENOCH,
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",  # a plus in the base64
    ],
    ids=shown,
)
def test_published_verifier_keys_are_read_and_written(text: str) -> None:
    key = VerifierKey.parse(text)
    assert str(key) == text
    assert key.name == text.split("+")[0]
    assert key.hash.hex() == text.split("+")[1]


def test_the_published_note_opens() -> None:
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    assert open_note(NOTE, peter) == open_note(NOTE.encode(), peter) == TEXT
    assert open_note(NOTE + BY_ENOCH, peter) == open_note(NOTE + BY_ENOCH, enoch) == TEXT
    with pytest.raises(NoteError, match="没有「EnochRoot」"):
        open_note(NOTE, enoch)


def test_the_published_checkpoint_is_read_and_written() -> None:
    checkpoint = Checkpoint.parse(CHECKPOINT)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.extensions == ()
    assert checkpoint.text() == CHECKPOINT


@pytest.mark.parametrize(
    "text", [TEXT, "\n", "a\n\nb\n", "a\n\n", "梯度\n", f"{TEXT}\n{BY_PETER}"], ids=shown
)
def test_a_note_gives_its_text_back(text: str) -> None:
    assert open_note(note_of(text), KEY) == text
    assert open_note(note_of(text).encode(), KEY) == text


@pytest.mark.parametrize("extensions", [(), ("a",), ("一 二", "— b"), ("0", "0")])
@pytest.mark.parametrize("size", [0, 7, 2**64 - 1])
def test_a_checkpoint_survives_a_note(size: int, extensions: tuple[str, ...]) -> None:
    checkpoint = Checkpoint("tidu.example/登记 1", size, ROOT, extensions)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint
    assert Checkpoint.parse(open_note(note_of(checkpoint.text()), KEY)) == checkpoint


def test_the_line_of_a_note_is_written_as_published() -> None:
    payload = BY_PETER.split()[2]
    raw = notes._decoded(payload)
    assert raw is not None
    assert signed(TEXT, "PeterNeumann", raw[:4], raw[4:]) == NOTE


def test_no_changed_byte_is_taken() -> None:
    key, note = VerifierKey.parse(PETER), NOTE.encode()
    assert not refused(note, key)
    for n, byte in enumerate(note):
        for mask in (0x01, 0x20):
            assert refused(note[:n] + bytes([byte ^ mask]) + note[n + 1 :], key), (n, mask)
    for n in range(0, len(note), 2):
        assert refused(note[:n] + note[n + 1 :], key), n
        assert refused(note[:n] + b"\n" + note[n:], key), n
        assert refused(note[:n], key), n


def test_no_value_of_any_byte_escapes_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """All 255 other values of every byte, with a signature scheme that nobody can forge."""
    key, note = VerifierKey.parse(PETER), NOTE.encode()
    genuine = (key.public, TEXT.encode(), notes._decoded(BY_PETER.split()[2])[4:])  # type: ignore[index]
    monkeypatch.setattr(notes, "verify", lambda *given: given == genuine)
    assert not refused(note, key)
    for n, byte in enumerate(note):
        for value in range(256):
            if value != byte:
                assert refused(note[:n] + bytes([value]) + note[n + 1 :], key), (n, value)
    for n in range(len(note) + 1):
        for value in range(256):
            inserted = note[:n] + bytes([value]) + note[n:]
            assert refused(inserted, key), (n, value)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}{BY_PETER}",
        f"{TEXT}\n{BY_PETER}".rstrip("\n"),
        f"{TEXT}\n{BY_PETER}\n",
        f"{TEXT}\n\n{BY_PETER}",
        f"\n{TEXT}\n{BY_PETER}",
        f"\ufeff{TEXT}\n{BY_PETER}",
        f"{TEXT}\n{BY_PETER}".replace("\n", "\r\n"),
        f"{TEXT}\n{BY_PETER[:-1]}\r\n",
        f"{TEXT}\n{BY_PETER[:-1]} \n",
        f"{TEXT}\n {BY_PETER}",
        f"{TEXT}\n{BY_PETER.replace('— ', '—  ')}",
        f"{TEXT}\n{BY_PETER.replace('— ', '- ')}",
        f"{TEXT}\n{BY_PETER.replace('AM=', 'AN=')}",  # the same bytes, spare bits set
        f"{TEXT}\n{BY_PETER.replace('AM=', 'AM')}",
        f"{TEXT}\n{BY_PETER.replace('AM=', 'AM==')}",
        f"{TEXT}\n{BY_PETER.replace('/', '_')}",
        f"{TEXT}\n{BY_PETER.replace('x08g', 'x08g====')}",
        f"{TEXT}\n{BY_PETER}{BY_PETER}",
        f"{TEXT}\n{BY_PETER}{line('PeterNeumann', bytes.fromhex('c74f20a3') + bytes(64))}",
        f"{TEXT}\n{BY_PETER}{BY_ENOCH}{BY_ENOCH}",
        f"{TEXT}\n{BY_PETER}{line('a+b', bytes(68))}",
        f"{TEXT}\n{BY_PETER}{line('a' + chr(0xA0) + 'b', bytes(68))}",
        f"{TEXT}\n{BY_PETER}{line('a', bytes(4))}",
        f"{TEXT}\n{BY_PETER}{line('', bytes(68))}",
        f"{TEXT}\n{BY_PETER}rubbish\n",
        f"{TEXT}\n{line('PeterNeumann', bytes.fromhex('c74f20a3') + bytes(64))}",
        f"{TEXT}\n{line('PeterNeumann', bytes.fromhex('c74f20a3') + bytes(63))}",
        f"{TEXT}\n{BY_PETER}\ud800",
        f"\ud800{TEXT}\n{BY_PETER}",
        NOTE.encode("utf-16"),
        NOTE.encode("gb18030"),
        b"\xff",
    ],
    ids=shown,
)
def test_a_malformed_or_unsigned_note_is_refused(note: str | bytes) -> None:
    with pytest.raises(NoteError, match=r"请"):
        open_note(note, VerifierKey.parse(PETER))


@pytest.mark.parametrize("text", ["a\r\n", "a\tb\n", "a\x00\n", "a\x1b[2J\n"], ids=shown)
def test_control_characters_are_refused_even_if_signed(text: str) -> None:
    payload = KEY.hash + PRIVATE.sign(text.encode())
    with pytest.raises(NoteError, match="控制字符"):
        open_note(f"{text}\n{line(KEY.name, payload)}", KEY)


def test_signatures_of_other_keys_and_types_may_stand_beside() -> None:
    """A key is known by name and hash together; one of the two is another key."""
    others = (
        line("witness.example", bytes(4 + 72))
        + line("PeterNeumann", bytes(68))
        + line("x", bytes.fromhex("c74f20a3") + bytes(2420))
    )
    key = VerifierKey.parse(PETER)
    assert open_note(f"{TEXT}\n{others}{BY_PETER}", key) == TEXT
    assert open_note(f"{TEXT}\n{BY_PETER}{others}", key) == TEXT
    with pytest.raises(NoteError, match="没有「PeterNeumann」"):
        open_note(f"{TEXT}\n{others}", key)


def test_a_key_of_the_same_name_does_not_pass() -> None:
    other = VerifierKey(KEY.name, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    forged = signed(TEXT, KEY.name, other.hash, PRIVATE.sign(TEXT.encode()))
    for key in (KEY, other):
        with pytest.raises(NoteError):
            open_note(forged, key)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\nb", "a\u3000b", "a\u2028", "a\x00", "\ud800"], ids=shown
)
def test_a_name_that_breaks_the_line_is_refused(name: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey(name, KEY.public)
    with pytest.raises(NoteError):
        signed(TEXT, name, KEY.hash, bytes(64))


@pytest.mark.parametrize("text", ["", "a", "a\r\n", "\ta\n", "a\x00\n", "\ud800\n"], ids=shown)
def test_a_text_that_is_none_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        signed(text, KEY.name, KEY.hash, bytes(64))


def test_hash_and_signature_have_their_lengths() -> None:
    for key_hash, signature in ((b"123", bytes(64)), (b"12345", bytes(64)), (b"1234", bytes(63))):
        with pytest.raises(NoteError):
            signed(TEXT, KEY.name, key_hash, signature)
    for size in (0, 31, 33):
        with pytest.raises(NoteError, match="32字节"):
            VerifierKey(KEY.name, bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        PETER + "\n",
        " " + PETER,
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "c74f20a30"),
        PETER.replace("Peter", "peter"),
        PETER.replace("PeterNeumann", ""),
        PETER.replace("ARpc", "AhpC"),
        PETER + "=",
        PETER + "AAAA",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",  # of type 4
    ],
    ids=shown,
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match=r"验证公钥.*请"):
        VerifierKey.parse(text)


def test_what_is_quoted_in_a_message_stays_on_its_line() -> None:
    with pytest.raises(NoteError) as caught:
        VerifierKey.parse("梯度\n\x1b[31m\ud800" + "x" * 1000)
    message = str(caught.value)
    assert message.isprintable()
    assert "梯度\\n" in message
    assert len(message) < 200


def test_no_changed_character_of_a_verifier_key_is_taken() -> None:
    for n, old in enumerate(PETER):
        for new in "Aa0+/= \n":
            if new != old:
                with pytest.raises(NoteError):
                    VerifierKey.parse(PETER[:n] + new + PETER[n + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        CHECKPOINT[:-1],
        CHECKPOINT + "\n",
        CHECKPOINT + "a\n\nb\n",
        CHECKPOINT + "a",
        CHECKPOINT.replace("\n", "\r\n"),
        CHECKPOINT.replace("example.com/behind-the-sofa", ""),
        CHECKPOINT.replace("example", "exam\tple"),
        *(
            CHECKPOINT.replace("20852163", size)
            for size in ("", "020852163", "+1", "-1", "1 ", "1_0", "1.0", "0x1", "٣", "１", "00")
        ),
        CHECKPOINT.replace("20852163", str(2**64)),
        CHECKPOINT.replace("20852163", "9" * 5000),
        CHECKPOINT.replace("q2I=", "q2J="),
        CHECKPOINT.replace("q2I=", "q2I"),
        CHECKPOINT.replace("CsUY", ""),
        CHECKPOINT.replace("CsUY", "CsUYCsUY"),
        "a\n1\n\n",
    ],
    ids=shown,
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match="检查点"):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "fields",
    [
        ("", 1, ROOT, ()),
        ("a\nb", 1, ROOT, ()),
        ("a\r", 1, ROOT, ()),
        ("\ud800", 1, ROOT, ()),
        ("a", -1, ROOT, ()),
        ("a", 2**64, ROOT, ()),
        ("a", 1, ROOT[1:], ()),
        ("a", 1, ROOT, ("",)),
        ("a", 1, ROOT, ("b\nc",)),
    ],
    ids=shown,
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_made(
    fields: tuple[str, int, bytes, tuple[str, ...]],
) -> None:
    with pytest.raises(NoteError):
        Checkpoint(*fields)
