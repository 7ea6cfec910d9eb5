# A disk that is full, then has room again; a disk that became read-only. In a small file system of
# its own, in a mount namespace of its own.
import subprocess

from runbook import Runbook

from faults import (
    Control, Federation, Refused, Writers, add_theme, everything, faultily, main, name_space, needs,
    wait_until,
)  # fmt: skip

DISK_FULL = ("disk.low", "store.disk-full")


def mount(*words):
    subprocess.run(["mount", *words], check=True)


class SmallDisk(Federation):
    def setUp(self):
        super().setUp()
        self.disk = self.place / "disk"
        self.disk.mkdir()
        mount("-t", "tmpfs", "-o", "size=6m,mode=700", "small", str(self.disk))
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=True)
        self.world_ = self.world()
        self.world_.start()
        self.kenya = self.chapter("disk/kenya")
        invite = self.world_.good("invite", "create", "KE", "--name", "Kenya")
        self.kenya.good("join", "-", stdin=invite.encode())
        # Its log stands beside the folder: elsewhere, so that it does not fill the disk too.
        self.kenya.start()
        self.kenya.good("sync", "now", "--until-done")

    def fill(self):
        """What is left of the disk, to the last byte."""
        with open(self.disk / "ballast", "ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def refusal(self, *words):
        """A command that must fail in four parts; its code."""
        done = self.kenya.run(*words)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for part in (b"chapterd: ", b"\n  Safe: ", b"\n  Next: ", b"\n  Code: "):
            self.assertIn(part, done.stderr)
        return done.stderr.decode().rpartition("Code: ")[2].strip()

    def check_there(self, control, acknowledged):
        held = everything(control)
        self.assertEqual({i: t for i, t in acknowledged.items() if held.get(i) != t}, {})

    def test_a_full_disk_refuses_in_words_and_goes_on_once_there_is_room(self):
        writers = Writers(self.kenya.folder, 3, "before", pause=0)
        wait_until("the disk is low", lambda: len(writers.refusals) == 3, within=120)
        acknowledged = writers.stop()
        self.assertGreater(len(acknowledged), 50)
        for refusal in writers.refusals:
            self.assertIn(refusal["code"], DISK_FULL)
        self.fill()
        self.assertIn(self.refusal("theme", "add", "--code", "f", "--title", "F"), DISK_FULL)
        self.check_reading(acknowledged, "before")
        self.check_news_from_above_wait()
        self.assertIsNone(self.kenya.daemon.poll(), "the daemon goes on")
        self.check_a_start_on_a_full_disk(acknowledged)
        (self.disk / "ballast").unlink()
        self.free()
        self.check_all_is_well(acknowledged)

    def check_reading(self, acknowledged, name):
        with Control(self.kenya.folder) as control:
            self.check_there(control, acknowledged)
            self.assertTrue(control("status")["daemon"])
            # Deleting is let through to the database; without a byte of room even that is refused.
            try:
                control("record.delete", id=next(iter(acknowledged)))
                acknowledged.pop(next(iter(acknowledged)))
            except Refused as refused:
                self.assertEqual(refused.code, "store.disk-full")
        # A backup to another disk is wanted most now.
        self.kenya.good("backup", "create", "--out", self.place / f"{name}.backup")

    def check_news_from_above_wait(self):
        with Control(self.world_.folder) as control:
            self.news = add_theme(control, "news", "News from above", "x" * 20000)
        self.kenya.run("sync", "now")

    def check_a_start_on_a_full_disk(self, acknowledged):
        """Either it starts and shows everything, or it says why not; nothing is lost by it."""
        self.assertEqual(self.kenya.stop(), 0)
        self.fill()
        done = self.kenya.run("--json", "theme", "list", "--limit", "1")
        if done.returncode != 0:
            self.assertIn(self.refusal("theme", "list"), DISK_FULL)
        else:
            self.kenya.start()
            self.check_reading(acknowledged, "restarted")

    def free(self):
        if self.kenya.daemon is None:
            self.kenya.start()
        self.make_room()

    def make_room(self):
        mount("-o", "remount,size=24m", str(self.disk))

    def check_all_is_well(self, acknowledged):
        more = self.kenya.json("theme", "add", "--code", "again", "--title", "Again")["id"]
        acknowledged[more] = "Again"
        with Control(self.kenya.folder) as control, Control(self.world_.folder) as above:
            wait_until("news came", lambda: self.news in everything(control), within=60)
            self.check_there(control, acknowledged)
            self.assertTrue(control("verify")["ok"])
            wait_until("all is above", lambda: acknowledged.keys() <= everything(above).keys())
            self.check_there(above, acknowledged)
        self.assertEqual(self.kenya.stop(), 0)

    def test_a_folder_on_a_read_only_disk_says_so_and_is_whole_afterwards(self):
        writers = Writers(self.kenya.folder, 2, "before")
        wait_until("some are saved", lambda: writers.acknowledged() > 50)
        acknowledged = writers.stop()
        self.assertEqual(self.kenya.stop(), 0)
        mount("-o", "remount,ro", str(self.disk))
        self.assertTrue(self.refusal("theme", "add", "--code", "r", "--title", "R"))
        self.assertTrue(self.refusal("run"))
        mount("-o", "remount,rw", str(self.disk))
        self.kenya.start()
        with Control(self.kenya.folder) as control:
            self.check_there(control, acknowledged)
            self.assertTrue(control("verify")["ok"])

    # The kernel does not remount a disk under an open file; a failing disk turns read-only all the
    # same. Then, as when a quota is used up, each write is refused, and SQLite does not say so.
    def test_writes_that_the_system_refuses_are_refused_in_words_and_take_nothing_back(self):
        acknowledged = {}
        self.make_room()  # what is written until strace is there would fill a small disk on a slow machine
        for error in ("EROFS", "EDQUOT", "ENOSPC"):
            with self.subTest(error=error):
                self.refused_by_the_system(error, acknowledged)
        self.assertEqual(self.kenya.stop(), 0)

    def refused_by_the_system(self, error, acknowledged):
        writers = Writers(self.kenya.folder, 2, error)
        wait_until("some are saved", lambda: writers.acknowledged() > 30)
        with faultily(self.kenya.daemon, f"pwrite64:error={error}"):
            wait_until("the writers are refused", lambda: not any(writers.alive()))
            acknowledged |= writers.stop()
            self.assertEqual([each["code"] for each in writers.refusals], ["store.disk-full"] * 2)
            with Control(self.kenya.folder) as control:
                self.check_there(control, acknowledged)
        with Control(self.kenya.folder) as control:
            acknowledged[add_theme(control, f"{error}-after", "Written")] = "Written"
            self.check_there(control, acknowledged)
            self.assertTrue(control("verify")["ok"])


class FullDisk(Runbook):
    """The runbook of docs/operations.md, on a disk that ballast fills."""

    def test_the_runbook_as_written(self):
        disk = self.place / "disk"
        disk.mkdir()
        mount("-t", "tmpfs", "-o", "size=24m,mode=700", "small", str(disk))
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        (disk / "kenya").mkdir(mode=0o700)
        (self.place / "kenya").symlink_to(disk / "kenya")
        world = self.world()
        world.good("theme", "add", "--code", "immunisation", "--title", "Immunisation")
        world.start()
        kenya = self.kenya_below(world)
        before = self.endorsed(kenya)
        steps = self.blocks("A disk that is full, read-only or failing")
        with open(disk / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
        self.follow(next(steps))
        self.check_redacted(kenya)
        self.about.append("News from above")
        news = world.good("-q", "theme", "add", "--code", "news", "--title", "News from above")
        self.assertIsNone(kenya.daemon.poll(), "the daemon goes on")
        (disk / "ballast").unlink()
        self.follow(next(steps))
        self.done(steps)
        self.shows(kenya, news)
        self.shows(world, before)
        self.assertIsNone(kenya.daemon.poll(), "no restart was needed")


if __name__ == "__main__":
    needs("unshare", "mount", "strace")
    name_space()
    main()
