# The frames of the second decoder, written from docs/protocol.md alone: sections 11 and 12.
"""read_frame(stream) returns type, fields and what is left of the stream."""

from second_decoder import AUDIENCES, KIB, Input, need


def arrivals(into):
    return [into.varint() for _ in range(3)]


def cursor(into):
    return {"epoch": into.number(8), "grant": into.number(8), "arrivals": arrivals(into)}


def head(into):
    return {"feed": into.hex(32), "seq": into.varint(), "hash": into.hex(32)}


def chain(into):
    count = into.varint()
    need(count <= 64, "chain too long")
    return [into.sized(16 * KIB).hex() for _ in range(count)]


def heads(into):
    return into.list(into.varint(), 65, lambda: head(into))


def feeds(into):
    return into.list(into.varint(), 32, lambda: into.hex(32))


def short_heads(into):
    def short_head():
        return {"feed": into.number(8), "seq": into.varint(), "hash": into.number(4)}

    return into.list(into.varint(), 13, short_head)


def witnesses(into):
    def one():
        return head(into) | {"checkpoint": into.hex(64), "intro": into.sized(1280).hex()}

    return into.list(into.varint(), 130, one)


def lanes(into):
    value = into.number(1)
    need(value <= 2, "lanes that nobody knows")
    return value


def hello(into):
    frame = {"version_least": into.number(2), "version_most": into.number(2)}
    frame |= {"federation": into.hex(32), "epoch": into.number(8), "chain": chain(into)}
    frame |= {"cursor": cursor(into), "holds": into.varint(), "own": heads(into)}
    frame |= {"budget_bytes": into.varint(), "lanes": lanes(into)}
    return frame | {"yours": short_heads(into)}


def welcome(into):
    frame = {"version": into.number(2), "epoch": into.number(8), "chain": chain(into)}
    frame |= {"cursor": cursor(into), "holds": into.varint(), "time": into.signed64()}
    frame |= {"grant": into.number(8), "waiting_bytes": arrivals(into)}
    frame |= {"witness": witnesses(into), "lanes": lanes(into)}
    return frame | {"doubts": into.list(into.varint(), 8, lambda: into.number(8))}


def seg(into):
    audience, flags, size = AUDIENCES.get(into.number(1)), into.number(1), into.varint()
    need(audience and flags <= 3, "unknown audience or flags")
    content = into.rest()
    need(flags & 1 or size == len(content), "another size")
    frame = {"audience": audience, "packed": bool(flags & 1), "new_stream": bool(flags & 2)}
    return frame | {"size": size, "content": content.hex()}


def mark(into):
    lane = into.number(1)
    need(lane <= 2, "unknown lane")
    return {"lane": lane, "arrival": into.varint()}


def ack(into):
    return {"arrivals": arrivals(into), "bytes": into.varint()}


def receipts(into):
    count = into.varint()
    need(count <= 4096, "too many")
    return {"receipts": [into.sized(256).hex() for _ in range(count)]}


def end(into):
    return {"arrivals": arrivals(into), "digest": into.hex(32)}


def bits_of(into):
    bits = into.number(1)
    need(bits <= 13, "too many bits")
    return bits


def buckets(into):
    salt, bits = into.number(8), bits_of(into)
    hashes = into.list(1 << bits, 4, lambda: into.number(4))
    return {"salt": salt, "bits": bits, "hashes": hashes}


def differing_heads(into):
    bits, last, named = bits_of(into), None, []
    for step in into.list(into.varint(), 1, into.varint):
        need(last is None or step > 0, "bucket twice")
        last = step + (last or 0)
        need(last < 1 << bits, "no such bucket")
        named.append(last)

    return {"bits": bits, "buckets": named, "heads": short_heads(into)}


def want(into):
    def one():
        return {"feed": into.number(8), "from": into.varint()}

    return {"feeds": into.list(into.varint(), 9, one)}


def scope(into):
    return {"added": feeds(into), "removed": feeds(into)}


def nothing(_into):
    return {}


def fault(into):
    return {"feed": into.hex(32), "code": into.text(200)}


def bye(into):
    return {"code": into.text(200), "retry_after_ms": into.varint()}


def join(into):
    return {"request": into.rest().hex()}


def joined(into):
    return {"answer": into.rest().hex()}


def witness(into):
    return {"witness": witnesses(into)}


BODIES = [hello, welcome, seg, mark, ack, receipts, end, buckets, differing_heads, want, scope]
BODIES += [nothing, nothing, fault, bye, join, joined, witness]


def read_frame(stream):
    into = Input(stream)
    size = into.varint()
    need(size <= 64 * KIB, "frame too long")
    kind = into.number(1)
    need(kind != 0, "type 0")
    body = Input(into.take(size))
    if kind > len(BODIES):
        return kind, {"unknown": kind}, into.rest()
    fields = BODIES[kind - 1](body)
    body.end()
    return kind, fields, into.rest()


def read_segment(content):
    into, pieces = Input(content), []
    while into.left():
        number = into.varint()
        need(number >> 1 < 1 << 17, "feed number too large")
        intro = into.sized(1280) if number & 1 else b""
        need(intro or not number & 1, "intro of no bytes")
        piece = into.sized(64 * KIB)
        pieces.append({"feed": number >> 1, "intro": intro.hex(), "piece": piece.hex()})
    return pieces


def unpack_stored(packed, starts):
    """A part of a zstd stream that holds stored blocks only."""
    into = Input(packed)
    if starts:
        need(into.take(6) == bytes.fromhex("28b52ffd0050"), "another start of a stream")
    content = b""
    while into.left():
        block = int.from_bytes(into.take(3), "little")
        need(block & 7 == 0, "last block, or one that is not stored")
        content += into.take(block >> 3)
    return content
