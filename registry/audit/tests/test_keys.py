import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from registry.audit import checkpoints
from registry.audit.checkpoints import create_key, verifier_key
from registry.audit.keys import SigningKey
from registry.errors import RegistryError, SigningKeyError
from registry.portable.notes import NoteError, open_note

NAME = "tidu.example/county"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bureau.pem"


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("passphrase", [None, "口令 1"], ids=ascii)
def test_a_created_key_is_loaded_and_signs_the_same(path: Path, passphrase: str | None) -> None:
    created = SigningKey.create(path, NAME, passphrase)
    loaded = SigningKey.load(path, NAME, passphrase)
    assert loaded.verifier_key == created.verifier_key
    assert loaded.verifier_key.name == NAME
    note = loaded.sign_note("第一条\n")
    assert note == created.sign_note("第一条\n")
    assert open_note(note, created.verifier_key) == "第一条\n"


def test_every_key_is_another(tmp_path: Path) -> None:
    keys = [SigningKey.create(tmp_path / f"{n}.pem", NAME).verifier_key for n in range(3)]
    assert len({key.public for key in keys}) == 3


def test_the_file_is_pkcs8_as_other_programs_write_it(path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    path.write_bytes(pem(private))
    loaded = SigningKey.load(path, NAME)
    assert loaded.verifier_key.public == private.public_key().public_bytes_raw()
    path.unlink()
    SigningKey.create(path, NAME)
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_may_read_the_file_and_nothing_else_is_left(path: Path) -> None:
    SigningKey.create(path, NAME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_with_a_passphrase_the_file_is_encrypted(path: Path) -> None:
    SigningKey.create(path, NAME, "secret")
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")


def test_an_existing_file_is_never_written_over(path: Path) -> None:
    path.write_bytes(b"something else")
    with pytest.raises(SigningKeyError, match="已存在"):
        SigningKey.create(path, NAME)
    assert path.read_bytes() == b"something else"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_link_to_nowhere_counts_as_existing(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere.pem")
    with pytest.raises(SigningKeyError, match="已存在"):
        SigningKey.create(path, NAME)
    assert not (path.parent / "elsewhere.pem").exists()


def test_a_failed_creation_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SigningKeyError, match="磁盘也没有满"):
        SigningKey.create(path, NAME)
    assert not list(path.parent.iterdir())


def test_a_folder_that_cannot_be_written_to_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SigningKeyError, match="文件夹存在、可写"):
        SigningKey.create(path.parent / "missing" / "bureau.pem", NAME)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", denied)
    with pytest.raises(SigningKeyError, match="文件夹存在、可写"):
        SigningKey.create(path, NAME)


def test_a_missing_file_is_said_and_not_created(path: Path) -> None:
    with pytest.raises(SigningKeyError, match=r"没有私钥文件.*请"):
        SigningKey.load(path, NAME)
    assert not path.exists()
    with pytest.raises(SigningKeyError, match="无法读取"):
        SigningKey.load(path.parent, NAME)


def test_the_passphrase_must_be_right(path: Path, tmp_path: Path) -> None:
    SigningKey.create(path, NAME, "right")
    with pytest.raises(SigningKeyError, match="口令不对"):
        SigningKey.load(path, NAME, "wrong")
    with pytest.raises(SigningKeyError, match="请给出口令"):
        SigningKey.load(path, NAME)
    plain = tmp_path / "plain.pem"
    SigningKey.create(plain, NAME)
    with pytest.raises(SigningKeyError, match="没有加密"):
        SigningKey.load(plain, NAME, "right")


@pytest.mark.parametrize("passphrase", ["", "\udcff"], ids=ascii)
def test_an_unusable_passphrase_is_refused(path: Path, passphrase: str) -> None:
    with pytest.raises(SigningKeyError, match="口令"):
        SigningKey.create(path, NAME, passphrase)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b"\xff\xfe", pem(Ed25519PrivateKey.generate())[:70]],
    ids=["empty", "text", "bytes", "cut"],
)
def test_what_is_no_key_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SigningKeyError, match="不是 PEM 格式"):
        SigningKey.load(path, NAME)


def test_another_kind_of_key_is_refused(path: Path) -> None:
    path.write_bytes(pem(X25519PrivateKey.generate()))
    with pytest.raises(SigningKeyError, match="不是 Ed25519"):
        SigningKey.load(path, NAME)


@pytest.mark.parametrize("name", ["", "a b", "a+b"], ids=ascii)
def test_an_unusable_name_is_refused_before_anything_is_written(path: Path, name: str) -> None:
    with pytest.raises(RegistryError, match="名称"):
        SigningKey.create(path, name)
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "no newline", "a\r\n", "\ud800\n"], ids=ascii)
def test_what_is_no_text_of_a_note_is_not_signed(path: Path, text: str) -> None:
    with pytest.raises(NoteError):
        SigningKey.create(path, NAME).sign_note(text)


def test_both_halves_of_a_key_appear_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, public = tmp_path / "bureau.pem", tmp_path / "bureau.pem.pub"
    path.write_bytes(b"another")
    with pytest.raises(SigningKeyError, match=r"私钥文件.*已存在"):
        create_key(path, NAME)
    assert not public.exists()
    public.write_text("of one that is kept elsewhere", encoding="utf-8")
    with pytest.raises(SigningKeyError, match=r"公钥文件.*\.pub」已存在"):
        create_key(path, NAME)
    path.unlink()
    with pytest.raises(SigningKeyError, match=r"有公钥文件.*而没有私钥.*请"):
        create_key(path, NAME)
    public.unlink()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SigningKeyError, match="磁盘也没有满"):
            create_key(path, NAME)
    assert not list(tmp_path.iterdir())
    assert create_key(path, NAME).verifier_key == verifier_key(path)


def test_a_private_key_without_its_public_half_asks_for_that(path: Path) -> None:
    checkpoints.create_key(path, NAME)
    public = path.with_name(path.name + ".pub")
    public.unlink()
    with pytest.raises(SigningKeyError, match="请取回与私钥一同写出的公钥文件"):
        checkpoints.load_key(path)
    with pytest.raises(SigningKeyError, match="而没有公钥文件"):
        checkpoints.load_key(Path("/"))
