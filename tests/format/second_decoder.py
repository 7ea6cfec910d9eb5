# A second decoder of every structure, written from docs/protocol.md alone.
"""Each read_… takes bytes and returns what they say, or raises Refused."""

import hashlib
import struct

import ed25519

AUDIENCES = {1: "auth", 2: "chapter", 3: "up", 4: "down", 5: "to", 6: "all"}
KIB = 1024


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


def h256(label, *parts):
    return hashlib.blake2b(label + b"\0" + b"".join(parts), digest_size=32).digest()


def u64(number):
    return number.to_bytes(8, "big")


class Input:
    """Section 1: the notation, one method a word."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def left(self):
        return len(self.raw) - self.at

    def take(self, count):
        need(count <= self.left(), "fewer bytes than needed")
        self.at += count
        return self.raw[self.at - count : self.at]

    def rest(self):
        return self.take(self.left())

    def end(self):
        need(self.left() == 0, "bytes left over")

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def signed64(self):
        return int.from_bytes(self.take(8), "big", signed=True)

    def varint(self):
        value = 0
        for place in range(10):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                need(byte != 0 or place == 0, "not the shortest form")
                need(value < 2**64, "over 64 bits")
                return value
        raise Refused("varint without end")

    def zigzag(self):
        value = self.varint()
        return value // 2 if value % 2 == 0 else -(value + 1) // 2

    def sized(self, most):
        count = self.varint()
        need(count <= most, "too long")
        return self.take(count)

    def text(self, most):
        return utf8(self.sized(most))

    def hex(self, count):
        return self.take(count).hex()

    def key(self):
        need(self.take(1) == b"\1", "unknown algorithm")
        return self.hex(32)

    def list(self, count, least, read):
        need(count * least <= self.left(), "more items than bytes")
        return [read() for _ in range(count)]


def utf8(raw):
    try:
        return raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise Refused("no UTF-8") from None


# --- sections 3 to 5 ---


def read_genesis(raw):
    need(len(raw) <= 16 * KIB, "too long")
    into = Input(raw)
    need(into.number(1) == 1, "unknown version")
    genesis = {"name": into.text(200), "created": into.signed64(), "chapter": into.hex(16)}
    genesis |= {"code": into.text(200), "authority": into.key(), "recovery": into.hex(32)}
    genesis["nonce"] = into.hex(16)
    signature = into.take(64)
    into.end()
    message = b"chapterd/genesis/1\0" + raw[:-64]
    key = bytes.fromhex(genesis["authority"])
    need(ed25519.verify(key, message, signature), "wrong signature")
    return genesis


def read_head(into):
    return {"feed": into.hex(32), "seq": into.number(8), "hash": into.hex(32)}


def read_statement(raw):
    need(65 <= len(raw) <= 16 * KIB, "impossible length")
    need(raw[-65] == 1, "unknown algorithm")
    into = Input(raw[:-65])
    need(into.number(1) == 1, "unknown version")
    kind = into.number(1)
    statement = {"issuer": into.hex(16), "number": into.number(8)}
    if kind == 1:
        body = {"chapter": into.hex(16), "authority": into.key(), "code": into.text(200)}
        body |= {"name": into.text(200), "level": into.number(1)}
        count = into.number(1)
        need(1 <= count <= 16, "impossible path")
        body["above"] = into.list(count, 16, lambda: into.hex(16))
    elif kind == 2:
        body = {"node": into.key(), "box": into.hex(32), "chapter": into.hex(16)}
        body |= {"name": into.text(200), "capabilities": into.number(4)}
        body |= {"proof": into.hex(64)}
    elif kind == 3:
        body = {"node": into.key(), "reason": into.text(200)}
        body["cuts"] = into.list(into.varint(), 72, lambda: read_head(into))
    elif kind == 4:
        body = {"chapter": into.hex(16), "authority": into.key(), "by": into.number(1)}
        need(1 <= body["by"] <= 3, "unknown authority")
        body |= {"recovery": into.key() if body["by"] == 3 else None, "stands": None}
        listed = into.number(1)
        need(listed < 2 and not (listed and body["by"] == 1), "no list here")
        if listed:
            body["stands"] = into.list(into.varint(), 32, lambda: into.hex(32))
        body["acceptance"] = into.hex(64)
    elif kind == 5:
        body = {"certificate": into.sized(16 * KIB).hex()}
        keys = into.number(1)
        need(keys <= 16, "too many keys")
        body |= {"keys": into.list(keys, 33, into.key), "parent": into.key()}
        addresses = into.number(1)
        need(addresses <= 8, "too many addresses")
        body["addresses"] = into.list(addresses, 1, lambda: into.text(200))
    elif kind == 6:
        body = {"node": into.key()}
        body["heads"] = into.list(into.varint(), 72, lambda: read_head(into))
    elif kind == 7:
        body = {"node": into.key()}
        body["tips"] = into.list(into.varint(), 72, lambda: read_head(into))
    elif kind == 8:
        body = {"node": into.key(), "heir": into.key()}
        body["lives"] = into.list(into.varint(), 16, lambda: into.hex(16))
    else:
        body = {"body": into.rest().hex()}
    into.end()
    return statement | {"body": body}


def chapter_id_below(parent, code):
    return h256(b"chapterd/chapter/1", parent, code.encode())[:16]


def verify_node_proof(body, federation):
    node, proof = bytes.fromhex(body["node"]), bytes.fromhex(body["proof"])
    about = bytes.fromhex(body["box"]) + bytes.fromhex(body["chapter"])
    return ed25519.verify(node, b"chapterd/node/1\0" + federation + b"\1" + node + about, proof)


def verify_acceptance(body, federation):
    key, acceptance = bytes.fromhex(body["authority"]), bytes.fromhex(body["acceptance"])
    message = b"chapterd/successor/1\0" + federation + bytes.fromhex(body["chapter"]) + b"\1" + key
    return ed25519.verify(key, message, acceptance)


def verify_statement(raw, federation, key):
    message = b"chapterd/statement/1\0" + federation + raw[:-64]
    return ed25519.verify(key, message, raw[-64:])


def read_path(into):
    chapter, count = into.hex(16), into.number(1)
    need(count <= 16, "path too long")
    return {"chapter": chapter, "above": into.list(count, 16, lambda: into.hex(16))}


def read_feed(raw):
    need(len(raw) <= 1280, "too long")
    into = Input(raw)
    need(into.number(1) == 1, "unknown version")
    intro = {"node": into.key(), "home": read_path(into)}
    audience = AUDIENCES.get(into.number(1))
    need(audience, "unknown audience")
    intro |= {"audience": audience, "target": read_path(into) if audience == "to" else None}
    intro["incarnation"] = into.hex(16)
    count = into.number(1)
    need(count <= 8, "too many predecessors")

    def predecessor():
        tip = read_head(into) | {"why": into.number(1)}
        need(1 <= tip["why"] <= 4, "unknown reason")
        need(tip["seq"] > 0, "predecessor without entries")
        return tip

    intro["predecessors"] = into.list(count, 73, predecessor)
    into.end()
    return intro


# --- sections 6 to 8 ---


def salt_of(seed, seq):
    return hashlib.blake2b(u64(seq), digest_size=16, key=seed).digest()


def commitment_of(salt, payload):
    return hashlib.blake2b(payload, digest_size=32, key=salt).digest()


def header_of(feed, seq, prev, entry, commitment):
    parts = [b"\1", feed, u64(seq), prev, bytes([entry["kind"], entry["flags"]])]
    parts += [u64(entry["time"]), entry["payload_bytes"].to_bytes(4, "big"), commitment]
    return b"".join(parts)


def checkpoint_message(federation, feed, seq, entry_hash):
    return b"chapterd/checkpoint/1\0" + federation + feed + u64(seq) + entry_hash


def read_kind(byte, seed, is_last):
    need(byte < 0x80 and byte & 15, "kind 0 or reserved bit")
    need(not byte & 0x10 or is_last, "goes on after the end of its run")
    need(not byte & 0x40 or seed is None, "erased beside a seed")
    need(not byte & 0x40 or byte & 15 not in (2, 3, 7), "erased statement, order or life")
    return {"kind": byte & 15, "flags": byte >> 4 & 3, "erased": bool(byte & 0x40)}


def read_piece(raw):
    need(len(raw) <= 62 * KIB, "too long")
    into = Input(raw)
    form = into.number(1)
    need(form & ~7 == 0x10, "unknown form")
    first = into.varint()
    prev = into.hex(32) if form & 4 else None
    need(prev is None or first != 1, "something before the first entry")
    count = into.number(1)
    need(1 <= count <= 64, "no entries or too many")
    need(first > 0 and first + count < 2**64, "impossible place")
    seed = None if form & 1 else into.take(16)
    kinds = into.take(count)
    entries = [read_kind(byte, seed, i + 1 == count) for i, byte in enumerate(kinds)]
    time = 0
    for entry in entries:
        time = (time + into.zigzag()) % 2**64
        entry["time"] = time
    for entry in entries:
        entry["payload_bytes"] = into.varint()
        need(entry["payload_bytes"] <= 48 * KIB, "payload too long")
    for place, entry in enumerate(entries):
        entry["payload"] = None
        if entry.pop("erased"):
            commitment = into.take(32)
            entry["erased"] = commitment.hex()
        else:
            salt = salt_of(seed, first + place) if seed else into.take(16)
            payload = into.take(entry["payload_bytes"])
            commitment = commitment_of(salt, payload)
            entry |= {"payload": payload.hex(), "erased": None}
        entry["commitment"] = commitment
    carried = sum(entry["payload_bytes"] for entry in entries if entry["erased"] is None)
    need(carried <= 60 * KIB, "payloads too long")
    checkpoint = into.hex(64) if form & 2 else None
    into.end()
    seed = seed.hex() if seed else None
    piece = {"first": first, "prev": prev, "seed": seed, "entries": entries}
    return piece | {"checkpoint": checkpoint}


def chain(piece, feed, prev):
    hashes = []
    for place, entry in enumerate(piece["entries"]):
        seq = piece["first"] + place
        header = header_of(feed, seq, prev, entry, entry["commitment"])
        prev = h256(b"chapterd/entry/1", header)
        hashes.append(prev)
    return hashes


# --- section 9 ---


class Cbor(Input):
    def head(self):
        byte = self.number(1)
        major, low = byte >> 5, byte & 31
        if low < 24 or major == 7:
            return major, low
        need(low <= 27, "indefinite or reserved")
        width = 1 << low - 24
        value = self.number(width)
        need(value >= (24 if width == 1 else 1 << 4 * width), "not the shortest form")
        return major, value

    def real(self, low):
        width = {25: 2, 26: 4, 27: 8}[low]
        raw = self.take(width)
        value = struct.unpack({2: ">e", 4: ">f", 8: ">d"}[width], raw)[0]
        if value != value:
            need(raw == b"\x7e\0", "another NaN")
        for shorter in (">e", ">f")[: {2: 0, 4: 1, 8: 2}[width]]:
            try:
                same = struct.unpack(shorter, struct.pack(shorter, value))[0] == value
            except OverflowError:
                same = False
            need(not same, "not the shortest form")
        return {"float": "7ff8000000000000" if value != value else struct.pack(">d", value).hex()}

    def map(self, pairs, depth):
        result, last = {}, None
        for _ in range(pairs):
            start = self.at
            major, value = self.head()
            need(major == 3, "key that is no text")
            key = utf8(self.take(value))
            encoded = self.raw[start : self.at]
            need(last is None or last < encoded, "keys not in order")
            last = encoded
            result[key] = self.item(depth)
        return {"map": result}

    def item(self, depth=32):
        major, value = self.head()
        if major in (0, 1):
            need(value < 2**63, "over 64 signed bits")
            return value if major == 0 else -1 - value
        if major == 2:
            return {"bytes": self.hex(value)}
        if major == 3:
            return utf8(self.take(value))
        if major in (4, 5):
            need(depth > 0, "too deep")
            if major == 5:
                return self.map(value, depth - 1)
            return self.list(value, 1, lambda: self.item(depth - 1))
        need(major == 7, "tag")
        if 25 <= value <= 27:
            return self.real(value)
        need(20 <= value <= 22, "simple value")
        return {20: False, 21: True, 22: None}[value]

    def of(self, major, least, most):
        found, value = self.head()
        need(found == major and least <= value <= most, "wrong type or size")
        return value


def read_operation(into, entries):
    items = into.of(4, 2, 4)
    operation = {"field": utf8(into.take(into.of(3, 1, 100))), "action": into.of(0, 0, 3)}
    operation |= {"value": None, "reads": None, "supersedes": []}
    items -= 2
    if operation["action"] != 1:
        need(items > 0, "no value")
        start = into.at
        operation["reads"] = into.item()
        operation["value"] = into.raw[start : into.at].hex()
        items -= 1
    need(items <= 1, "too many items")
    if items:
        numbers = into.of(4, 2, 8192)
        need(numbers % 2 == 0, "odd list of names")
        for _ in range(numbers // 2):
            index, number = into.of(0, 0, len(entries) - 1), into.of(0, 0, 4095)
            operation["supersedes"].append({"entry": entries[index], "operation": number})
    return operation


def read_change(raw):
    into = Cbor(raw)
    need(into.of(4, 6, 6) == 6 and into.of(0, 1, 1) == 1, "wrong shape or version")
    change = {"record": into.take(into.of(2, 16, 16)).hex()}
    change |= {"kind": utf8(into.take(into.of(3, 1, 60))), "schema": into.of(0, 0, 2**32 - 1)}
    entries = []
    for _ in range(into.of(4, 0, 4096)):
        into.of(2, 8, 8)
        entries.append(into.number(8))
    need(entries == sorted(set(entries)), "entries not in order")
    operations = into.of(4, 0, 4096)
    change["operations"] = [read_operation(into, entries) for _ in range(operations)]
    into.end()
    named = {name["entry"] for each in change["operations"] for name in each["supersedes"]}
    need(named == set(entries), "entry that nobody names")
    return change


# --- section 18 ---


def read_named_entry(into):
    into.of(2, 72, 72)
    entry = {"feed": into.hex(32), "seq": into.number(8), "hash": into.hex(32)}
    need(entry["seq"] > 0, "no such entry")
    return entry


def read_superseded(into):
    into.of(4, 2, 2)
    field, size = utf8(into.take(into.of(3, 1, 100))), into.of(2, 10, 48 * KIB)
    need(size % 10 == 0, "cut name")
    names = [{"entry": into.number(8), "operation": into.number(2)} for _ in range(size // 10)]
    order = [(name["entry"], name["operation"]) for name in names]
    need(order == sorted(set(order)), "names not in order")
    need(all(name["operation"] < 4096 for name in names), "no such operation")
    return {"field": field, "names": names}


def read_erase_order(raw):
    into = Cbor(raw)
    items = into.of(4, 6, 7)
    need(into.of(0, 1, 1) == 1, "version")
    order = {"record": into.take(into.of(2, 16, 16)).hex()}
    order |= {"kind": utf8(into.take(into.of(3, 1, 60))), "reason": into.of(0, 0, 255)}
    order["entries"] = [read_named_entry(into) for _ in range(into.of(4, 1, 256))]
    places = [(each["feed"], each["seq"], each["hash"]) for each in order["entries"]]
    need(places == sorted(set(places)), "entries not in order")
    order["superseded"] = [read_superseded(into) for _ in range(into.of(4, 0, 4096))]
    fields = [each["field"].encode() for each in order["superseded"]]
    need(fields == sorted(set(fields)), "fields not in order")
    order["signature"] = into.hex(into.of(2, 64, 64)) if items == 7 else None
    into.end()
    return order


# --- section 10 ---


def read_receipt(raw):
    into = Input(raw)
    need(into.number(1) == 1, "unknown version")
    receipt = {"node": into.key(), "epoch": into.number(8), "head": read_head(into)}
    into.take(64)
    into.end()
    return receipt


def read_life(raw):
    into = Input(raw)
    life = {"epoch": into.number(8), "over": [into.number(8)]}
    for _ in range(len(raw) // 8 - 2):
        life["over"].append(into.number(8))
    into.end()
    need(max(life["over"]) < life["epoch"], "over what did not begin before")
    return life


# --- section 19 ---


def read_sealed(raw):
    into = Input(raw)
    sealed = {"generation": into.number(4), "nonce": into.take(24), "sealed": into.rest()}
    need(sealed["generation"] > 0 and len(sealed["sealed"]) > 16, "no sealed payload")
    return sealed


def read_key_wraps(raw):
    into = Input(raw)
    need(into.number(1) == 1, "unknown version")
    count = into.varint()
    need(0 < count <= 256, "too many, or none")

    def wrap():
        read = {"generation": into.number(4), "id": into.hex(8), "node": into.key()}
        need(read["generation"] > 0, "no generation")
        return read | {"sealed": into.hex(80)}

    wraps = into.list(count, 125, wrap)
    into.end()
    return wraps
