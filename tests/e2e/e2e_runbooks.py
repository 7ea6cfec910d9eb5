# The runbooks of docs/operations.md, each followed by real daemons from what happened to all is well.
# The test is the people around it: it starts and stops daemons where the text says so.
import os
import shutil
import unittest

from harness import SANITIZED, free_port, wait_until
from runbook import Runbook

# The date alone is false: waiting goes by a clock that is not.
FAKER = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
MONTHS_LATER = {"LD_PRELOAD": FAKER, "FAKETIME": "+125d", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1"}  # fmt: skip


class Runbooks(Runbook):
    def top(self, *flags):
        """The global chapter, running."""
        world = self.chapter("world")
        address = f"127.0.0.1:{free_port()}"
        world.good("init", "--federation", "Learning Collaborative", "--listen", address, *flags)
        world.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        world.start()
        return world

    def joined(self, folder, parent, code, name, *flags, listens=False):
        """A chapter below, running; all that is shared has been exchanged."""
        chapter = self.chapter(folder)
        self.about += [name, code]
        invite = parent.good("invite", "create", code, "--name", name)
        where = ["--listen", f"127.0.0.1:{free_port()}"] if listens else []
        chapter.good("join", "-", *where, *flags, stdin=invite.encode())
        chapter.start()
        chapter.good("sync", "now", "--until-done")
        return chapter

    def name_of(self, chapter, member):
        return chapter.json("member", "show", member)["fields"]["name"]

    def everybody_verifies(self, *chapters):
        for chapter in chapters:
            self.assertTrue(chapter.json("verify")["ok"], chapter.folder.name)

    def test_a_stolen_laptop(self):
        steps = self.blocks("A stolen laptop")
        world = self.top()
        laptop = self.joined("laptop", world, "KE", "Kenya", "--node", "field laptop", listens=True)
        # Said before Kisumu's first call, so that the backup knows that Kisumu holds it.
        kept = laptop.good("-q", "theme", "add", "--code", "water", "--title", "Water points",
                           "--reach", "down")  # fmt: skip
        kisumu = self.joined("kisumu", laptop, "KE-17", "Kisumu")
        self.shows(kisumu, kept)
        member = self.member(laptop)
        sent = self.endorsed(laptop)
        self.about += ["Water points", "False alarm", "laptop stolen"]
        laptop.good("sync", "now", "--until-done")
        wait_until("all have said what they hold", lambda: all(
            peer["caught_up"] for peer in laptop.json("peers", "list")["peers"]))
        (self.place / "words").write_text("correct horse battery staple\n")
        (self.place / "backups").mkdir()
        (self.place / "stick").mkdir()
        laptop.good("backup", "create", "--out", self.place / "backups/kenya.chapterd-backup",
                    "--passphrase-file", self.place / "words")  # fmt: skip
        # The thief is near Kisumu, and far from the global chapter.
        world.stop()
        false = laptop.good("-q", "theme", "add", "--code", "alarm", "--title", "False alarm")
        self.shows(kisumu, false)
        kisumu.stop()
        world.start()
        self.check_cut(world, laptop, next(steps))
        self.follow(next(steps))
        self.check_redacted(laptop, world)
        laptop.stop()

        self.follow(next(steps))
        kenya = self.chapter("kenya")
        (kenya.folder / "chapterd.toml").write_text(
            f'[sync]\nlisten = "127.0.0.1:{free_port()}"\n')
        kenya.start()
        kisumu.start()
        self.follow(next(steps))
        work = self.endorsed(kisumu, "Rafts work too")
        self.follow(next(steps))
        self.shows(world, work)
        self.follow(next(steps))
        self.follow(next(steps))
        self.done(steps)
        for chapter, id in ((world, sent), (kenya, sent), (kenya, kept), (kisumu, kept)):
            self.shows(chapter, id)
        self.assertEqual(self.name_of(kenya, member), "Achieng Odhiambo")
        for chapter in (world, kenya):
            self.assertEqual(chapter.run("where", false).returncode, 4)
        self.check_redacted(world, kenya, kisumu)
        self.everybody_verifies(world, kenya, kisumu)

    def check_cut(self, world, laptop, steps):
        """Global revokes before the laptop has told it of the false alarm."""
        laptop.stop()
        self.follow(steps)
        laptop.start()

    def test_a_restored_backup(self):
        steps = self.blocks("A restored backup")
        world = self.top()
        kenya = self.joined("kenya", world, "KE", "Kenya")
        self.endorsed(kenya)
        (self.place / "backups").mkdir()
        for name, chapter in (("kenya", kenya), ("world", world)):
            kenya.good("sync", "now", "--until-done")
            chapter.good("backup", "create", "--out",
                         self.place / f"backups/{name}.chapterd-backup")  # fmt: skip
        later = self.endorsed(kenya, "Rafts work too")
        above = world.good("-q", "theme", "add", "--code", "water", "--title", "Water points")
        self.about.append("Water points")
        kenya.good("sync", "now", "--until-done")
        self.shows(kenya, above)

        kenya.stop()
        self.follow(next(steps))
        self.assertEqual(kenya.run("where", later).returncode, 4, "it is an older state")
        self.check_redacted(kenya)
        kenya.start()
        self.follow(next(steps))
        self.shows(kenya, later)

        world.stop()
        again = next(steps)
        self.follow(again)
        world.start()
        self.check_redacted(world)
        kenya.run("sync", "now")
        self.follow(next(steps))
        for id in (later, above):
            self.shows(world, id)

        # Once more, and confirmed in the other way.
        world.stop()
        self.follow(again)
        world.start()
        self.follow(next(steps))
        self.again(kenya)  # it calls
        for id in (later, above):
            self.shows(world, id)
        self.done(steps)
        self.everybody_verifies(world, kenya)

    def copied(self, chapter, folder, above):
        """A copy whose work came by a stick, while that of the first came over the link."""
        chapter.stop()
        copy = self.chapter(folder)
        shutil.copytree(chapter.folder, copy.folder)
        ids = [self.endorsed(each, f"Boats of {each.folder.name}") for each in (chapter, copy)]
        stick = self.place / f"{folder}.bundle"
        copy.good("bundle", "write", "--to", "GLOBAL", "--out", stick)
        chapter.start()
        chapter.good("sync", "now", "--until-done")
        above.good("bundle", "read", stick)
        return copy, ids

    def test_a_copied_folder(self):
        steps = self.blocks("A copied folder")
        world = self.top()
        kenya = self.joined("kenya", world, "KE", "Kenya", "--node", "laptop")
        self.endorsed(kenya)
        kenya.good("sync", "now", "--until-done")
        second, ids = self.copied(kenya, "second", world)
        self.follow(next(steps))
        self.check_redacted(world)
        second.start()
        self.follow(next(steps))
        self.check_redacted(kenya, second)
        second.stop()
        unsent = self.endorsed(second, "Written while nobody listened")
        self.follow(next(steps))
        second.start()
        self.follow(next(steps))
        for id in (*ids, unsent):
            for chapter in (world, kenya, second):
                self.shows(chapter, id)

        uganda = self.joined("uganda", world, "UG", "Uganda")
        _, gone = self.copied(uganda, "third", world)
        uganda.stop()
        wait_until("it is noticed", lambda: "fork" in self.findings(world))
        self.follow(next(steps))
        self.done(steps)
        for id in gone:
            self.shows(world, id)
        self.check_redacted(world, kenya, second)
        self.everybody_verifies(world, kenya, second)

    def test_copies_that_call_in_turn(self):
        world = self.top()
        kenya = self.joined("kenya", world, "KE", "Kenya", "--node", "laptop")
        kenya.stop()
        second = self.chapter("second")
        shutil.copytree(kenya.folder, second.folder)
        ids = []
        for chapter in (kenya, second, kenya):
            ids.append(self.endorsed(chapter, f"Boats, part {len(ids)}"))
            chapter.start()
            self.again(chapter)
            self.shows(world, ids[-1])
            chapter.stop()
        self.assertIn("copy.likely", self.findings(kenya))
        self.check_redacted(kenya, second)
        second.good("restore", "--as-new-node", "--with-unsent", "--node", "second laptop", "--yes")
        for chapter in (second, kenya):
            chapter.start()
            self.again(chapter)
        wait_until("the copy is looked for no more",
                   lambda: "copy.likely" not in self.findings(kenya))
        self.assertEqual(kenya.json("status")["needs_person"], [])
        for id in ids:
            for chapter in (world, kenya, second):
                self.shows(chapter, id)
        self.everybody_verifies(world, kenya, second)

    def test_a_lost_key(self):
        steps = self.blocks("A lost key")
        world = self.top("--kit", self.place / "world-kit.txt")
        kenya = self.joined("kenya", world, "KE", "Kenya", "--kit", self.place / "kit.txt")
        self.about += (self.place / "kit.txt").read_text().split()[-2:]
        member = self.member(kenya)
        self.follow(next(steps))
        keys = [kenya.folder / name for name in ("authority.key", "chapter.key")]
        for key in keys:
            key.unlink()
        self.follow(next(steps))
        self.check_redacted(kenya)
        shared = self.endorsed(kenya, "Shared while keys were lost")
        kenya.stop()
        self.follow(next(steps))
        kenya.start()
        self.assertEqual(self.name_of(kenya, member), "Achieng Odhiambo")
        self.shows(world, shared)

        kenya.stop()
        keys[0].unlink()
        kenya.start()
        self.follow(next(steps))
        self.follow(next(steps))
        for chapter in (world, kenya):
            self.follow(next(steps))
            self.assertTrue(chapter.json("key", "show")["here"])
            self.assertEqual(self.findings(chapter), [])
        kenya.good("sync", "now", "--until-done")
        kenya.stop()
        (kenya.folder / "node.key").unlink()
        self.follow(next(steps))
        new = self.chapter("kenya-new")
        new.start()
        self.follow(next(steps))
        self.done(steps)
        self.shows(new, shared)
        # The keys of now are good for what authority keys are for.
        below = self.joined("uganda", world, "UG", "Uganda")
        new.good("peers", "list")
        new.good("invite", "create", "KE-17", "--name", "Kisumu")
        self.check_redacted(world, new)
        self.everybody_verifies(world, new, below)

    def test_a_computer_that_is_gone(self):
        steps = self.blocks("A computer that is gone")
        world = self.top()
        (self.place / "stick").mkdir()
        shared, old = {}, {}
        for code, name in (("UG", "Uganda"), ("TZ", "Tanzania")):
            gone = self.joined(f"{name}-gone", world, code, name, "--node", "old laptop")
            self.member(gone)
            shared[code] = self.endorsed(gone, f"Boats of {name}")
            gone.good("sync", "now", "--until-done")
            old[code] = gone.json("key", "show")["node"]
            gone.stop()
        self.follow(next(steps))
        self.follow(next(steps))
        uganda = self.chapter("uganda")
        uganda.start()
        self.follow(next(steps))
        self.follow(next(steps))
        tanzania = self.chapter("tanzania")
        tanzania.start()
        self.follow(next(steps), OLD=old["TZ"])
        self.done(steps)
        for code, chapter in (("UG", uganda), ("TZ", tanzania)):
            self.shows(chapter, shared[code])
            self.assertEqual(chapter.good("-q", "member", "list"), "", "it was private")
            # It speaks for its chapter: what it writes arrives, and it may invite.
            chapter.good("invite", "create", f"{code}-17", "--name", "Below")
        self.shows(world, self.endorsed(uganda, "Rafts of the new computer"))
        self.check_redacted(world, uganda)
        self.everybody_verifies(world, uganda, tanzania)

    def again(self, chapter):
        self.assertEqual(chapter.stop(), 0)
        chapter.start()

    @unittest.skipIf(SANITIZED, "a sanitizer and libfaketime both want to be loaded first")
    @unittest.skipUnless(os.path.exists(FAKER), "libfaketime is not there; scripts/install has it")
    def test_no_network_for_months(self):
        steps = self.blocks("No network for months")
        world = self.top()
        kenya = self.joined("kenya", world, "KE", "Kenya")
        (self.place / "stick").mkdir()
        world.stop()
        id = self.endorsed(kenya)
        kenya.stop()
        kenya.start(MONTHS_LATER)
        self.follow(next(steps), INSIGHT=id, **MONTHS_LATER)
        self.done(steps)
        self.assertEqual(world.json("insight", "show", id)["home_code"], "KE")
        stages = kenya.json("insight", "where", id)["stages"]
        self.assertEqual([stage["reached"] for stage in stages], [True] * 3)
        self.check_redacted(kenya, world)
        self.everybody_verifies(world, kenya)

    def test_a_chapter_goes_below_another_parent(self):
        steps = self.blocks("A chapter goes below another parent")
        world = self.top()
        kenya = self.joined("kenya", world, "KE", "Kenya", listens=True)
        uganda = self.joined("uganda", world, "UG", "Uganda", listens=True)
        kisumu = self.joined("kisumu", kenya, "KE-17", "Kisumu")
        busia = self.joined("busia", kenya, "KE-18", "Busia")
        (self.place / "stick").mkdir()
        for code in ("KE-17", "KE-18"):
            wait_until("it is known", lambda code=code: uganda.run(
                "move", "offer", code, "--out", self.place / f"{code}.txt").returncode == 0)
        kenya.stop()
        unsent, left = self.endorsed(kisumu, "Rafts"), self.endorsed(busia, "Canoes")
        self.follow(next(steps))
        self.check_move_of_busia(world, busia)
        self.follow(next(steps))
        self.assertIn("move.left-behind", self.findings(kisumu))
        self.check_redacted(kisumu, uganda)
        self.follow(next(steps))
        for chapter in (uganda, world):
            self.shows(chapter, unsent)
        self.follow(next(steps))
        self.done(steps)
        self.shows(busia, left)
        self.assertEqual(world.run("where", left).returncode, 4)
        self.check_redacted(world, kisumu, busia)
        self.everybody_verifies(world, uganda, kisumu, busia)

    def check_move_of_busia(self, world, busia):
        world.good("move", "approve", self.place / "KE-18.txt", "--yes")
        world.good("bundle", "write", "--to", "KE-18", "--out", self.place / "busia.bundle")
        busia.good("bundle", "read", self.place / "busia.bundle")


if __name__ == "__main__":
    unittest.main()
