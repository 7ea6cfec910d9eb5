# What scripts rely on: exit codes, JSON, which stream, colour, and how trouble is told.
import json
import os
import pty
import select
import socket
import stat
import subprocess
import unittest

from harness import BINARY, Federation, seconds, wait_until

UNKNOWN = "00000000-0000-7000-8000-000000000000"


class Trouble(Federation):
    def check_error(self, done, exit_code, kind, code):
        """Four parts in words; nothing on stdout."""
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertEqual(done.stdout, b"")
        for part in (b"chapterd: ", b"\n  Safe: ", b"\n  Next: ", b"\n  Code: " + code.encode()):
            self.assertIn(part, done.stderr)

    def check_json_error(self, done, exit_code, kind, code):
        """The same as one JSON object on stderr."""
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertEqual(done.stdout, b"")
        error = json.loads(done.stderr)["error"]
        self.assertEqual(set(error), {"kind", "code", "what", "safe", "next", "exit"})
        self.assertTrue(all(error[part] for part in ("what", "safe", "next")))
        self.assertEqual((error["kind"], error["exit"]), (kind, exit_code))
        self.assertTrue(error["code"].startswith(code), error["code"])

    def check_both(self, chapter, words, exit_code, kind, code):
        self.check_error(chapter.run(*words), exit_code, kind, code)
        self.check_json_error(chapter.run("--json", *words), exit_code, kind, code)

    def test_each_class_of_trouble_has_its_exit_code(self):
        world = self.world()
        nobody = self.chapter("nobody")
        for chapter, words, exit_code, kind, code in [
            (world, ["nonsense"], 2, "usage", "cli.unknown-command"),
            (world, ["insight", "add", "--titel", "x"], 2, "usage", "cli.unknown-option"),
            (world, ["insight", "add"], 2, "usage", "field."),
            (world, ["insight", "add", "--title", "x", "--wait=moon"], 2, "usage", "cli.bad-wait"),
            (world, ["config", "explain", "sync.lisen"], 2, "usage", "config.unknown-key"),
            (world, ["sync", "now"], 3, "unreachable", "daemon.not-running"),
            (world, ["insight", "show", UNKNOWN], 4, "not-found", "record."),
            (world, ["where", "abcdef"], 4, "not-found", "record.unknown"),
            (nobody, ["status"], 4, "not-found", "folder.missing"),
            (world, ["init", "--federation", "Second"], 5, "not-allowed", "node.exists"),
            (world, ["peers", "revoke", "KE", "--reason", "x"], 6, "needs-person", "cli.needs-yes"),
        ]:
            with self.subTest(words=words):
                self.check_both(chapter, words, exit_code, kind, code)

    def test_a_wait_that_is_in_vain_ends_with_eight_and_the_work_is_safe(self):
        world = self.world()
        world.start()
        kenya = self.kenya_below(world)
        world.stop()
        done = kenya.run("--json", "theme", "add", "--code", "w", "--title", "Water",
                         "--wait=parent", "--timeout", "1")  # fmt: skip
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertEqual(json.loads(done.stderr)["error"]["code"], "wait.timeout")
        self.assertTrue(kenya.json("theme", "show", json.loads(done.stdout)["id"]))

    def test_a_draft_is_not_waited_for(self):
        world = self.world()
        world.start()
        kenya = self.kenya_below(world)
        done = kenya.run("insight", "add", "--title", "x", "--wait=global")
        self.assertEqual(done.returncode, 8)
        self.assertIn(b"wait.stays-home", done.stderr)

    def test_bytes_that_are_no_utf8_are_refused(self):
        self.check_both(self.world(), ["theme", "add", "--code", b"\xff"], 2, "usage", "cli.bad-utf8")
        latin = self.place / "latin.txt"
        latin.write_bytes(b"caf\xe9")
        self.check_both(self.world_again(), ["insight", "add", "--title", "x", "--evidence",
                                             f"@{latin}"], 2, "usage", "cli.not-text")  # fmt: skip

    def world_again(self):
        return self.chapter("world")

    def test_a_port_in_use_is_named(self):
        world = self.world()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            done = world.run("--sync.listen", taken, "run")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"net.listen", done.stderr)
        self.assertIn(taken.encode(), done.stderr)

    def test_a_folder_that_others_can_read_is_refused(self):
        world = self.world()
        world.folder.chmod(0o755)
        for words in (["status"], ["run"]):
            done = world.run("--json", *words)
            self.assertIn(done.returncode, (1, 5), done.stderr)
            self.assertTrue(json.loads(done.stderr)["error"]["code"].startswith("folder."))
        world.folder.chmod(0o700)
        world.good("status")

    def test_a_second_daemon_refuses_to_start_and_the_first_goes_on(self):
        world = self.world()
        world.start()
        done = world.run("run")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"folder.in-use", done.stderr)
        self.assertTrue(world.json("status")["daemon"])
        self.assertEqual(world.stop(), 0)

    def test_only_the_owner_may_use_the_socket_the_configuration_and_an_invite(self):
        world = self.world()
        world.start()
        world.good("invite", "create", "KE", "--name", "Kenya", "--out", self.place / "i.txt")
        for path in (world.folder / "control.sock", world.folder / "chapterd.toml",
                     self.place / "i.txt"):  # fmt: skip
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_a_broken_configuration_is_told_with_its_line(self):
        world = self.world()
        file = self.place / "mine.toml"
        file.write_text('[sync]\nlisen = "127.0.0.1:1"\n')
        done = world.run("--config", file, "config", "check")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"mine.toml:2:1", done.stderr)
        self.assertIn(b"sync.listen", done.stderr)


class Streams(Federation):
    def test_results_are_on_stdout_and_narration_on_stderr(self):
        world = self.world()
        done = world.run("invite", "create", "KE", "--name", "Kenya")
        invite = done.stdout.decode()
        self.assertRegex(invite, r"^[A-Z2-7 \n-]+$")
        self.assertIn(b"Keep it secret", done.stderr)
        quiet = world.run("-q", "invite", "create", "TZ", "--name", "Tanzania")
        self.assertEqual(quiet.stderr, b"")

    def test_json_is_one_document_on_stdout_and_nothing_else(self):
        world = self.world()
        for words in (["status"], ["peers", "list"], ["invite", "list"], ["theme", "list"],
                      ["views"], ["verify"], ["sync", "status"], ["config", "show"],
                      ["config", "check"], ["version"]):  # fmt: skip
            with self.subTest(words=words):
                done = world.run("--json", *words)
                self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout)
                self.assertIsInstance(json.loads(done.stdout), dict)

    def on_a_terminal(self, words, environment):
        """Everything that the command wrote to a terminal."""
        mine, theirs = pty.openpty()
        done = subprocess.Popen(
            [BINARY, "--data", self.place / "world", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"HOME": str(self.place), "TERM": "xterm", "PATH": os.environ["PATH"], **environment},
        )
        os.close(theirs)
        written = b""
        while select.select([mine], [], [], seconds(30))[0]:
            try:
                part = os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            written += part
        os.close(mine)
        done.wait(timeout=seconds(30))
        return written

    def test_colour_is_for_terminals_and_no_color_is_honoured(self):
        world = self.world()
        self.assertNotIn(b"\x1b", world.run("status").stdout)
        self.assertIn(b"\x1b[", self.on_a_terminal(["status"], {}))
        self.assertNotIn(b"\x1b[", self.on_a_terminal(["status"], {"NO_COLOR": "1"}))
        self.assertNotIn(b"\x1b[", self.on_a_terminal(["status"], {"TERM": "dumb"}))

    def test_a_full_disk_behind_stdout_is_an_error(self):
        self.world()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BINARY, "--data", self.place / "world", "status"], stdout=full,
                                  stderr=subprocess.PIPE, env={"HOME": str(self.place)})  # fmt: skip
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"cli.stdout", done.stderr)

    def piped(self, chapter, *words):
        """A process whose stdout and stderr nobody reads any more, and how it ended."""
        reader, writer = os.pipe()
        process = subprocess.Popen([BINARY, "--data", chapter.folder, *words], stdout=writer,
                                   stderr=writer, env={**os.environ, "HOME": str(self.place)})  # fmt: skip
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        return process

    def test_a_daemon_goes_on_when_nobody_reads_its_log_any_more(self):
        world = self.world()
        world.daemon = self.piped(world, "run")
        world.log = open(os.devnull)
        wait_until("it answers", world.answers)
        kenya = self.kenya_below(world)  # which writes lines about links
        self.assertEqual(kenya.stop(), 0)
        self.assertEqual(world.stop(), 0)

    def test_a_command_whose_answer_is_not_read_to_its_end_ends_quietly(self):
        world = self.world()
        reader, writer = os.pipe()
        os.close(reader)
        for words in (["status"], ["--json", "config", "show"]):
            done = subprocess.run([BINARY, "--data", world.folder, *words], stdout=writer,
                                  stderr=subprocess.PIPE, env={**os.environ, "HOME": str(self.place)})  # fmt: skip
            self.assertEqual((done.returncode, done.stderr), (0, b""), words)
        os.close(writer)

    def test_a_daemon_that_is_told_to_stop_ends_with_zero(self):
        world = self.world()
        world.start()
        kenya = self.kenya_below(world)
        state = lambda: [peer["state"] for peer in world.json("peers", "list")["peers"]]
        wait_until("Kenya is connected", lambda: state() == ["connected"])
        self.assertEqual(kenya.stop(), 0)
        wait_until("Kenya is offline", lambda: state() == ["offline"])
        self.assertIn("Kenya", world.good("status"))
        self.assertEqual(world.stop(), 0)


if __name__ == "__main__":
    unittest.main()
