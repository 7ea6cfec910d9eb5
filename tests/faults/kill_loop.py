# kill -9 at any moment under load: whatever was acknowledged is there after the next start.
import json
import os
import signal
import time

from faults import Control, Federation, Writers, everything, main, seconds, seeded, wait_until

KILLS = int(os.environ.get("CHAPTERD_KILLS", "50"))
VERIFY_EVERY = 10


class KillLoop(Federation):
    def killed(self, chapter):
        """SIGKILL, as a power button or the kernel's memory killer does it."""
        chapter.daemon.send_signal(signal.SIGKILL)
        chapter.daemon.wait()
        chapter.log.close()

    def check_there(self, control, log, when):
        """Each one by itself, with the words that were acknowledged."""
        for id, title in log.items():
            shown = control("record.show", id=id)
            self.assertEqual(shown["fields"]["title"]["en"], title, f"{id}, {when}")

    def test_what_was_acknowledged_survives(self):
        chance = seeded("kill_loop")
        world = self.world()
        world.start()
        kenya = self.kenya_below(world)
        acknowledged, kills = {}, 0
        while kills < KILLS:
            victims = chance.choice([[kenya], [kenya], [kenya], [world], [kenya, world]])
            writers = {
                chapter: Writers(chapter.folder, count, f"{chapter.folder.name}{kills}", 0.003,
                                 chance)  # fmt: skip
                for chapter, count in ((kenya, 4), (world, 1))
            }
            time.sleep(chance.random() * seconds(0.4))  # the moment is part of the draw
            for victim in victims:
                self.killed(victim)
                kills += 1
            logs = {chapter: each.stop() for chapter, each in writers.items()}
            for victim in victims:
                victim.start()
                with Control(victim.folder) as control:
                    self.check_there(control, logs[victim], f"after kill {kills}")
                    if kills % VERIFY_EVERY == 0:
                        self.assertTrue(control("verify")["ok"], f"verify after kill {kills}")
            for log in logs.values():
                acknowledged |= log
        self.check_end(world, kenya, acknowledged, kills)

    def check_end(self, world, kenya, acknowledged, kills):
        kenya.good("sync", "now", "--until-done")
        with Control(world.folder) as above, Control(kenya.folder) as below:

            def agree():
                held = everything(above)
                return held if held == everything(below) else None

            held = wait_until("both hold the same", agree, within=60)
            lost = {id: title for id, title in acknowledged.items() if held.get(id) != title}
            self.assertEqual(lost, {})
            for control in (above, below):
                self.assertTrue(control("verify")["ok"])
        figures = {"kills": kills, "acknowledged": len(acknowledged), "lost": len(lost)}
        print(json.dumps({"kills_real": figures}))
        for chapter in (world, kenya):
            self.assertEqual(chapter.stop(), 0)


if __name__ == "__main__":
    main()
