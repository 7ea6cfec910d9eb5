# doctor: each state is made for real, and what it says is read.
import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import unittest

from harness import BINARY, INSIGHT, SANITIZED, Federation, free_port, wait_until


FAKER = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
MONTHS_LATER = {"LD_PRELOAD": FAKER, "FAKETIME": "+125d"}


class Doctor(Federation):
    def setUp(self):
        super().setUp()
        self.world_ = self.world()

    def findings(self, chapter, *words, **more):
        done = chapter.run("--json", "doctor", *words, **more)
        answer = json.loads(done.stdout)
        found = {finding["code"]: finding for finding in answer["findings"]}
        severities = {finding["severity"] for finding in answer["findings"]}
        expected = 7 if "trouble" in severities else 6 if "person" in severities else 0
        self.assertEqual(done.returncode, expected, found)
        for finding in answer["findings"]:
            self.assertTrue(finding["what"] and finding["do"], finding)
        return found

    def pair(self):
        self.world_.start()
        return self.kenya_below(self.world_)

    def test_a_node_that_works_has_nothing_wrong(self):
        kenya = self.pair()
        self.assertEqual(self.findings(kenya), {})
        self.assertIn("Everything works", kenya.good("doctor"))
        self.assertEqual(self.findings(kenya, "GLOBAL"), {})
        self.assertEqual(kenya.run("doctor", "NOBODY").returncode, 4)

    def test_no_daemon(self):
        found = self.findings(self.world_)
        self.assertEqual(found["daemon.not-running"]["severity"], "trouble")
        self.assertIn("chapterd run", found["daemon.not-running"]["do"])

    def test_no_node_and_no_folder(self):
        nothing = self.chapter("nothing")
        self.assertIn("folder.missing", self.findings(nothing))
        nothing.folder.mkdir(mode=0o700)
        self.assertIn("node.not-initialised", self.findings(nothing))

    def test_a_folder_that_waits_to_join_has_lost_nothing(self):
        invite = self.world_.good("invite", "create", "UG", "--name", "Uganda")
        waiting = self.chapter("waiting")
        waiting.good("join", "-", "--offline", "--out", self.place / "request.txt",
                     stdin=invite.encode())  # fmt: skip
        found = self.findings(waiting)
        self.assertEqual(set(found), {"join.pending"})
        self.assertEqual(found["join.pending"]["severity"], "person")
        self.assertEqual(waiting.run("doctor").returncode, 6)

    def test_a_folder_that_others_can_read(self):
        self.world_.folder.chmod(0o755)
        self.assertIn("chmod 700", self.findings(self.world_)["folder.open-to-others"]["do"])

    def test_a_daemon_that_answers_elsewhere(self):
        self.world_.start()
        other = str(self.place / "other.sock")
        found = self.findings(self.world_, "--control.socket", other)
        self.assertIn("control.socket", found["daemon.no-answer"]["do"])

    def test_a_low_disk(self):
        free = shutil.disk_usage(self.place)
        environment = {"CHAPTERD_STORE__DISK_LOW_BYTES": str(free.total)}
        if free.free > free.total // 20:
            self.skipTest("this disk has too much room for that")
        self.assertIn("disk.low", self.findings(self.world_, environment=environment))

    def test_a_database_of_a_newer_program(self):
        database = sqlite3.connect(self.world_.folder / "chapterd.db")
        database.execute("PRAGMA user_version = 99")
        database.close()
        self.assertEqual(self.world_.run("status").returncode, 9)
        found = self.findings(self.world_)
        self.assertIn("newer chapterd", found["store.newer-schema"]["do"])
        self.assertNotIn("store.damaged", found)

    def test_a_damaged_database(self):
        database = self.world_.folder / "chapterd.db"
        content = bytearray(database.read_bytes())
        sound = len(content) // 4
        content[sound:] = b"\xa5" * (len(content) - sound)
        database.write_bytes(content)
        found = self.findings(self.world_)
        self.assertIn("store.damaged", found)
        self.assertIn("backup restore", found["store.damaged"]["do"])
        database.write_bytes(b"")
        self.assertIn("node.database-lost", self.findings(self.world_))

    def test_missing_and_foreign_keys(self):
        key = self.world_.folder / "node.key"
        kept = key.read_bytes()
        key.unlink()
        self.assertIn("key.missing", self.findings(self.world_))
        key.write_bytes(kept)
        key.chmod(0o644)
        self.assertIn("key.open-to-others", self.findings(self.world_))
        key.chmod(0o600)
        elsewhere = {"CHAPTERD_MACHINE_KEY": str(self.place / "none.key")}
        self.assertIn("key.machine-file", self.findings(self.world_, environment=elsewhere))
        (self.world_.folder / "authority.key").unlink()
        self.assertEqual(self.findings(self.world_)["key.no-authority"]["severity"], "note")

    def test_a_database_that_was_put_back(self):
        kept = self.place / "kept.db"
        for word in ("one", "two"):
            self.world_.good("theme", "add", "--code", word, "--title", word)
            if word == "one":
                shutil.copy(self.world_.folder / "chapterd.db", kept)
        shutil.copy(kept, self.world_.folder / "chapterd.db")
        for part in ("-wal", "-shm"):
            (self.world_.folder / f"chapterd.db{part}").unlink(missing_ok=True)
        self.assertIn("restore.noticed", self.findings(self.world_))
        self.world_.start()
        self.assertEqual(self.findings(self.world_)["restore.unconfirmed"]["severity"], "person")
        self.world_.good("restore", "--reassert", "--yes")
        self.assertEqual(self.findings(self.world_), {})

    def test_a_parent_that_was_never_met_or_does_not_answer(self):
        self.world_.start()
        invite = self.world_.good("invite", "create", "KE", "--name", "Kenya")
        kenya = self.chapter("kenya")
        kenya.good("join", "-", stdin=invite.encode())
        self.world_.stop()
        kenya.start()
        found = wait_until(
            "the call fails",
            lambda: (lambda f: f if "net.unreachable" in f else None)(self.findings(kenya)),
        )
        self.assertIn("bundle", found["net.unreachable"]["do"])

    def test_another_computer_at_the_address(self):
        kenya = self.pair()
        self.world_.stop()
        other = self.chapter("impostor")
        address = next(
            line for line in (self.world_.folder / "chapterd.toml").read_text().splitlines()
            if "listen" in line
        ).split('"')[1]
        other.good("init", "--federation", "Another", "--listen", address)
        other.start()
        kenya.good("sync", "pause")
        self.assertIn("sync.paused", self.findings(kenya))
        kenya.good("sync", "resume")
        kenya.run("sync", "now")
        wait_until("it is noticed", lambda: "tls.other-key" in self.findings(kenya))

    def test_a_node_that_was_revoked(self):
        kenya = self.pair()
        self.world_.good("peers", "revoke", "KE", "--reason", "stolen", "--yes")
        wait_until("it is told", lambda: "node.revoked" in self.findings(kenya))
        self.assertEqual(self.findings(self.world_)["peer.revoked"]["severity"], "note")

    def test_a_parent_that_was_revoked(self):
        self.world_.start()
        kenya = self.chapter("kenya")
        invite = self.world_.good("invite", "create", "KE", "--name", "Kenya")
        address = f"127.0.0.1:{free_port()}"
        kenya.good("join", "-", "--listen", address, stdin=invite.encode())
        kenya.start()
        kenya.good("sync", "now", "--until-done")
        kisumu = self.chapter("kisumu")
        invite = kenya.good("invite", "create", "KE-17", "--name", "Kisumu")
        kisumu.good("join", "-", stdin=invite.encode())
        kisumu.start()
        kisumu.good("sync", "now", "--until-done")
        self.world_.good("peers", "revoke", "KE", "--reason", "stolen", "--yes")
        found = wait_until(
            "it is told",
            lambda: (lambda f: f if "peer.revoked" in f else None)(self.findings(kisumu)),
        )
        self.assertEqual(found["peer.revoked"]["severity"], "person")
        self.assertIn("bundle read", found["peer.revoked"]["do"])
        needs = [need["code"] for need in kisumu.json("status")["needs_person"]]
        self.assertIn("peer.revoked", needs)
        self.assertEqual(kisumu.run("sync", "now", "--until-done").returncode, 6)

    def test_work_that_waits(self):
        self.world_.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        kenya = self.pair()
        self.world_.stop()
        id = kenya.good("-q", "insight", "add", *INSIGHT)
        kenya.good("insight", "submit", id)
        kenya.good("insight", "endorse", id)
        self.assertIn("work.waiting", self.findings(kenya))

    @unittest.skipIf(SANITIZED, "a sanitizer and libfaketime both want to be loaded first")
    @unittest.skipUnless(os.path.exists(FAKER), "libfaketime is not there; scripts/install has it")
    def test_an_expired_invite_is_told_until_somebody_goes_on_about_it(self):
        told = lambda: self.findings(self.world_, environment=MONTHS_LATER).get("invite.expired")
        self.world_.good("invite", "create", "KE", "--name", "Kenya")
        self.world_.good("invite", "create", "UG", "--name", "Uganda")
        for _ in range(2):
            command = re.search(r"chapterd (invite create [A-Z]+ --name NAME)", told()["do"])[1]
            self.world_.good(*command.split(), environment=MONTHS_LATER)
        self.assertIsNone(told())
        self.world_.good("invite", "create", "TZ", "--name", "Tanzania")
        command = re.search(r"chapterd (invite revoke [0-9a-f]+)", told()["do"])[1]
        self.world_.good(*command.split())
        self.assertIsNone(told())

    def test_a_configuration_that_cannot_be_read(self):
        (self.world_.folder / "chapterd.toml").write_text("[sync]\nlisten = 7\n")
        found = self.findings(self.world_)
        self.assertTrue(any(code.startswith("config") for code in found), found)

    def test_the_bundle_for_support_tells_nobody_who_it_is(self):
        markers = ["Zanzibarmarker", "Titlemarker", "person.marker@example.org", "KEMARK"]
        self.world_.good("theme", "add", "--code", "immunisation", "--title", markers[1])
        self.world_.start()
        kenya = self.chapter("kenya")
        invite = self.world_.good("invite", "create", markers[3], "--name", markers[0])
        kenya.good("join", "-", "--node", markers[0], stdin=invite.encode())
        kenya.start()
        kenya.good("sync", "now", "--until-done")
        fields = [markers[1] if word == "Boats kept vaccines moving" else word for word in INSIGHT]
        kenya.good("insight", "add", *fields)
        kenya.good("member", "add", "--name", markers[0], "--email", markers[2])
        for chapter in (kenya, self.world_):
            file = chapter.folder.parent / (chapter.folder.name + ".json")
            chapter.good("doctor", "--bundle", file)
            text = file.read_text()
            bundle = json.loads(text)
            self.assertTrue(bundle["database"]["entries"] > 0)
            keys = [(chapter.folder / name).read_bytes() for name in ("node.key", "authority.key")]
            fingerprint = chapter.json("status")["node"]["fingerprint"]
            secrets = markers + [str(self.place), "127.0.0.1", "Learning", fingerprint]
            secrets += [key.hex() for key in keys] + [base64.b64encode(key).decode() for key in keys]
            for secret in secrets:
                self.assertNotIn(secret, text)


if __name__ == "__main__":
    unittest.main()
