# Private data on a disk that somebody else holds; locked and unlocked; the recovery kit.
import base64
import json
import re
import stat
import unittest

from harness import INSIGHT, Federation

PASSPHRASE = "five boats and a cold chain"
KEY = {"CHAPTERD_PASSPHRASE": PASSPHRASE}
# Of every field that stays in the chapter; some with letters that are written in other ways.
MARKERS = {
    "--name": "Achieng Markerone",
    "--legal-name": 'Żółć "Markertwo" \\ Odhiambo',
    "--phone": "+254-722-MARKER3",
    "--email": "markerfour@example.org",
    "--notes": "Markerfive is afraid of being named.",
    "--organisation": "Ministry of Markersix",
    "--expertise": "markerseven",
}
SHARED = "Shared-marker: boats kept vaccines moving"


def forms(text):
    raw = text.encode()
    yield "raw", raw
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for skip in range(3):
        part = raw[skip:]
        yield f"base64 at {skip}", base64.b64encode(part[: len(part) // 3 * 3])
    yield "UTF-16", text.encode("utf-16-le")
    yield "JSON", json.dumps(text)[1:-1].encode()


def image(*folders):
    """All bytes of all files, as a thief would read them."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not stat.S_ISSOCK(path.stat().st_mode):
                yield path, path.read_bytes()


def found(text, *folders):
    return [
        f"{path.name}: {name}"
        for path, content in image(*folders)
        for name, form in forms(text)
        if form in content
    ]


class Sealing(Federation):
    def joined(self, *flags, environment=None):
        world = self.world()
        world.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        world.start()
        kenya = self.chapter("kenya")
        invite = world.good("invite", "create", "KE", "--name", "Kenya")
        kenya.good("join", "-", *flags, stdin=invite.encode(), environment=environment)
        return world, kenya

    def add_member(self, kenya, **more):
        words = [word for pair in MARKERS.items() for word in pair]
        return kenya.good("-q", "member", "add", "--country", "KE", *words, **more)

    def code_of(self, done):
        self.assertNotEqual(done.returncode, 0, done.stdout.decode())
        return re.findall(rb'"code": ?"([a-z.-]+)"', done.stdout + done.stderr)[-1].decode()

    def test_a_stolen_disk_of_a_node_with_a_passphrase_says_nothing_private(self):
        world, kenya = self.joined(environment=KEY)
        kenya.start(environment=KEY)
        kenya.good("sync", "now", "--until-done")
        id = self.add_member(kenya)
        kenya.good("member", "edit", id, "--phone", MARKERS["--phone"] + "-new")
        kenya.good("insight", "add", *INSIGHT[2:], "--title", SHARED)
        shared = kenya.json("insight", "list")["rows"][0]["id"]
        for step in ("submit", "endorse"):
            kenya.good("insight", step, shared)
        hits = kenya.json("member", "list", "--search", "markerseven ACHIENG")["rows"]
        self.assertEqual([row["id"] for row in hits], [id])
        self.assertEqual(kenya.json("member", "list", "--search", "nobody")["rows"], [])
        kenya.good("rebuild")
        # While it runs, pulled out of the wall, and once it was stopped in order.
        for _ in range(2):
            for marker in MARKERS.values():
                self.assertEqual(found(marker, kenya.folder), [])
            self.assertNotEqual(found(SHARED, kenya.folder), [], "shared feeds are not sealed")
            kenya.stop()
        self.assertEqual(self.code_of(kenya.run("--json", "member", "list")), "key.passphrase-needed")
        wrong = kenya.run("--json", "member", "list", environment={"CHAPTERD_PASSPHRASE": "guess"})
        self.assertEqual(self.code_of(wrong), "key.wrong-passphrase")
        rows = kenya.json("member", "list", environment=KEY)["rows"]
        self.assertEqual([row["title"] for row in rows], [MARKERS["--name"]])
        for marker in MARKERS.values():
            self.assertEqual(found(marker, kenya.folder, world.folder), [])

    def test_an_unattended_node_exchanges_while_its_private_data_is_locked(self):
        world, kenya = self.joined("--unattended", environment=KEY)
        id = self.add_member(kenya, environment=KEY)
        kenya.start()
        kenya.good("sync", "now", "--until-done")
        self.assertEqual(len(kenya.json("theme", "list")["rows"]), 1)
        private = kenya.json("status")["private"]
        self.assertEqual((private["locked"], private["unattended"]), (True, True))
        self.assertIn("locked", kenya.good("status"))
        listed = kenya.json("member", "list")
        self.assertEqual((listed["rows"], listed["locked"]), ([], 1))
        self.assertEqual(self.code_of(kenya.run("--json", "member", "show", id)), "record.locked")
        erased = kenya.run("--json", "erase", id, "--yes")
        self.assertEqual(self.code_of(erased), "record.locked")
        self.assertIn(b"chapter.locked", kenya.run("--json", "doctor").stdout)
        refused = kenya.run("--json", "member", "add", "--name", "Somebody")
        self.assertEqual((refused.returncode, self.code_of(refused)), (6, "chapter.locked"))
        wrong = kenya.run("--json", "unlock", environment={"CHAPTERD_PASSPHRASE": "guess"})
        self.assertEqual((wrong.returncode, self.code_of(wrong)), (7, "key.wrong-passphrase"))
        self.assertEqual(self.code_of(kenya.run("--json", "unlock")), "cli.no-passphrase")
        kenya.good("unlock", environment=KEY)
        shown = kenya.json("member", "show", id)
        self.assertEqual(shown["fields"]["phone"], MARKERS["--phone"])
        kenya.good("lock")
        self.assertEqual(self.code_of(kenya.run("--json", "member", "show", id)), "record.locked")
        kenya.stop()
        # The machine's own file was stolen too.
        state = self.place / ".local"
        for marker in MARKERS.values():
            self.assertEqual(found(marker, kenya.folder, state), [])

    def test_a_sealed_backup_keeps_the_chapter_key_behind_the_passphrase(self):
        world, kenya = self.joined("--unattended", environment=KEY)
        id = self.add_member(kenya, environment=KEY)
        words = self.place / "words"
        words.write_text("correct horse battery staple\n")
        file = self.place / "kenya.backup"
        create = ["backup", "create", "--out", file, "--passphrase-file", words]
        bare = kenya.run("--json", *create)
        self.assertEqual(self.code_of(bare), "key.passphrase-needed")
        kenya.good(*create, environment=KEY)
        other = self.chapter("other")
        there = {"CHAPTERD_MACHINE_KEY": str(self.place / "there.key")}
        answer = other.json("backup", "restore", file, "--passphrase-file", words,
                            environment={**there, **KEY, "CHAPTERD_UNATTENDED": "1"})
        self.assertEqual((answer["protection"], answer["unattended"]), ("passphrase", True))
        locked = other.run("--json", "member", "show", id, environment=there)
        self.assertEqual(self.code_of(locked), "record.locked")
        shown = other.json("member", "show", id, environment={**there, **KEY})
        self.assertEqual(shown["fields"]["phone"], MARKERS["--phone"])

    def test_the_kit_is_checked_and_brings_lost_keys_back(self):
        world, kenya = self.chapter("world"), None
        kit = self.place / "kit.txt"
        told = world.run("init", "--federation", "Learning Collaborative", "--kit", kit)
        self.assertEqual(told.returncode, 0, told.stderr.decode())
        self.assertIn(b"Whoever takes the whole computer", told.stderr)
        self.assertEqual(stat.S_IMODE(kit.stat().st_mode), 0o600)
        id = self.add_member(world)
        checked = world.json("kit", "check", kit)["checked"]
        self.assertEqual([(each["right"], each["part"]) for each in checked],
                         [(True, "authority"), (True, "chapter"), (True, "recovery")])
        text = kit.read_text()
        code = next(line for line in text.splitlines() if line.count("-") > 4).strip()
        swapped = code.translate(str.maketrans("ABCDEFG", "BCDEFGA"))
        typed = world.run("kit", "check", "-", stdin=text.replace(code, swapped.lower()).encode())
        self.assertEqual(typed.returncode, 7, typed.stderr.decode())
        again = world.json("kit", "show", "--yes")
        self.assertEqual(set(again), {"authority", "chapter"})
        for name in ("authority.key", "chapter.key"):
            (world.folder / name).unlink()
        needs = [need["code"] for need in world.json("status")["needs_person"]]
        self.assertIn("key.missing", needs)
        self.assertEqual(self.code_of(world.run("--json", "member", "show", id)), "record.locked")
        restored = world.json("kit", "restore", kit)["restored"]
        self.assertEqual(restored, ["authority", "chapter"])
        self.assertEqual(world.json("member", "show", id)["fields"]["phone"], MARKERS["--phone"])
        self.assertTrue(world.json("status")["authority"])
        # The page itself brings back a lost authority of the top.
        world.good("key", "recover", "--recovery-key", kit, "--yes")
        self.assertTrue(world.json("key", "show")["here"])
        # A damaged key file is told, and what is shared goes on.
        damaged = bytearray((world.folder / "chapter.key").read_bytes())
        damaged[60] ^= 1
        (world.folder / "chapter.key").write_bytes(damaged)
        status = world.json("status")
        self.assertTrue(status["private"]["locked"])
        self.assertIn("key.damaged", [need["code"] for need in status["needs_person"]])
        world.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")


if __name__ == "__main__":
    unittest.main()
