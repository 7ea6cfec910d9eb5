# A chapter that was revoked and keeps that back from those below, until they ask further up.
import re
import unittest

from harness import Federation, free_port, wait_until


class FurtherUp(Federation):
    def kisumu_below(self, kenya, address):
        kisumu = self.chapter("kisumu")
        invite = kenya.good("invite", "create", "KE-17", "--name", "Kisumu")
        kisumu.good("join", "-", stdin=invite.encode())
        kisumu.start({"CHAPTERD_SYNC__ANCESTORS": address, "CHAPTERD_SYNC__LISTEN": ""})
        kisumu.good("sync", "now", "--until-done")
        return kisumu

    def test_a_revocation_that_the_chapter_above_keeps_back_is_learned_further_up(self):
        world = self.world()
        world.start()
        listens = re.search(r"127\.0\.0\.1:\d+", str(world.json("config", "show"))).group()
        kenya = self.chapter("kenya")
        invite = world.good("invite", "create", "KE", "--name", "Kenya")
        kenya.good("join", "-", "--listen", f"127.0.0.1:{free_port()}", stdin=invite.encode())
        kenya.start()
        kenya.good("sync", "now", "--until-done")
        kisumu = self.kisumu_below(kenya, listens)

        def state_of(code):
            return next(p["state"] for p in kisumu.json("peers", "list")["peers"] if p["code"] == code)

        self.assertIn("No node further up", kisumu.good("status"))
        self.assertEqual(kenya.stop(), 0)  # it says nothing any more
        world.good("peers", "revoke", "KE", "--reason", "stolen", "--yes")
        self.assertNotEqual(state_of("KE"), "revoked")
        self.assertIn("further up", kisumu.good("sync", "now", "--ancestors"))
        wait_until("the revocation is known", lambda: state_of("KE") == "revoked")
        wait_until("that is told", lambda: "told all revocations" in kisumu.good("status"))
        self.assertEqual(state_of("GLOBAL"), "asked now and then")

    def test_without_an_address_of_a_node_further_up_it_says_where_to_set_one(self):
        world = self.world()
        world.start()
        kenya = self.kenya_below(world)
        done = kenya.run("sync", "now", "--ancestors")
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"sync.no-ancestors", done.stderr)
        self.assertIn(b"config explain sync.ancestors", done.stderr)


class Budget(Federation):
    def test_a_budget_of_the_day_that_is_used_up_is_told_and_what_is_left_waits(self):
        world = self.world()
        world.start()
        kenya = self.kenya_below(world)
        self.assertEqual(kenya.stop(), 0)
        kenya.start({"CHAPTERD_SYNC__BUDGET_DAY_BYTES": "2000"})
        spent = wait_until("the budget is used up", lambda: (kenya.json("status")["budget"] or {}).get("is_spent"))
        self.assertTrue(spent)
        kenya.good("theme", "add", "--code", "later", "--title", "Later")
        wait_until("it says so", lambda: kenya.json("peers", "list")["peers"][0]["is_saving"])
        words = kenya.good("status")
        self.assertIn("Today's budget is used up", words)
        self.assertIn("the rest waits until tomorrow", words)
        self.assertIn("1 entry waits", words)
        self.assertEqual(world.json("theme", "list")["rows"], [])


if __name__ == "__main__":
    unittest.main()
