# Bundles, read by a second decoder written from docs/protocol.md section 17 alone, with the sealing
# in plain Python. Slow, and for checking vectors only.
"""read_bundle(file, box_secret) returns what it says, or raises Refused."""

import hashlib
import struct

import ed25519
from second_decoder import KIB, Input, h256, need

P25519 = 2**255 - 19
P1305 = 2**130 - 5
MASK = 0xFFFFFFFF


def x25519(secret, point):
    """RFC 7748, section 5."""
    number = bytearray(secret)
    number[0] &= 248
    number[31] = number[31] & 127 | 64
    k = int.from_bytes(number, "little")
    x1 = int.from_bytes(point, "little") % 2**255
    x2, z2, x3, z3, swapped = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swapped ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb = a * a, b * b
        da, cb = d * a, c * b
        x3, z3 = (da + cb) ** 2 % P25519, x1 * (da - cb) ** 2 % P25519
        e = aa - bb
        x2, z2 = aa * bb % P25519, e * (aa + 121665 * e) % P25519
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, -1, P25519) % P25519).to_bytes(32, "little")


def turned(number, by):
    return (number << by | number >> 32 - by) & MASK


def words(raw):
    return list(struct.unpack(f"<{len(raw) // 4}I", raw))


def chacha_rounds(x):
    """RFC 8439, section 2.3."""

    def quarter(a, b, c, d):
        for p, q, r, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = x[p] + x[q] & MASK
            x[r] = turned(x[r] ^ x[p], by)

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for a, b, c, d in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(a, b, c, d)
    return x


def salsa_rounds(x):
    """Bernstein, "The Salsa20 family of stream ciphers", 2008."""

    def quarter(a, b, c, d):
        for into, p, q, by in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
            x[into] ^= turned(x[p] + x[q] & MASK, by)

    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)):
            quarter(a, b, c, d)
        for a, b, c, d in ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)):
            quarter(a, b, c, d)
    return x


CONSTANT = words(b"expand 32-byte k")


def chacha_state(key, rest):
    return CONSTANT + words(key) + rest


def salsa_state(key, rest):
    k, c = words(key), CONSTANT
    return [c[0], *k[:4], c[1], *rest, c[2], *k[4:], c[3]]


def block(rounds, state):
    mixed = rounds(list(state))
    return struct.pack("<16I", *(a + b & MASK for a, b in zip(mixed, state)))


def hchacha(key, nonce):
    mixed = chacha_rounds(chacha_state(key, words(nonce)))
    return struct.pack("<8I", *mixed[:4], *mixed[12:])


def hsalsa(key, nonce):
    mixed = salsa_rounds(salsa_state(key, words(nonce)))
    return struct.pack("<8I", *(mixed[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


def poly1305(key, message):
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum = 0
    for at in range(0, len(message), 16):
        sum = (sum + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % P1305
    return ((sum + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def xored(stream, text):
    return bytes(a ^ b for a, b in zip(stream, text))


def open_sealed_box(secret, public, sealed):
    """libsodium manual, "Sealed boxes": throw-away key, then a box under it."""
    once, tag, text = sealed[:32], sealed[32:48], sealed[48:]
    nonce = hashlib.blake2b(once + public, digest_size=24).digest()
    key = hsalsa(hsalsa(x25519(secret, once), bytes(16)), nonce[:16])
    blocks = (len(text) + 32 + 63) // 64
    rest = words(nonce[16:])
    stream = b"".join(block(salsa_rounds, salsa_state(key, [*rest, n, 0])) for n in range(blocks))
    need(poly1305(stream[:32], text) == tag, "the part's key does not open")
    return xored(stream[32:], text)


def open_chunk(key, sealed, context):
    """XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03."""
    nonce, text, tag = sealed[:24], sealed[24:-16], sealed[-16:]
    inner, rest = hchacha(key, nonce[:16]), [0, *words(nonce[16:])]
    blocks = range((len(text) + 63) // 64 + 1)
    stream = [block(chacha_rounds, chacha_state(inner, [n, *rest])) for n in blocks]

    def padded(raw):
        return raw + bytes(-len(raw) % 16)

    lengths = struct.pack("<QQ", len(context), len(text))
    found = poly1305(stream[0][:32], padded(context) + padded(text) + lengths)
    need(found == tag, "a chunk does not open")
    return xored(b"".join(stream[1:]), text)


def read_header(into):
    need(into.take(16) == b"chapterd bundle\n", "no bundle")
    need(into.number(1) == 1, "unknown version")
    size = into.number(4)
    need(64 <= size <= 576 * KIB, "size of the header")
    body, signature = into.take(size - 64), into.take(64)
    inner = Input(body)
    header = {"federation": inner.hex(32), "kind": inner.number(1), "id": inner.hex(16)}
    need(header["kind"] in (1, 2), "unknown kind")
    header |= {"sender": inner.key(), "epoch": inner.number(8), "grant": inner.number(8)}
    header |= {"written": inner.signed64(), "arrivals": [inner.varint() for _ in range(3)]}
    header |= {"part": inner.number(4), "parts": inner.number(4)}
    need(1 <= header["part"] <= header["parts"], "no such part")
    count = inner.varint()
    need(1 <= count <= 34, "statements of the chain")
    header["chain"] = [inner.sized(16 * KIB).hex() for _ in range(count)]
    count = inner.number(1)
    need(1 <= count <= 64, "recipients")
    header["recipients"] = [{"node": inner.key(), "key": inner.hex(80)} for _ in range(count)]
    inner.end()
    message = b"chapterd/bundle/1\0" + body
    sender = bytes.fromhex(header["sender"])
    need(ed25519.verify(sender, message, signature), "signature of the header")
    return header


def part_key(header, recipient):
    node, secret, public = (bytes.fromhex(recipient[x]) for x in ("node", "box_secret", "box_public"))
    need(x25519(secret, (9).to_bytes(32, "little")) == public, "keys that do not belong together")
    for each in header["recipients"]:
        if each["node"] == node.hex():
            return open_sealed_box(secret, public, bytes.fromhex(each["key"]))
    need(False, "for somebody else")


def read_bundle(file, recipient):
    into = Input(file)
    header = read_header(into)
    state = h256(b"chapterd/bundle-head/1", file[: into.at])
    size = into.at
    key = part_key(header, recipient)
    chunks = []
    while not chunks or chunks[-1]["type"] != 3:
        kind, sealed = into.take(1), into.take(into.number(4))
        need(1 <= kind[0] <= 3 and 41 <= len(sealed) <= 65576, "type or size of a chunk")
        plain = open_chunk(key, sealed, b"chapterd/bundle-chunk/1\0" + state + kind)
        chunks.append({"type": kind[0], "state": state.hex(), "plain": plain.hex()})
        state = h256(b"chapterd/bundle-link/1", state, kind, sealed)
    need(into.number(1) == 4, "no trailer")
    counts = into.take(24)
    message = b"chapterd/bundle-end/1\0" + state + counts
    signature = into.take(64)
    into.end()
    sender = bytes.fromhex(header["sender"])
    need(ed25519.verify(sender, message, signature), "signature of the trailer")
    names = ("chunks", "entries", "receipts")
    trailer = dict(zip(names, struct.unpack(">QQQ", counts))) | {"signature": signature.hex()}
    need(trailer["chunks"] == len(chunks), "another number of chunks")
    return {"key": key.hex(), "header_bytes": size, "header": header, "chunks": chunks,
            "last_state": state.hex(), "trailer": trailer}  # fmt: skip


def runs(chunks):
    """The frames of each run, one after the other."""
    found, content = [], b""
    for chunk in chunks:
        content += bytes.fromhex(chunk["plain"])
        if chunk["type"] != 1:
            found.append(content)
            content = b""
    return found
