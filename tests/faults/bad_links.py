# Links as the field has them: 20 kbit/s, 700 ms away, cut every few seconds; and half-open ones, on
# which nobody says that the other end is gone.
import asyncio
import json
import threading

from faults import (
    Control, Federation, Writers, add_theme, everything, free_port, main, seeded, wait_until,
)  # fmt: skip


class Link(threading.Thread):
    """A proxy before the parent. What it does may change at any time."""

    def __init__(self, to_port, chance):
        super().__init__(daemon=True)
        self.port, self.to_port, self.chance = free_port(), to_port, chance
        self.bytes_a_second, self.delay_s, self.cut_after_s = None, 0.0, None
        self.silent = False  # half-open: takes everything, passes on nothing, closes nothing
        self.connections, self.cuts = 0, 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.start()
        self.ready.wait()

    def run(self):
        self.loop.run_until_complete(self.serve())

    async def serve(self):
        self.done = asyncio.Event()
        server = await asyncio.start_server(self.connected, "127.0.0.1", self.port)
        self.ready.set()
        await self.done.wait()
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def close(self):
        self.loop.call_soon_threadsafe(self.done.set)
        self.join()

    async def connected(self, reader, writer):
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.close()
            return
        ways = [self.pass_on(reader, far_writer), self.pass_on(far_reader, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        life = self.cut_after_s and self.cut_after_s * (0.5 + self.chance.random())
        _, pending = await asyncio.wait(tasks, timeout=life, return_when=asyncio.FIRST_COMPLETED)
        self.cuts += len(pending) == 2
        for task in tasks:
            task.cancel()
        for each in (writer, far_writer):
            each.transport.abort()

    async def pass_on(self, reader, writer):
        """In slices that arrive late, and no faster than the line."""
        line, free_at = asyncio.get_running_loop(), 0.0
        try:
            while part := await reader.read(1400):
                while self.silent:
                    await asyncio.sleep(3600)
                if self.bytes_a_second:
                    free_at = max(free_at, line.time()) + len(part) / self.bytes_a_second
                    await asyncio.sleep(free_at - line.time())
                line.call_later(self.delay_s, self.deliver, writer, part)
            await asyncio.sleep(self.delay_s)
        except OSError:
            return

    def deliver(self, writer, part):
        if not writer.transport.is_closing():
            writer.write(part)


class BadLinks(Federation):
    def setUp(self):
        super().setUp()
        self.chance = seeded("bad_links")
        self.world_ = self.world()
        self.world_.start()
        listens = self.world_.json("config", "show")
        port = int(json.dumps(listens).partition("127.0.0.1:")[2].partition('"')[0])
        self.link = Link(port, self.chance)
        self.addCleanup(self.link.close)
        self.kenya = self.chapter("kenya")
        invite = self.world_.good("invite", "create", "KE", "--name", "Kenya")
        self.kenya.good("join", "-", stdin=invite.encode())
        for chapter in (self.world_, self.kenya):
            self.settings(chapter)
        self.assertEqual(self.world_.stop(), 0)
        self.world_.start()

    def settings(self, chapter):
        """Calls through the link; finds a silent peer within seconds instead of 45."""
        file = chapter.folder / "chapterd.toml"
        lines = file.read_text() if file.exists() else "[sync]\n"
        lines = lines.replace("[sync]\n", "[sync]\nretry_min_s = 1\nretry_max_s = 2\nping_s = 2\n"
                              "dead_s = 6\n")  # fmt: skip
        if chapter is self.kenya:
            lines = "\n".join(x for x in lines.splitlines() if not x.startswith("parent"))
            lines += f'\nparent = ["127.0.0.1:{self.link.port}"]\n'
        file.write_text(lines)
        file.chmod(0o600)
        chapter.good("config", "check")

    def check_all_arrived(self, within):
        with Control(self.world_.folder) as above, Control(self.kenya.folder) as below:
            wait_until("both hold the same", lambda: everything(above) == everything(below),
                       within)  # fmt: skip
            for control in (above, below):
                self.assertTrue(control("verify")["ok"])
            return everything(above)

    def test_a_slow_far_line_that_is_cut_again_and_again_brings_everything(self):
        self.link.bytes_a_second, self.link.delay_s, self.link.cut_after_s = 2500, 0.35, 7
        self.kenya.start()
        writers = Writers(self.kenya.folder, 2, "k", 0.02, self.chance)
        with Control(self.world_.folder) as above:
            for number in range(30):
                add_theme(above, f"w{number}", f"World {number}", self.chance.randbytes(400).hex())
        wait_until("enough is written", lambda: writers.acknowledged() >= 200)
        acknowledged = writers.stop()
        wait_until("it was cut", lambda: self.link.cuts >= 3, within=120)
        held = self.check_all_arrived(within=150)
        self.assertEqual({i: t for i, t in acknowledged.items() if held.get(i) != t}, {})
        print(json.dumps({"connections": self.link.connections, "cuts": self.link.cuts}))

    def states(self, chapter):
        return [peer["state"] for peer in chapter.json("peers", "list")["peers"]]

    def test_a_half_open_line_is_found_at_both_ends_and_called_anew(self):
        self.kenya.start()
        wait_until("both are connected", lambda: self.states(self.world_) == ["connected"])
        self.link.silent = True
        with Control(self.kenya.folder) as below, Control(self.world_.folder) as above:
            below_id = add_theme(below, "k", "Into the void")
            add_theme(above, "w", "Into the void too")
            for chapter in (self.world_, self.kenya):
                wait_until("it is found", lambda c=chapter: self.states(c) != ["connected"])
            self.assertNotIn(below_id, everything(above))
        before = self.link.connections
        self.link.silent = False
        self.check_all_arrived(within=60)
        self.assertGreater(self.link.connections, before - 1)


if __name__ == "__main__":
    main()
