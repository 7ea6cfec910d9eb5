# A disk that fails under the daemon: it confirms nothing more, ends by itself and says why, and
# after the next start everything that it had confirmed is there.


from faults import (
    Control, Federation, Writers, everything, faultily, main, needs, seconds, seeded, wait_until,
)  # fmt: skip

# What a call answers from the n-th time on in each thread.
INJECTIONS = [
    "fdatasync:error=EIO:when={n}+",
    "fsync,fdatasync:error=EIO:when={n}",
    "pwrite64:error=EIO:when={n}+",
    "pwrite64:error=EIO:when={n}",
    "pread64:error=EIO:when={n}+",
]


class IoErrors(Federation):
    def one(self, chapter, injection):
        """Load, then the fault; returns what was acknowledged until the daemon was gone."""
        writers = Writers(chapter.folder, 4, injection[:8])
        wait_until("some are saved", lambda: writers.acknowledged() > 20)
        with faultily(chapter.daemon, injection) as strace:
            code = chapter.daemon.wait(timeout=seconds(60))
        acknowledged = writers.stop()
        self.assertTrue(strace.injected(), injection)
        # Of a page that cannot be read SQLite may say that it is damaged: 7.
        self.assertIn(code, (1, 7), f"{injection}: {chapter.log_text()}")
        ends = ("store.broken", "store.damaged")
        for refusal in writers.refusals:
            self.assertIn(
                refusal["code"], (*ends, "writer.broken", "writer.taken-back", "daemon.stopping")
            )
        self.assertTrue(any(end in chapter.log_text() for end in ends), injection)
        chapter.log.close()
        return acknowledged

    def test_a_failing_disk_ends_the_daemon_and_takes_nothing_confirmed(self):
        chance = seeded("io_errors")
        world = self.world()
        world.start()
        acknowledged = {}
        for injection in INJECTIONS:
            with self.subTest(injection=injection):
                acknowledged |= self.one(world, injection.format(n=chance.randrange(1, 12)))
                world.start()
                with Control(world.folder) as control:
                    held = everything(control)
                    lost = {i: t for i, t in acknowledged.items() if held.get(i) != t}
                    self.assertEqual(lost, {}, injection)
                    self.assertTrue(control("verify")["ok"], injection)


if __name__ == "__main__":
    needs("strace")
    main()
