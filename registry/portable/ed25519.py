"""Verification of Ed25519 signatures (RFC 8032), in plain integers.

Where RFC 8032 leaves a choice, the stricter one is taken: encodings must be canonical, the equation
is tested without the cofactor, and a public key of small order is refused, because one signature
under it fits many messages. All input is public, so nothing here needs constant time. There is
deliberately no way to sign.
"""

from hashlib import sha512
from typing import Final, TypeAlias

#: The field, the order of the base point, and the constant of -x² + y² = 1 + dx²y².
_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P

#: A square root of -1.
_I: Final = pow(2, (_P - 1) // 4, _P)

#: A point in extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z.
_Point: TypeAlias = tuple[int, int, int, int]


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` under the key ``public``; never raises.

    >>> public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    >>> first = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    >>> last = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    >>> verify(bytes.fromhex(public), b"", bytes.fromhex(first + last))  # RFC 8032, test 1
    True
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    key = _decoded(public)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or scalar >= _L or _of_small_order(key):
        return False
    commitment = signature[:32]
    digest = sha512(commitment + public + message).digest()
    challenge = int.from_bytes(digest, "little") % _L
    # R = S·B - k·A is compared in encoded form, so a non-canonical encoding always differs.
    return _encoded(_combined(scalar, _BASE, challenge, _negated(key))) == commitment


def _decoded(encoding: bytes) -> _Point | None:
    """The point that 32 bytes encode, if they are its canonical encoding."""
    number = int.from_bytes(encoding, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _I % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encoded(point: _Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _of_small_order(point: _Point) -> bool:
    """Whether eight times the point is the neutral element."""
    for _ in range(3):
        point = _doubled(point)
    x, y, z, _ = point
    return x == 0 and y == z


def _combined(a: int, p: _Point, b: int, q: _Point) -> _Point:
    """``a·p + b·q``, in one pass over the bits of both."""
    table = (None, p, q, _added(p, q))
    result = (0, 1, 1, 0)
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        result = _doubled(result)
        if addend := table[(a >> bit & 1) | (b >> bit & 1) << 1]:
            result = _added(result, addend)
    return result


def _added(p: _Point, q: _Point) -> _Point:
    """The sum of two points; the formula also holds for equal and for neutral points."""
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * _D * t1 * t2 % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _doubled(p: _Point) -> _Point:
    x, y, z, _ = p
    a = x * x % _P
    b = y * y % _P
    h = a + b
    e = h - (x + y) ** 2
    g = a - b
    f = 2 * z * z + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _negated(p: _Point) -> _Point:
    x, y, z, t = p
    return -x % _P, y, z, -t % _P


def _base() -> _Point:
    """The point with y = 4/5 and even x."""
    point = _decoded((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return point


_BASE: Final = _base()
