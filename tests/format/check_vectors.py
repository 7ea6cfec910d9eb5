#!/usr/bin/env python3
# Checks the vectors of docs/protocol.md with a second decoder, written from that document alone.
"""check_vectors.py FORMAT.JSON: prints every difference, exits 1 on any."""

import json
import re
import sys
from pathlib import Path

import ed25519
import second_bundle
import second_decoder as second
import second_frames as frames
import xchacha

raw = bytes.fromhex


class Checker:
    def __init__(self, document):
        self.document = document
        self.federation = raw(document["genesis"]["federation"])
        self.checks = 0
        self.differences = []

    def same(self, where, found, expected):
        self.checks += 1
        if found != expected:
            self.differences.append(f"{where}:\n  found    {found}\n  expected {expected}")

    def signed(self, where, key, message, signature):
        self.same(f"{where}: signature", ed25519.verify(key, message, signature), True)
        broken = signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]
        self.same(f"{where}: broken signature", ed25519.verify(key, message, broken), False)
        self.same(f"{where}: other message", ed25519.verify(key, message + b"\0", signature), False)

    def genesis(self):
        vector = self.document["genesis"]
        self.same("genesis", second.read_genesis(raw(vector["hex"])), vector["fields"])
        federation = second.h256(b"chapterd/genesis/1", raw(vector["hex"]))
        self.same("federation id", federation, self.federation)

    def statements(self):
        for vector in self.document["statements"]:
            name, statement = vector["name"], raw(vector["hex"])
            self.same(name, second.read_statement(statement), vector["fields"])
            message = b"chapterd/statement/1\0" + self.federation + statement[:-64]
            self.signed(name, raw(vector["signer"]), message, statement[-64:])
            fields, body = vector["fields"], vector["fields"]["body"]
            if "code" in body:
                derived = second.chapter_id_below(raw(fields["issuer"]), body["code"])
                self.same(f"{name}: chapter", derived.hex(), body["chapter"])
            if "proof" in body:
                self.same(f"{name}: proof", second.verify_node_proof(body, self.federation), True)
            if "acceptance" in body:
                accepted = second.verify_acceptance(body, self.federation)
                self.same(f"{name}: acceptance", accepted, True)
            if "certificate" in body:
                second.read_statement(raw(body["certificate"]))

    def feeds(self):
        for vector in self.document["feeds"]:
            intro = raw(vector["hex"])
            self.same(vector["name"], second.read_feed(intro), vector["fields"])
            feed_id = second.h256(b"chapterd/feed/1", self.federation, intro)
            self.same(f"id of feed {vector['name']}", feed_id.hex(), vector["id"])

    def run(self):
        run = self.document["run"]
        feed, seed, prev = raw(run["feed"]), raw(run["seed"]), bytes(32)
        for entry in run["entries"]:
            where = f"entry {entry['seq']}"
            salt = second.salt_of(seed, entry["seq"])
            self.same(f"{where}: salt", salt.hex(), entry["salt"])
            commitment = second.commitment_of(salt, raw(entry["payload"]))
            self.same(f"{where}: commitment", commitment.hex(), entry["commitment"])
            self.same(f"{where}: prev", prev.hex(), entry["prev"])
            header = raw(entry["header"])
            self.same(f"{where}: header", len(header), 119)
            self.same(f"{where}: feed", header[1:33], feed)
            self.same(f"{where}: header's prev", header[41:73], prev)
            self.same(f"{where}: header's commitment", header[87:], commitment)
            prev = second.h256(b"chapterd/entry/1", header)
            self.same(f"{where}: hash", prev.hex(), entry["hash"])
            second.read_change(raw(entry["payload"]))
        seq, checkpoint = run["entries"][-1]["seq"], run["checkpoint"]
        message = second.checkpoint_message(self.federation, feed, seq, prev)
        self.same("checkpoint: message", message.hex(), checkpoint["message"])
        self.signed("checkpoint", raw(checkpoint["signer"]), message, raw(checkpoint["signature"]))

    def pieces(self):
        for vector in self.document["pieces"]:
            name, feed = vector["name"], raw(vector["feed"])
            piece = second.read_piece(raw(vector["hex"]))
            hashes = second.chain(piece, feed, raw(vector["prev"]))
            self.same(f"{name}: hashes", [each.hex() for each in hashes], vector["hashes"])
            for entry in piece["entries"]:
                del entry["commitment"]
            self.same(name, piece, vector["fields"])
            if piece["checkpoint"]:
                last = piece["first"] + len(hashes) - 1
                message = second.checkpoint_message(self.federation, feed, last, hashes[-1])
                self.signed(name, raw(vector["signer"]), message, raw(piece["checkpoint"]))

    def changes(self):
        for vector in self.document["changes"]:
            self.same(vector["name"], second.read_change(raw(vector["hex"])), vector["fields"])

    def erase_orders(self):
        for vector in self.document["erase_orders"]:
            name, order = vector["name"], raw(vector["hex"])
            fields = second.read_erase_order(order)
            self.same(name, fields, vector["fields"])
            if fields["signature"]:
                message = b"chapterd/erase/1\0" + self.federation + b"\x86" + order[1:-66]
                self.signed(name, raw(vector["signer"]), message, raw(fields["signature"]))

    def lives(self):
        for vector in self.document["lives"]:
            self.same(vector["name"], second.read_life(raw(vector["hex"])), vector["fields"])

    def receipts(self):
        for vector in self.document["receipts"]:
            receipt = raw(vector["hex"])
            fields = second.read_receipt(receipt)
            self.same(vector["name"], fields, vector["fields"])
            message = b"chapterd/receipt/1\0" + self.federation + receipt[:-64]
            self.signed(vector["name"], raw(fields["node"]), message, receipt[-64:])

    def frames(self):
        for vector in self.document["frames"]:
            kind, fields, rest = frames.read_frame(raw(vector["hex"]) + b"more")
            self.same(f"{vector['name']}: type", kind, vector["type"])
            self.same(vector["name"], fields, vector["fields"])
            self.same(f"{vector['name']}: rest", rest, b"more")
            for statement in fields.get("chain", []):
                second.read_statement(raw(statement))
            for receipt in fields.get("receipts", []):
                second.read_receipt(raw(receipt))

    def segment(self):
        segment = self.document["segment"]
        pieces = frames.read_segment(raw(segment["hex"]))
        self.same("segment", pieces, segment["pieces"])
        for piece in pieces:
            second.read_piece(raw(piece["piece"]))
        for vector in self.document["frames"]:
            fields = vector["fields"]
            if fields.get("packed"):
                content = frames.unpack_stored(raw(fields["content"]), fields["new_stream"])
                self.same(vector["name"], content.hex(), segment["hex"])
                self.same(f"{vector['name']}: size", len(content), fields["size"])

    def digests(self):
        digests = self.document["digests"]

        def triple(head):
            return raw(head["feed"]) + second.u64(head["seq"]) + raw(head["hash"])

        heads = sorted(digests["heads"], key=lambda head: head["feed"])
        self.same("digests: order", digests["heads"], heads)
        digest = second.h256(b"chapterd/digest/1", *map(triple, heads))
        self.same("digest", digest.hex(), digests["digest"])
        buckets = []
        for bucket in range(1 << digests["bits"]):
            inside = [h for h in heads if raw(h["feed"])[0] >> 8 - digests["bits"] == bucket]
            salt = second.u64(digests["salt"])
            hashed = second.h256(b"chapterd/bucket/1", salt, *map(triple, inside))
            buckets.append(int.from_bytes(hashed[:4], "big"))
        self.same("buckets", buckets, digests["buckets"])

    def refused(self):
        readers = {
            "genesis": second.read_genesis,
            "statement": second.read_statement,
            "feed": second.read_feed,
            "piece": second.read_piece,
            "change": second.read_change,
            "erase order": second.read_erase_order,
            "receipt": second.read_receipt,
            "life": second.read_life,
            "keys": second.read_key_wraps,
            "frame": frames.read_frame,
            "segment": frames.read_segment,
        }
        for vector in self.document["refused"]:
            try:
                found = readers[vector["as"]](raw(vector["hex"]))
            except second.Refused:
                found = "refused"
            self.same(f"{vector['as']}: {vector['why']}", found, "refused")

    def sealed(self):
        vector = self.document["sealed"]
        key, chapter, author = (raw(vector[name]) for name in ("key", "chapter", "author"))
        generation = vector["generation"]
        named = second.h256(
            b"chapterd/chapter-key/1", self.federation, chapter, second.u64(generation), key
        )
        self.same("id of the chapter's key", named[:8].hex(), vector["id"])
        context = b"chapterd/sealed-payload/1\0" + self.federation + chapter + author
        for payload in vector["payloads"]:
            found = second.read_sealed(raw(payload["hex"]))
            self.same("generation", found["generation"], generation)
            inside = xchacha.opened(key, found["nonce"], found["sealed"], context)
            plain = raw(payload["plain"])
            if inside[0] == 0:
                self.same("sealed payload", inside[1:], plain)
            else:  # a zstd frame that says how much is in it: one byte more than 255
                self.same("packed form", inside[0], 1)
                self.same("zstd magic", inside[1:5], raw("28b52ffd"))
                self.same("shorter than plain", len(inside) - 1 < len(plain), True)
            other = context[:-1] + bytes([context[-1] ^ 1])
            wrong = xchacha.opened(key, found["nonce"], found["sealed"], other)
            self.same("another author's context", wrong, None)
        entry = vector["entry"]
        self.same("keys for nodes", second.read_key_wraps(raw(entry["hex"])), entry["wraps"])

    def cbor(self, examples):
        for example in examples["allowed"]:
            into = second.Cbor(raw(example["hex"]))
            found = into.item()
            into.end()
            reads = json.dumps(example["reads"], sort_keys=True)  # tells 1 from true
            self.same(f"CBOR {example['hex']}", json.dumps(found, sort_keys=True), reads)
        for example in examples["refused"] + examples["malformed"]:
            into = second.Cbor(raw(example["hex"]))
            try:
                found = into.item()
                into.end()
            except second.Refused:
                found = "refused"
            self.same(f"CBOR {example['hex']} ({example['why']})", found, "refused")

    def decisions(self, text):
        """Odd signatures, in blocks of `word = value`."""
        for block in text.split("\n\n")[1:]:
            says = dict(line.split(" = ", 1) for line in block.strip().splitlines())
            parts = [raw(says[word]) for word in ("key", "message", "signature")]
            self.same(says["name"], ed25519.verify(*parts), says["verdict"] == "valid")

    def bundle(self, vector):
        """Header, key, chunks, trailer; then the frames of each run, and what they carry."""
        found = second_bundle.read_bundle(raw(vector["hex"]), vector["recipient"])
        for part, says in found.items():
            self.same(f"bundle: {part}", says, vector[part])
        self.same("bundle: federation", raw(found["header"]["federation"]), self.federation)
        for statement in found["header"]["chain"]:
            second.read_statement(raw(statement))
        kinds, entries, carried = [], 0, 0
        for content in second_bundle.runs(found["chunks"]):
            kinds.append([])
            while content:
                kind, fields, content = frames.read_frame(content)
                kinds[-1].append(kind)
                carried += len(fields.get("receipts", []))
                for piece in frames.read_segment(raw(fields["content"])) if kind == 3 else []:
                    entries += len(second.read_piece(raw(piece["piece"]))["entries"])
        self.same("bundle: frames of each run", kinds, [[3, 4], [6, 9, 7]])
        self.same("bundle: entries", entries, vector["trailer"]["entries"])
        self.same("bundle: receipts", carried, vector["trailer"]["receipts"])
        for broken in vector["refused"]:
            try:
                found = second_bundle.read_bundle(raw(broken["hex"]), vector["recipient"])
            except second.Refused:
                found = "refused"
            self.same(f"bundle: {broken['why']}", found, "refused")

    def worked_examples(self, protocol, text):
        """Every example of the document occurs in the vectors."""
        examples = re.findall(r"```hex\n(.*?)```", protocol, re.DOTALL)
        self.same("examples in the document", len(examples) >= 20, True)
        for example in examples:
            wanted = "".join(example.split())
            self.same(f"example {wanted[:40]}…", f'"{wanted}"' in text, True)


def main():
    path = Path(sys.argv[1]).resolve()
    text = path.read_text(encoding="utf-8")
    checker = Checker(json.loads(text))
    for section in ("genesis", "statements", "feeds", "run", "pieces", "changes", "erase_orders"):
        getattr(checker, section)()
    for section in ("receipts", "lives", "frames", "segment", "digests", "sealed", "refused"):
        getattr(checker, section)()
    checker.cbor(json.loads((path.parent / "cbor_appendix_a.json").read_text(encoding="utf-8")))
    checker.decisions((path.parent / "ed25519_decisions.txt").read_text(encoding="utf-8"))
    bundle = (path.parent / "bundle.json").read_text(encoding="utf-8")
    checker.bundle(json.loads(bundle))
    protocol = path.parents[2] / "docs" / "protocol.md"
    checker.worked_examples(protocol.read_text(encoding="utf-8"), text + bundle)
    for difference in checker.differences:
        print(difference)
    print(f"{checker.checks} checks, {len(checker.differences)} differences")
    return 1 if checker.differences else 0


if __name__ == "__main__":
    sys.exit(main())
