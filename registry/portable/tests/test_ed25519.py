"""Against the vectors of RFC 8032, the ``cryptography`` package, and crafted signatures.

Crafted signatures need points that no signer gives out; they are made here with affine arithmetic,
written from the definition of the curve.
"""

import random
from collections.abc import Iterator
from hashlib import sha512

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.portable import ed25519
from registry.portable.ed25519 import verify

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Affine = tuple[int, int]
NEUTRAL: Affine = (0, 1)


def on_curve(point: Affine) -> bool:
    x, y = point
    return (y * y - x * x - 1 - D * x * x * y * y) % P == 0


def add(p: Affine, q: Affine) -> Affine:
    (x1, y1), (x2, y2) = p, q
    both = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P
    return x, y


def times(n: int, p: Affine) -> Affine:
    result = NEUTRAL
    while n:
        if n & 1:
            result = add(result, p)
        p = add(p, p)
        n >>= 1
    return result


def encode(p: Affine) -> bytes:
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def point(y: int) -> Affine | None:
    """A point with this y, if there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            return x, y
    return None


BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def torsion() -> list[Affine]:
    """The eight points of small order, multiples of one of order eight."""
    for y in range(2, 100):
        found = point(y)
        if found:
            generator = times(L, found)
            if times(4, generator) != NEUTRAL:
                return [times(n, generator) for n in range(8)]
    raise AssertionError


SMALL = torsion()


def challenge(commitment: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(commitment + public + message).digest(), "little") % L


def scalar(n: int) -> bytes:
    return n.to_bytes(32, "little")


def library_accepts(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def messages() -> Iterator[bytes]:
    return (b"%d" % n for n in range(1000))


RFC_8032 = [
    pytest.param(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        id="test 1",
    ),
    pytest.param(
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        id="test 2",
    ),
    pytest.param(
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        id="test 3",
    ),
    pytest.param(
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        id="test sha(abc)",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_vectors_of_rfc_8032(public: str, message: str, signature: str) -> None:
    key, text, made = (bytes.fromhex(part) for part in (public, message, signature))
    assert verify(key, text, made)
    assert not verify(key, text + b"\0", made)


def test_signatures_of_the_library_verify_and_only_for_their_message_and_key() -> None:
    chance = random.Random(8032)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for size in (*range(20), 111, 112, 128, 1000, 100_000):
        private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = private.public_key().public_bytes_raw(), chance.randbytes(size)
        signature = private.sign(message)
        assert verify(public, message, signature)
        assert not verify(public, message + b" ", signature)
        assert not verify(other, message, signature)


def test_no_flipped_bit_goes_unnoticed() -> None:
    private = Ed25519PrivateKey.generate()
    public, message = private.public_key().public_bytes_raw(), b"county"
    whole = public + private.sign(message) + message
    for bit in range(0, 8 * len(whole), 3):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        key, signature, text = (bytes(flipped[n:m]) for n, m in ((0, 32), (32, 96), (96, 102)))
        assert not verify(key, text, signature), bit


def test_a_second_form_of_the_scalar_is_refused() -> None:
    private = Ed25519PrivateKey.generate()
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"m")
    number = int.from_bytes(signature[32:], "little")
    assert verify(public, b"m", signature[:32] + scalar(number))
    for multiple in range(1, 16):
        moved = signature[:32] + scalar(number + multiple * L)
        assert not verify(public, b"m", moved)
        assert not library_accepts(public, b"m", moved)


def test_wrong_lengths_are_refused() -> None:
    private = Ed25519PrivateKey.generate()
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"m")
    assert verify(public, b"m", signature)
    for key in (b"", public[:-1], public + b"\0", public * 2):
        assert not verify(key, b"m", signature)
    for wrong in (b"", signature[:-1], signature + b"\0", signature[:32], signature * 2):
        assert not verify(public, b"m", wrong)


def test_a_longer_key_is_refused_even_if_it_signed() -> None:
    secret, r = 1029, 3847
    commitment = encode(times(r, BASE))
    for key, expected in (
        (encode(times(secret, BASE)), True),
        (encode(times(secret, BASE)) + b"\0", False),
    ):
        k = challenge(commitment, key, b"m")
        assert verify(key, b"m", commitment + scalar((r + k * secret) % L)) == expected


def test_random_bytes_are_refused_without_an_error() -> None:
    chance = random.Random(1)
    for _ in range(200):
        assert not verify(chance.randbytes(32), b"m", chance.randbytes(63) + b"\x07")


def test_points_decode_from_their_canonical_encoding_alone() -> None:
    """Tries all y below 40 and every y that has a second encoding, each with both signs."""
    for y in range(40):
        found = point(y)
        for sign in (0, 1):
            encoding = (y | sign << 255).to_bytes(32, "little")
            decoded = ed25519._decoded(encoding)
            if found is None or (found[0] == 0 and sign):
                assert decoded is None
            else:
                assert decoded is not None
                x, same, z, t = decoded
                assert (same, z, t) == (y, 1, x * y % P)
                assert on_curve((x, y))
                assert x & 1 == sign
                assert ed25519._encoded(decoded) == encoding
    for y in range(P, 2**255):
        for sign in (0, 1):
            assert ed25519._decoded((y | sign << 255).to_bytes(32, "little")) is None


def test_a_key_of_small_order_is_refused() -> None:
    """One signature under such a key fits every message, or every eighth; the library allows it."""
    r = 12345
    signature = encode(times(r, BASE)) + scalar(r)
    allowed = 0
    for key in SMALL:
        fits = [
            m for m in messages() if challenge(signature[:32], encode(key), m) % 8 == 0
        ]  # then k·A is neutral
        assert fits
        for message in fits[:3]:
            allowed += library_accepts(encode(key), message, signature)
            assert not verify(encode(key), message, signature)
    assert allowed


@pytest.mark.parametrize("encoding", [P + 1, 1 | 1 << 255, (P + 1) | 1 << 255])
def test_no_other_encoding_of_the_neutral_element_is_taken(encoding: int) -> None:
    r = 54321
    signature = encode(times(r, BASE)) + scalar(r)
    assert not verify(encoding.to_bytes(32, "little"), b"m", signature)


@pytest.mark.parametrize("n", range(8))
def test_a_key_with_a_part_of_small_order_is_judged_without_the_cofactor(n: int) -> None:
    """As the library judges it: S·B = R + k·A as it stands, not eight times both sides."""
    secret, r = 1357, 2468
    public = encode(add(times(secret, BASE), SMALL[n]))
    commitment = encode(times(r, BASE))
    judged = set()
    for message in list(messages())[:24]:
        k = challenge(commitment, public, message)
        signature = commitment + scalar((r + k * secret) % L)
        expected = k * n % 8 == 0
        assert verify(public, message, signature) == expected
        assert library_accepts(public, message, signature) == expected
        judged.add(expected)
    assert judged == ({True} if n == 0 else {True, False})


def test_a_commitment_with_a_part_of_small_order_is_judged_without_the_cofactor() -> None:
    secret, r = 97531, 86420
    key = times(secret, BASE)
    accepted = 0
    for a in (0, 3):
        public = encode(add(key, SMALL[a]))
        for n, small in enumerate(SMALL):
            commitment = encode(add(times(r, BASE), small))
            for message in list(messages())[:6]:
                k = challenge(commitment, public, message)
                signature = commitment + scalar((r + k * secret) % L)
                expected = (n + k * a) % 8 == 0
                assert verify(public, message, signature) == expected
                assert library_accepts(public, message, signature) == expected
                accepted += expected
    assert accepted


def test_the_commitment_is_taken_in_its_canonical_encoding_alone() -> None:
    secret = 24680
    public = encode(times(secret, BASE))
    for number, expected in ((1, True), (P + 1, False), (1 | 1 << 255, False)):
        commitment = number.to_bytes(32, "little")
        k = challenge(commitment, public, b"m")
        signature = commitment + scalar(k * secret % L)
        assert verify(public, b"m", signature) == expected
        assert library_accepts(public, b"m", signature) == expected
