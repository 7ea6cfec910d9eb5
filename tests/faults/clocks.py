# Clocks that are years off: nothing is lost, later edits stay later, joining and syncing work.
import re

from faults import (
    Control, Federation, add_theme, everything, main, needs,
    not_sanitized, wait_until,
)  # fmt: skip

DATES = ("1970-01-02", "2000-02-29", "2038-01-19", "2099-12-31")
# The date alone is false: waiting goes by a clock that is not.
FAKER = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
         "DONT_FAKE_MONOTONIC": "1"}  # fmt: skip


def at(date):
    return {**FAKER, "FAKETIME": f"@{date} 12:00:00"}


class Clocks(Federation):
    def title(self, chapter, id):
        with Control(chapter.folder) as control:
            shown = control("record.show", id=id)
        self.assertFalse(shown.get("conflict"), shown)
        return shown["fields"]["title"]["en"]

    def restart(self, chapter, date=None):
        if chapter.daemon is not None:
            self.assertEqual(chapter.stop(), 0)
        chapter.start(at(date) if date else None)

    def check_agreed(self, one, other):
        with Control(one.folder) as first, Control(other.folder) as second:
            wait_until("both hold the same", lambda: everything(first) == everything(second))
            for control in (first, second):
                self.assertTrue(control("verify")["ok"])

    def test_a_node_whose_clock_jumps_between_centuries_loses_and_reorders_nothing(self):
        world = self.world()
        world.start()
        kenya = self.chapter("kenya")
        invite = world.good("invite", "create", "KE", "--name", "Kenya")
        # It joins with the date of a computer whose battery is empty.
        kenya.good("join", "-", stdin=invite.encode(), environment=at("1970-01-01"))
        kenya.start(at("1970-01-01"))
        self.assertIn("1970-01-0", kenya.log_text(), "the daemon lives in 1970")
        with Control(kenya.folder) as control:
            edited = add_theme(control, "edited", "first")
        made = {}
        # Forward, then back: each edit comes after the one before, whatever the clock says.
        for number, date in enumerate([*DATES, "1970-01-03", "2099-12-30", "2000-01-01"]):
            self.restart(kenya, date)
            with Control(kenya.folder) as control, Control(world.folder) as above:
                made[add_theme(control, f"k{number}", f"Kenya in {date}")] = f"Kenya in {date}"
                made[add_theme(above, f"w{number}", f"World, {number}")] = f"World, {number}"
                wish = {"set": {"title": {"en": f"edit {number}"}}}
                control("record.edit", id=edited, edit=wish)
            wait_until("the edit is above", lambda: self.title(world, edited) == f"edit {number}")
            self.assertEqual(self.title(kenya, edited), f"edit {number}")
        self.check_agreed(world, kenya)
        with Control(world.folder) as above:
            held = everything(above)
        self.assertEqual({id: held.get(id) for id in made}, made)

    def test_a_parent_whose_clock_is_off_admits_by_its_own_clock_and_syncs(self):
        world = self.world()
        early = self.chapter("early")
        late = self.chapter("late")
        invites = [world.good("invite", "create", code, "--name", code) for code in ("KE", "TZ")]
        # The parent judges, by its clock: decades later an invite is over, decades earlier it is not.
        world.start(at("2038-01-19"))
        done = late.run("join", "-", stdin=invites[0].encode())
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr.decode(), re.compile("expired", re.IGNORECASE))
        self.restart(world, "1970-01-02")
        early.good("join", "-", stdin=invites[1].encode(), environment=at("2099-12-31"))
        early.start()
        with Control(early.folder) as below, Control(world.folder) as above:
            add_theme(below, "e", "From below")
            add_theme(above, "w", "From above, in 1970")
        self.check_agreed(world, early)
        self.restart(world)
        with Control(world.folder) as above:
            add_theme(above, "n", "The clock was put right")
        self.check_agreed(world, early)


if __name__ == "__main__":
    needs("faketime")
    not_sanitized("a sanitizer must be loaded before libfaketime, which must be loaded first")
    main()
