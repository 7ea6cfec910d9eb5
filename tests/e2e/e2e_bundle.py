# Work and answers in files alone: no daemon, no network.
import re
import unittest

from harness import INSIGHT, Federation


class Bundle(Federation):
    def setUp(self):
        super().setUp()
        self.stick = self.place / "stick"
        self.stick.mkdir()
        self.world_, self.kenya = self.world(), self.chapter("kenya")
        self.world_.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        invite, request, answer = (self.stick / name for name in ("i.txt", "r.txt", "a.txt"))
        self.world_.good("invite", "create", "KE", "--name", "Kenya", "--out", invite)
        self.kenya.good("join", invite, "--offline", "--out", request)
        self.world_.good("peers", "approve", request, "--out", answer)
        self.kenya.good("join", answer)

    def endorsed(self):
        id = self.kenya.good("-q", "insight", "add", *INSIGHT)
        self.kenya.good("insight", "submit", id)
        self.kenya.good("insight", "endorse", id)
        return id

    def reached(self, id):
        stages = self.kenya.json("insight", "where", id)["stages"]
        return {stage["at"]: stage["reached"] for stage in stages}

    # What is filed under a theme needs the theme: it comes down first.
    def endorsed_after_themes(self):
        up, down = self.stick / "hello.bundle", self.stick / "themes.bundle"
        self.kenya.good("bundle", "write", "--to", "GLOBAL", "--out", up)
        self.world_.good("bundle", "read", up)
        self.world_.good("bundle", "write", "--to", "KE", "--out", down)
        self.kenya.good("bundle", "read", down)
        id = self.endorsed()
        self.assertEqual(self.reached(id), {"saved": True, "parent": False, "global": False})
        return id

    def test_an_answer_alone_comes_home_and_daemons_read_and_write_files_just_so(self):
        id = self.endorsed_after_themes()
        self.world_.start()
        up, ack = self.stick / "up.bundle", self.stick / "ack.bundle"
        written = self.kenya.json("bundle", "write", "--to", "GLOBAL", "--out", up)
        self.assertEqual(written["files"], [str(up)])
        read = self.world_.json("bundle", "read", "-", stdin=up.read_bytes())
        self.assertEqual((read["from"], read["complete"], read["refused"]), ("KE", True, []))
        again = self.world_.json("bundle", "read", up)
        self.assertEqual(again["news"], 0)
        self.world_.good("bundle", "write", "--ack", "--to", "KE", "--out", ack)
        self.assertEqual(self.kenya.json("bundle", "inspect", ack)["kind"], "ack")
        self.kenya.good("bundle", "read", ack)
        self.assertEqual(self.reached(id), {"saved": True, "parent": True, "global": True})

    def test_a_file_that_is_not_what_it_should_be_is_refused_in_words(self):
        up = self.stick / "up.bundle"
        self.kenya.good("bundle", "write", "--to", "GLOBAL", "--out", up)
        whole = up.read_bytes()

        def code(chapter, verb, content):
            done = chapter.run("--json", "bundle", verb, "-", stdin=content)
            self.assertNotEqual(done.returncode, 0)
            found = re.findall(rb'"code": ?"([a-z.-]+)"', done.stdout + done.stderr)
            return found[-1].decode()

        self.assertEqual(code(self.world_, "read", b"hello, this is a letter"), "bundle.none")
        self.assertEqual(code(self.world_, "read", b""), "bundle.none")
        newer = whole[:16] + bytes([2]) + whole[17:]
        self.assertEqual(code(self.world_, "read", newer), "bundle.newer")
        self.assertEqual(code(self.kenya, "read", whole), "bundle.not-for-us")
        broken = whole[:-300] + bytes([whole[-300] ^ 1]) + whole[-299:]
        self.assertEqual(code(self.world_, "read", broken), "bundle.damaged")
        self.assertEqual(code(self.world_, "inspect", broken), "bundle.damaged")
        self.assertEqual(code(self.world_, "read", whole[:-20]), "bundle.incomplete")
        self.assertEqual(code(self.world_, "inspect", whole[:-20]), "bundle.incomplete")
        other = self.chapter("other")
        other.good("init", "--federation", "Others")
        self.assertEqual(code(other, "read", whole), "federation.other")
        self.assertFalse(self.world_.json("bundle", "inspect", up)["readable"] is False)
        self.assertFalse(other.json("bundle", "inspect", up)["readable"])
        self.assertIn(b"cli.file-exists", self.kenya.run(
            "bundle", "write", "--to", "GLOBAL", "--out", up).stderr)
        self.assertEqual(sorted(each.name for each in self.stick.glob("*.new")), [])


if __name__ == "__main__":
    unittest.main()
