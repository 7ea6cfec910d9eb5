# Joining with nothing but a folder that stands for a USB stick.
import unittest

from harness import INSIGHT, Federation


class Stick(Federation):
    def test_a_chapter_joins_by_two_files_and_its_work_arrives_once_there_is_a_link(self):
        stick = self.place / "stick"
        stick.mkdir()
        world, kenya = self.world(), self.chapter("kenya")
        world.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        world.good("invite", "create", "KE", "--name", "Kenya", "--out", stick / "invite.txt")

        request, answer = stick / "request.txt", stick / "answer.txt"
        asked = kenya.json("join", stick / "invite.txt", "--offline", "--out", request)
        approved = world.json("peers", "approve", request, "--out", answer)
        self.assertEqual(asked["words"], approved["words"], "both sides show the same words")
        self.assertEqual(len(asked["words"].split()), 4)
        joined = kenya.json("join", answer)
        self.assertEqual((joined["chapter"], joined["name"]), ("KE", "Kenya"))

        # Kenya works before it ever met anybody.
        id = kenya.good("-q", "insight", "add", "--title", "Boats kept vaccines moving")
        where = kenya.json("insight", "where", id)
        reached = {stage["at"]: stage["reached"] for stage in where["stages"]}
        self.assertEqual(reached, {"saved": True, "parent": False, "global": False})

        world.start()
        kenya.start()
        kenya.good("sync", "now", "--until-done")
        kenya.good("insight", "edit", id, *INSIGHT)
        kenya.good("insight", "submit", id)
        kenya.good("insight", "endorse", id, "--wait=global")
        where = kenya.json("insight", "where", id)
        self.assertTrue(all(stage["reached"] for stage in where["stages"]))
        self.assertEqual(world.json("insight", "show", id)["home_code"], "KE")

    def test_a_file_of_the_wrong_kind_or_for_somebody_else_is_refused_in_words(self):
        world, kenya, other = self.world(), self.chapter("kenya"), self.chapter("other")
        world.good("invite", "create", "KE", "--name", "Kenya", "--out", self.place / "i.txt")
        kenya.good("join", self.place / "i.txt", "--offline", "--out", self.place / "r.txt")
        world.good("peers", "approve", self.place / "r.txt", "--out", self.place / "a.txt")

        self.assertEqual(kenya.run("join", self.place / "r.txt").returncode, 2)
        self.assertEqual(world.run("peers", "approve", self.place / "a.txt").returncode, 2)
        stranger = other.run("join", self.place / "a.txt")
        self.assertEqual(stranger.returncode, 4)
        self.assertIn(b"folder.missing", stranger.stderr)
        not_asked = world.run("join", self.place / "a.txt")
        self.assertIn(b"node.exists", not_asked.stderr)
        text = (self.place / "a.txt").read_text()
        (self.place / "cut.txt").write_text(text[: len(text) - 40])
        cut = kenya.run("join", self.place / "cut.txt")
        self.assertIn(cut.returncode, (1, 5), cut.stderr)
        kenya.good("join", self.place / "a.txt")


if __name__ == "__main__":
    unittest.main()
