# Bytes of a real database that changed on its disk, in many copies: what is damaged is told or
# refused in words. Nothing crashes, and no changed content is shown as if it were whole.
import json
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from faults import (
    BINARY, Control, Federation, Gone, Refused, add_theme, everything, main, seconds, seeded,
    wait_until,
)  # fmt: skip

COPIES = int(os.environ.get("CHAPTERD_COPIES", "240"))
PAGE = 4096
PLACES = ("header", "page header", "cell", "anywhere", "wal", "wal header", "run of zeros")


class FlippedBytes(Federation):
    def setUp(self):
        super().setUp()
        self.original = self.world()
        self.original.start()
        with Control(self.original.folder) as control:
            for number in range(40):  # some of them larger than a page
                long = f"text {number} " * (1 if number % 4 else 700)
                add_theme(control, f"t{number}", f"Theme {number}", long)
        # Most of it in the file itself, the newest still in the WAL: killed, not closed.
        self.assertEqual(self.original.stop(), 0)
        self.original.start()
        with Control(self.original.folder) as control:
            for number in range(40, 50):
                add_theme(control, f"t{number}", f"Theme {number}", f"text {number} " * 50)
            self.shown = {id: self.content(control, id) for id in everything(control)}
        self.original.daemon.send_signal(signal.SIGKILL)
        self.original.daemon.wait()
        self.original.daemon = None
        self.original.log.close()
        self.wal = "chapterd.db-wal"
        self.assertGreater((self.original.folder / self.wal).stat().st_size, 10 * PAGE)

    def content(self, control, id):
        shown = control("record.show", id=id)
        return {part: shown[part] for part in ("fields", "state", "revision")}

    def damage(self, folder, place, chance):
        """Changes bytes of the copy; returns what was done."""
        wal = place.startswith("wal")
        path = folder / (self.wal if wal else "chapterd.db")
        size = path.stat().st_size
        pages = range(0, size - PAGE + 1, PAGE)
        at = {
            "header": lambda: chance.randrange(100),
            "page header": lambda: chance.choice(pages) + chance.randrange(12),
            "cell": lambda: chance.choice(pages) + PAGE - 1 - chance.randrange(PAGE // 2),
            "anywhere": lambda: chance.randrange(size),
            "wal": lambda: chance.randrange(32, size),
            "wal header": lambda: chance.randrange(32),
            "run of zeros": lambda: chance.choice(pages) + chance.randrange(8) * 512,
        }[place]()
        with open(path, "r+b") as file:
            file.seek(at)
            old = file.read(512 if place == "run of zeros" else 1)
            new = bytes(len(old)) if len(old) > 1 else bytes([old[0] ^ 1 << chance.randrange(8)])
            file.seek(at)
            file.write(new)
        return f"{path.name} at {at}: {old[:8].hex()} to {new[:8].hex()}"

    def look(self, folder):
        """What a node with this folder does: refuses, or serves (ask() says how well)."""
        env = {"HOME": str(self.place), "CHAPTERD_SYNC__LISTEN": ""}
        daemon = subprocess.Popen([BINARY, "--data", folder, "--json", "run"], env=env,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
        outcome = ("refused",)
        try:
            if control := self.reach(folder, daemon):
                with control:
                    outcome = self.ask(control)
                daemon.terminate()
        except Gone:  # it ended itself, and has to say why
            pass
        finally:
            words = daemon.communicate(timeout=seconds(60))[1]
        code = daemon.returncode
        self.assertIn(code, (0, 1, 4, 5, 7), f"a crash: {words[-2000:]}")
        if outcome == ("refused",):
            self.assertIn(b'"code"', words)
            self.assertNotEqual(code, 0)
            return ("refused",)
        return outcome

    def reach(self, folder, daemon):
        def answers():
            if daemon.poll() is not None:
                return "ended"
            try:
                return Control(folder)
            except Gone:
                return None

        found = wait_until("the copy answers or ends", answers)
        return None if found == "ended" else found

    def ask(self, control):
        """Everything that it shows, against what it is; then what it says about itself."""
        wrong, told = [], 0
        for id, content in self.shown.items():
            try:
                found = self.content(control, id)
            except Refused:
                told += 1
                continue
            if found != content:
                wrong.append(id)
        told += self.edit_some(control)
        try:
            verified = control("verify")
            return "served", told, wrong, verified["ok"], verified["faults"]
        except Refused as refused:
            return "served", told, wrong, False, [refused.code]

    def edit_some(self, control):
        """How many edits met damage: each is told in words. Where saving itself met it, the daemon
        ends in order, and look() wants to know why."""
        told = 0
        for id in list(self.shown)[::5]:
            try:
                control("record.edit", id=id, edit={"set": {"title": {"en": "Edited"}}})
            except Refused as refused:
                self.assertTrue(refused.error["safe"])
                told += 1
        return told

    def one(self, number, place, chance):
        folder = self.place / f"copy-{number}"
        shutil.copytree(self.original.folder, folder, ignore=shutil.ignore_patterns("*.sock"))
        folder.chmod(0o700)
        what = self.damage(folder, place, chance)
        outcome = self.look(folder)
        shutil.rmtree(folder)
        return place, what, outcome

    def test_damage_is_told_or_refused_and_never_served(self):
        chance = seeded("flipped_bytes")
        draws = [(n, PLACES[n % len(PLACES)], type(chance)(chance.random())) for n in range(COPIES)]
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda draw: self.one(*draw), draws))
        counts = {}
        for place, what, outcome in outcomes:
            kind = outcome[0]
            if kind == "served":
                kind = "whole" if outcome[3] and not outcome[1] else "told"
                if outcome[2]:
                    kind = "changed"
                    print(f"{place}, {what}: {len(outcome[2])} shown otherwise, verify: {outcome[3:]}")
            counts[kind] = counts.get(kind, 0) + 1
        print(json.dumps({"copies": len(outcomes), **counts}))
        # Rows bear checks. A row that is gone altogether, from a table that is looked at in few
        # places, was found in one copy of some thousand, so one may be.
        self.assertLessEqual(counts.get("changed", 0), 1)


if __name__ == "__main__":
    main()
