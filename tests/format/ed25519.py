# Ed25519 verification in plain Python: RFC 8032, section 5.1, with the rules of docs/protocol.md,
# section 2. Slow, and for checking vectors only.
"""verify(key, message, signature) -> bool"""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    """Sum of two points in affine coordinates (the addition law is complete)."""
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(number, point):
    result = (0, 1)
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def encode(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(raw):
    """The point, or None when there is none; y is taken modulo P."""
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number % 2**255 % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def is_small(raw):
    """Whether these 32 bytes encode, canonically or not, a point of small order."""
    point = decode(raw[:31] + bytes([raw[31] & 0x7F]))
    return point is not None and times(8, point) == (0, 1)


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def verify(key, message, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if len(key) != 32 or len(signature) != 64 or s >= L or is_small(r):
        return False
    if int.from_bytes(key, "little") % 2**255 >= P or is_small(key):
        return False
    point = decode(key)
    if point is None:
        return False
    h = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L
    x, y = times(h, point)
    return encode(add(times(s, BASE), (P - x, y))) == r
