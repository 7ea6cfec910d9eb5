# Backups of real nodes: made while the daemon runs, tried out, put back.
import contextlib
import ctypes
import json
import os
import re
import shutil
import struct
import subprocess
import unittest

from harness import BINARY, INSIGHT, SOURCE, Federation, seconds, wait_until


@contextlib.contextmanager
def made_in(folder):
    """The names of all files that anybody makes in the folder meanwhile, also those that go again."""
    libc = ctypes.CDLL(None, use_errno=True)
    made_or_moved_in = 0x100 | 0x80
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(folder), made_or_moved_in) >= 0
    names = []
    yield names
    events = os.read(watch, 65536)
    while events:
        size = struct.unpack_from("=iIII", events)[3]
        names.append(events[16 : 16 + size].rstrip(b"\0").decode())
        events = events[16 + size :]
    os.close(watch)


class Backup(Federation):
    def setUp(self):
        super().setUp()
        self.world_ = self.world()
        self.world_.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        self.world_.start()
        self.kenya = self.kenya_below(self.world_)

    def endorsed(self):
        id = self.kenya.good("-q", "insight", "add", *INSIGHT)
        self.kenya.good("insight", "submit", id)
        self.kenya.good("insight", "endorse", id)
        self.kenya.good("sync", "now", "--until-done")
        return id

    def entries(self, chapter):
        return chapter.json("status")["entries"]

    def test_a_restored_backup_gets_back_what_was_sent_since(self):
        self.endorsed()
        made = self.kenya.json("backup", "create", "--out", self.place / "kenya.backup")
        self.assertEqual(made["chapter"], "KE")
        self.assertFalse(made["keys"])
        self.assertGreater(made["entries"], 0)
        later = self.endorsed()
        self.assertIn("would be lost", self.kenya.good("backup", "drill", self.place))
        drill = self.kenya.json("backup", "drill", self.place)
        self.assertTrue(drill["ok"])
        self.assertGreater(drill["since"], 0)
        self.assertEqual(drill["since"], drill["elsewhere"] + drill["lost"])
        checked = self.kenya.json("backup", "verify", self.place / "kenya.backup")
        self.assertTrue(checked["check"]["ok"])
        self.assertEqual(checked["check"]["entries"], made["entries"])

        held = self.kenya.run("backup", "restore", self.place / "kenya.backup", "--replace", "--yes")
        self.assertIn(b"folder.in-use", held.stderr)
        self.assertEqual(self.kenya.stop(), 0)
        asked = self.kenya.run("--json", "backup", "restore", self.place / "kenya.backup")
        self.assertEqual(asked.returncode, 6)
        self.assertEqual(json.loads(asked.stdout or asked.stderr)["error"]["code"], "backup.live")
        restored = self.kenya.json(
            "backup", "restore", self.place / "kenya.backup", "--replace", "--yes"
        )
        self.assertTrue(restored["has_keys"])
        self.assertTrue((self.kenya.folder / restored["kept"] / "chapterd.db").exists())
        self.assertNotEqual(self.kenya.run("insight", "show", later).returncode, 0)
        self.assertIsNotNone(self.kenya.json("status")["restored_ms"])
        self.kenya.start()
        wait_until(
            "what was sent since comes back",
            lambda: self.kenya.run("insight", "show", later).returncode == 0,
        )
        wait_until("all is back", lambda: self.kenya.json("status")["restored_ms"] is None)
        again = self.endorsed()
        self.assertTrue(self.kenya.json("verify")["ok"])
        self.assertEqual(self.world_.json("insight", "show", again)["home_code"], "KE")
        self.assertTrue(self.world_.json("verify")["ok"])

    def test_the_runbook_as_written_keeps_a_node_and_puts_it_back(self):
        self.endorsed()
        self.kenya.stop()
        (self.place / "backups").mkdir()
        (self.place / "words").write_text("correct horse battery staple\n")
        text = (SOURCE / "docs" / "operations.md").read_text()
        script = re.search(r"e2e_backup.py .*?```bash\n(.*?)```", text, re.DOTALL)[1]
        path = f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.place,
            env={**os.environ, "PATH": path, "HOME": str(self.place)},
            capture_output=True,
            timeout=seconds(120),
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("Everything in it is as it was signed", done.stdout.decode())
        self.assertIn("would restore", done.stdout.decode())
        self.assertIn("Restored from an older state", done.stdout.decode())

    def test_a_sealed_backup_brings_a_node_to_another_computer(self):
        self.endorsed()
        words = self.place / "words"
        words.write_text("correct horse battery staple\n")
        file = self.place / "sealed.backup"
        made = self.kenya.json("backup", "create", "--out", file, "--passphrase-file", words)
        self.assertTrue(made["keys"] and made["sealed"])
        self.assertNotIn(b"Boats kept vaccines", file.read_bytes())
        bare = self.kenya.run("--json", "backup", "verify", file)
        self.assertEqual(json.loads(bare.stdout or bare.stderr)["error"]["code"], "backup.passphrase")
        words.write_text("another horse\n")
        wrong = self.kenya.run("backup", "verify", file, "--passphrase-file", words)
        self.assertNotEqual(wrong.returncode, 0)
        words.write_text("correct horse battery staple\n")
        self.kenya.stop()
        # Another computer: another folder, another machine key.
        other = self.chapter("other")
        there = {"CHAPTERD_MACHINE_KEY": str(self.place / "there.key")}
        answer = other.json(
            "backup", "restore", file, "--passphrase-file", words, environment=there
        )
        self.assertTrue(answer["has_keys"])
        self.assertEqual(other.json("status", environment=there)["chapter"]["code"], "KE")

    def test_only_the_backup_itself_ever_lies_on_the_stick(self):
        stick = self.place / "stick"
        stick.mkdir()
        words = self.place / "words"
        words.write_text("correct horse battery staple\n")
        with made_in(stick) as names:
            self.kenya.good("backup", "create", "--out", stick, "--passphrase-file", words)
        self.assertTrue(names)
        for name in names:
            self.assertRegex(name, r"^KE-\d{8}-\d{6}\.chapterd-backup(\.new)?$")

    def test_a_drill_in_a_folder_of_several_nodes_takes_the_newest_of_its_own(self):
        shared = self.place / "shared"
        shared.mkdir()
        self.world_.good("backup", "create", "--out", shared)
        none = self.kenya.run("--json", "backup", "drill", shared)
        self.assertEqual(none.returncode, 4)
        self.assertEqual(json.loads(none.stderr)["error"]["code"], "backup.none-of-this-node")
        self.kenya.good("backup", "create", "--out", shared)
        self.world_.good("backup", "create", "--out", shared / "newest.chapterd-backup")
        self.assertEqual(self.kenya.json("backup", "drill", shared)["chapter"], "KE")

    def test_what_is_wrong_with_a_backup_is_said(self):
        file = self.place / "kenya.backup"
        self.kenya.good("backup", "create", "--out", file)
        self.assertEqual(self.kenya.run("backup", "create", "--out", file).returncode, 5)
        whole = file.read_bytes()
        for name, content in (
            ("cut", whole[:-1]),
            ("changed", whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:]),
            ("longer", whole + b"x"),
        ):
            with self.subTest(name):
                file.write_bytes(content)
                done = self.kenya.run("--json", "backup", "verify", file)
                self.assertEqual(done.returncode, 7)
                code = json.loads(done.stdout or done.stderr)["error"]["code"]
                self.assertEqual(code, "backup.damaged")
        file.write_bytes(b"something else")
        self.assertIn(b"backup.not-one", self.kenya.run("backup", "verify", file).stderr)
        missing = self.kenya.run("backup", "verify", self.place / "nothing")
        self.assertEqual(missing.returncode, 4)
        empty = self.place / "empty"
        empty.mkdir()
        self.assertEqual(self.kenya.run("backup", "drill", empty).returncode, 4)

    def test_a_backup_of_one_node_is_not_put_over_another(self):
        file = self.place / "kenya.backup"
        self.kenya.good("backup", "create", "--out", file)
        self.world_.stop()
        done = self.world_.run("backup", "restore", file, "--replace", "--yes")
        self.assertEqual(done.returncode, 5)
        self.assertIn(b"backup.other-node", done.stderr)
        self.assertEqual(self.world_.json("status")["chapter"]["code"], "GLOBAL")

    def test_the_global_node_waits_for_a_person_after_a_restore(self):
        id = self.endorsed()
        made = self.world_.json("backup", "create", "--out", self.place)
        later = self.endorsed()
        self.world_.stop()
        self.world_.good("backup", "restore", made["file"], "--replace", "--yes")
        self.world_.start()
        needs = [need["code"] for need in self.world_.json("status")["needs_person"]]
        self.assertIn("restore.unconfirmed", needs)
        doctor = self.world_.run("doctor")
        self.assertEqual(doctor.returncode, 6)
        self.assertIn(b"restore --recover", b" ".join(doctor.stdout.split()))
        self.kenya.run("sync", "now")
        self.assertEqual(self.world_.run("insight", "show", later).returncode, 4)
        self.assertEqual(self.kenya.run("restore", "--reassert", "--yes").returncode, 5)
        self.world_.good("restore", "--recover")
        self.kenya.run("sync", "now")
        wait_until(
            "what the child holds comes back",
            lambda: self.world_.run("insight", "show", later).returncode == 0,
        )
        self.assertEqual(self.world_.run("insight", "show", id).returncode, 0)

    def test_a_copied_folder_becomes_a_node_of_its_own(self):
        first = self.endorsed()
        self.kenya.stop()
        self.world_.stop()  # what is written now is unsent
        laptop = self.chapter("laptop")
        shutil.copytree(self.kenya.folder, laptop.folder)
        unsent = laptop.good("-q", "insight", "add", *INSIGHT)
        laptop.good("insight", "submit", unsent)
        laptop.good("insight", "endorse", unsent)
        done = laptop.run("restore", "--as-new-node", "--node", "laptop", "--yes")
        self.assertEqual(done.returncode, 2)
        answer = laptop.json(
            "restore", "--as-new-node", "--with-unsent", "--node", "laptop", "--yes"
        )
        self.assertNotEqual(answer["node"], answer["before"])
        self.assertGreater(answer["taken"], 0)
        self.assertTrue(laptop.json("verify")["ok"])
        self.assertIsNone(laptop.json("status")["restored_ms"])
        self.assertEqual(laptop.json("insight", "show", unsent)["home_code"], "KE")
        # Another listening address, and no daemon of the copied one.
        (laptop.folder / "chapterd.toml").write_text('[sync]\nlisten = ""\n')
        self.world_.start()
        self.kenya.start()
        laptop.start()
        ours, theirs = self.endorsed(), None
        theirs = laptop.good("-q", "insight", "add", *INSIGHT)
        laptop.good("insight", "submit", theirs)
        laptop.good("insight", "endorse", theirs)
        laptop.good("sync", "now", "--until-done")
        for id in (first, unsent, ours, theirs):
            self.assertEqual(self.world_.json("insight", "show", id)["home_code"], "KE")
        for chapter in (self.world_, self.kenya, laptop):
            self.assertTrue(chapter.json("verify")["ok"])
            self.assertEqual(chapter.json("status")["needs_person"], [])

    def test_a_copy_without_the_authority_key_says_what_to_bring(self):
        self.kenya.stop()
        laptop = self.chapter("laptop")
        shutil.copytree(self.kenya.folder, laptop.folder)
        (laptop.folder / "authority.key").unlink()
        done = laptop.run("restore", "--as-new-node", "--without-unsent", "--yes")
        self.assertEqual(done.returncode, 6)
        self.assertIn(b"authority.key", done.stderr)
        self.assertEqual(laptop.json("status")["chapter"]["code"], "KE")

    def test_a_torn_copy_is_refused_in_words(self):
        self.kenya.stop()
        laptop = self.chapter("laptop")
        shutil.copytree(self.kenya.folder, laptop.folder)
        database = laptop.folder / "chapterd.db"
        content = bytearray(database.read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        database.write_bytes(content)
        done = laptop.run("restore", "--as-new-node", "--without-unsent", "--yes")
        self.assertEqual(done.returncode, 7)
        self.assertIn(b"store.damaged", done.stderr)

    def test_a_backup_made_while_people_write_is_whole(self):
        for round in range(3):
            writers = [
                subprocess.Popen(
                    [BINARY, "--data", self.kenya.folder, "-q", "insight", "add", *INSIGHT],
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "HOME": str(self.place)},
                )
                for _ in range(8)
            ]
            file = self.place / f"{round}.backup"
            self.kenya.good("backup", "create", "--out", file)
            for writer in writers:
                self.assertEqual(writer.wait(timeout=seconds(60)), 0)
            self.assertTrue(self.kenya.json("backup", "verify", file)["check"]["ok"])
        listed = self.kenya.json("backup", "list", self.place)["backups"]
        self.assertEqual([row["chapter"] for row in listed], ["KE"] * 3)
        self.assertEqual(listed, sorted(listed, key=lambda row: -row["made_ms"]))


if __name__ == "__main__":
    unittest.main()
