# Real processes for the end-to-end tests: folders, free ports, daemons that are stopped by their pid.
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

BINARY = os.environ["CHAPTERD"]
SOURCE = Path(__file__).resolve().parents[2]
# Sanitized builds are many times slower.
PATIENCE = float(os.environ.get("CHAPTERD_TEST_PATIENCE", "1"))
SANITIZED = os.environ.get("CHAPTERD_SANITIZED") == "1"


def seconds(some):
    return some * PATIENCE


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, within=30):
    """Returns the first true answer of the condition; fails when the deadline passes."""
    deadline = time.monotonic() + seconds(within)
    pause = 0.01
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds(within):.0f} s: {what}")
        time.sleep(pause)  # between two looks at the condition
        pause = min(pause * 2, 0.2)


class Chapter:
    """One data folder, the commands on it, and its daemon."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.daemon = None
        self.log = None

    def run(self, *words, stdin=None, environment=None, cwd=None):
        env = {name: value for name, value in os.environ.items() if not name.startswith("CHAPTERD_")}
        env.update({"HOME": str(self.folder.parent), "LANG": "C.UTF-8"}, **(environment or {}))
        return subprocess.run(
            [BINARY, "--data", self.folder, *words],
            input=stdin,
            capture_output=True,
            timeout=seconds(120),
            env=env,
            cwd=cwd or self.folder.parent,
        )

    def good(self, *words, **more):
        """The command must end with 0; what it wrote to stdout, as text."""
        done = self.run(*words, **more)
        if done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stderr.decode()}")
        return done.stdout.decode().strip()

    def json(self, *words, **more):
        return json.loads(self.good("--json", *words, **more))

    def start(self, environment=None):
        self.log = open(str(self.folder) + ".log", "ab")
        self.daemon = subprocess.Popen(
            [BINARY, "--data", self.folder, "run"],
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, "HOME": str(self.folder.parent), **(environment or {})},
        )
        wait_until(f"the daemon of {self.folder.name} answers", self.answers)

    def answers(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended: {self.log_text()}")
        return (self.folder / "control.sock").exists() and self.json("status")["daemon"]

    def log_text(self):
        return Path(str(self.folder) + ".log").read_text(errors="replace")[-4000:]

    def stop(self):
        """Asks the daemon to end and returns its exit code."""
        if self.daemon is None:
            return None
        if self.daemon.poll() is None:
            self.daemon.terminate()
        try:
            code = self.daemon.wait(timeout=seconds(20))
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            code = "killed"
        self.daemon = None
        self.log.close()
        return code


class Federation(unittest.TestCase):
    """A temporary folder and the chapters in it; every daemon is stopped, whatever happens."""

    def setUp(self):
        # Short: the path of a socket has at most 107 bytes.
        self.place = Path(tempfile.mkdtemp(prefix="ch-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def chapter(self, name):
        made = Chapter(self.place / name)
        self.addCleanup(made.stop)
        return made

    def world(self):
        world = self.chapter("world")
        address = f"127.0.0.1:{free_port()}"
        world.good("init", "--federation", "Learning Collaborative", "--listen", address)
        return world

    def kenya_below(self, world):
        """World runs; Kenya has joined and runs too."""
        kenya = self.chapter("kenya")
        invite = world.good("invite", "create", "KE", "--name", "Kenya")
        kenya.good("join", "-", stdin=invite.encode())
        kenya.start()
        kenya.good("sync", "now", "--until-done")
        return kenya


INSIGHT = [
    "--title", "Boats kept vaccines moving",
    "--what-happened", "The road to the islands was cut for nine days.",
    "--what-was-learned", "Fishing boats keep the cold chain.",
    "--places", "KE", "--period", "2026-03", "--themes", "immunisation",
    "--confidence", "moderate", "--attribution-consent", "anonymous", "--publish-to", "all",
]  # fmt: skip
