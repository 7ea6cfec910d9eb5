# XChaCha20-Poly1305 from the draft alone (draft-irtf-cfrg-xchacha-03, RFC 8439): slow and plain.
import struct

MASK = 0xFFFFFFFF


def rotated(value, count):
    return (value << count | value >> (32 - count)) & MASK


def quarter(state, a, b, c, d):
    for left, right, into, count in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[left] = (state[left] + state[right]) & MASK
        state[into] = rotated(state[into] ^ state[left], count)


def rounds(state):
    for _ in range(10):
        for turn in range(4):
            quarter(state, turn, turn + 4, turn + 8, turn + 12)
        for turn in range(4):
            column = [turn, 4 + (turn + 1) % 4, 8 + (turn + 2) % 4, 12 + (turn + 3) % 4]
            quarter(state, *column)


def start(key, rest):
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + rest))


def hchacha(key, nonce):
    state = start(key, nonce)
    rounds(state)
    return struct.pack("<8I", *state[:4], *state[12:])


def keystream(key, nonce, counter, size):
    out = b""
    while len(out) < size:
        first = start(key, struct.pack("<I", counter) + nonce)
        state = list(first)
        rounds(state)
        out += struct.pack("<16I", *((a + b) & MASK for a, b in zip(state, first)))
        counter += 1
    return out[:size]


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        block = message[at : at + 16] + b"\1"
        total = (total + int.from_bytes(block, "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def padded(part):
    return part + bytes(-len(part) % 16)


def opened(key, nonce, sealed, context):
    """What was sealed; None when the tag is wrong."""
    inner, short = hchacha(key, nonce[:16]), bytes(4) + nonce[16:]
    text, tag = sealed[:-16], sealed[-16:]
    covered = padded(context) + padded(text) + struct.pack("<QQ", len(context), len(text))
    if poly1305(keystream(inner, short, 0, 32), covered) != tag:
        return None
    return bytes(a ^ b for a, b in zip(text, keystream(inner, short, 1, len(text))))
