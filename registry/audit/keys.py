"""The bureau's signing key: an Ed25519 key in one PEM file (PKCS8), under the name it signs with.

A key file is created once and never overwritten. Anyone who can read it can sign as the bureau,
unless it is encrypted with a passphrase. A lost key cannot be restored, and a new key is a new
identity.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.errors import SigningKeyError
from registry.kit.files import content, written_whole
from registry.portable.notes import LARGEST, NoteError, VerifierKey, signed


class SigningKey:
    """A private key and its name; ``verifier_key`` is its public part."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        try:
            self.verifier_key = VerifierKey(name, private.public_key().public_bytes_raw())
        except NoteError as problem:
            raise SigningKeyError(problem.slug, problem.pattern, **problem.fields) from None
        self._private = private

    @classmethod
    def create(
        cls, path: Path, name: str, passphrase: str | None = None, *, public: Path | None = None
    ) -> "SigningKey":
        """Create a key in a new file that only its owner may read; an existing file is refused.

        If ``public`` is given, the verifier key is written there before the key file exists; if
        creating the key fails, it is removed again.
        """
        key = cls(name, Ed25519PrivateKey.generate())
        secret = _secret(passphrase)
        pem = key._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(secret)
            if secret
            else serialization.NoEncryption(),
        )
        try:
            with (
                _published(key.verifier_key, public),
                written_whole(path, private=True, new=True) as fresh,
            ):
                fresh.write_bytes(pem)
        except FileExistsError as problem:
            raise SigningKeyError(
                "key-exists",
                "{what}文件「{where}」已存在，不会覆盖：请直接使用它，或另选位置",
                what="私钥" if problem.filename == str(path) else "公钥",
                where=problem.filename,
            ) from None
        except OSError:
            raise SigningKeyError(
                "key-not-written",
                "无法建立私钥文件「{where}」：请确认所在的文件夹存在、可写，磁盘也没有满",
                where=path,
            ) from None
        return key

    @classmethod
    def load(cls, path: Path, name: str, passphrase: str | None = None) -> "SigningKey":
        """Load the key of an existing file."""
        try:
            pem = content(path, LARGEST)
        except FileNotFoundError:
            raise SigningKeyError(
                "no-key-file", "没有私钥文件「{where}」：请核对位置，或先建立私钥", where=path
            ) from None
        except OSError:
            raise SigningKeyError(
                "key-not-read",
                "无法读取私钥文件「{where}」：请核对位置和权限",
                where=path,
            ) from None
        return cls(name, _private(path, pem, _secret(passphrase)))

    def sign_note(self, text: str) -> str:
        """The note of ``text``, which ends with a newline, signed with this key."""
        key = self.verifier_key
        # ``signed`` refuses text that cannot be encoded, like any other text that is no note.
        signature = self._private.sign(text.encode("utf-8", "surrogatepass"))
        return signed(text, key.name, key.hash, signature)


@contextmanager
def _published(key: VerifierKey, public: Path | None) -> Iterator[None]:
    """Write a verifier key, and remove it again if the body of the ``with`` statement fails."""
    if public is None:
        yield
        return
    with written_whole(public, new=True) as fresh:
        fresh.write_text(f"{key}\n", encoding="utf-8")
    try:
        yield
    except BaseException:
        public.unlink(missing_ok=True)
        raise


def _secret(passphrase: str | None) -> bytes | None:
    if passphrase == "":
        raise SigningKeyError("empty-passphrase", "私钥口令不能为空：请给出口令，或不用口令")
    try:
        return None if passphrase is None else passphrase.encode("utf-8")
    except UnicodeEncodeError:
        raise SigningKeyError(
            "unreadable-passphrase", "私钥口令含有无法识别的字符：请检查终端的字符编码"
        ) from None


def _private(path: Path, pem: bytes, secret: bytes | None) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, secret)
    except TypeError:
        if secret is None:
            raise SigningKeyError(
                "passphrase-needed", "私钥文件「{where}」已加密：请给出口令", where=path
            ) from None
        raise SigningKeyError(
            "passphrase-not-needed", "私钥文件「{where}」没有加密：请去掉口令再试", where=path
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        if secret is None:
            raise SigningKeyError(
                "no-pem-file",
                "「{where}」不是 PEM 格式的私钥文件，或已损坏：请核对位置，或从备份恢复",
                where=path,
            ) from None
        raise SigningKeyError(
            "wrong-passphrase",
            "无法解开私钥文件「{where}」，口令不对或文件已损坏：请核对口令，或从备份恢复",
            where=path,
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError(
            "other-kind-of-key", "「{where}」不是 Ed25519 私钥：请核对位置，或另建私钥", where=path
        )
    return key
