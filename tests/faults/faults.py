# What the fault tests share: programs that talk to the control socket, writers that keep a log of
# what was acknowledged, and reasons why this machine cannot run a test.
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import (
    BINARY, PATIENCE, SANITIZED, Chapter, Federation, free_port, seconds, wait_until,
)  # fmt: skip

__all__ = [
    "BINARY", "PATIENCE", "SANITIZED", "Chapter", "Control", "Federation", "Gone", "Refused",
    "Writers", "add_theme", "everything", "faultily", "free_port", "main", "name_space", "needs",
    "not_sanitized", "seconds", "seeded", "wait_until",
]  # fmt: skip

if SANITIZED:  # looking for leaks does not work under strace
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"

SKIPPED = 77  # what ctest counts as "not run here"; the reason is printed


def needs(*programs):
    """Ends the test as not run here when one of the programs is missing."""
    for program in programs:
        if shutil.which(program) is None:
            print(f"SKIPPED: there is no {program} on this machine; scripts/install installs it")
            sys.exit(SKIPPED)


def not_sanitized(why):
    if SANITIZED:
        print(f"SKIPPED: {why}")
        sys.exit(SKIPPED)


def name_space():
    """Goes on in a mount namespace of its own, where mounts concern nobody else."""
    if os.environ.get("CHAPTERD_NAME_SPACE"):
        return
    trial = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m trial /mnt && umount /mnt"]
    tried = subprocess.run(trial, capture_output=True, text=True)
    if tried.returncode != 0:
        print(f"SKIPPED: this user may not mount in a namespace of its own: {tried.stderr.strip()}")
        sys.exit(SKIPPED)
    os.environ["CHAPTERD_NAME_SPACE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--", sys.executable, *sys.argv])


def seeded(what):
    """Chance from CHAPTERD_SEED or a fresh seed, which is told."""
    seed = int(os.environ.get("CHAPTERD_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"{what}: repeat with CHAPTERD_SEED={seed}", flush=True)
    return random.Random(seed)


class Gone(Exception):
    """The daemon went away before it answered: whether it was done is not known."""


class Refused(Exception):
    """The daemon said no, in words."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['what']}")
        self.error = error
        self.code = error["code"]


class Control:
    """A connection to the control socket: frames of a 4-byte length and JSON."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds(60))
        try:
            self.socket.connect(str(Path(folder) / "control.sock"))
        except OSError as error:
            self.socket.close()
            raise Gone() from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self, size):
        parts = b""
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise Gone()
            parts += part
        return parts

    def __call__(self, verb, **args):
        body = json.dumps({"verb": verb, "args": args}).encode()
        try:
            self.socket.sendall(struct.pack(">I", len(body)) + body)
            answer = json.loads(self.take(struct.unpack(">I", self.take(4))[0]))
        except OSError as error:
            raise Gone() from error
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]


def add_theme(control, code, title, description=None):
    """The id of a theme that is saved."""
    fields = {"code": code, "title": {"en": title}}
    if description:
        fields["description"] = {"en": description}
    return control("record.add", kind="theme", fields=fields)["id"]


def everything(control, kind="theme"):
    """Title of every record of a kind, by id."""
    rows, after = {}, {}
    while True:
        page = control("record.list", kind=kind, limit=500, **after)
        rows |= {row["id"]: row["title"] for row in page["rows"]}
        if page["next"] is None:
            return rows
        after = {"after": page["next"]}


class Writers:
    """Threads that add themes, and note each one once it is acknowledged: outside of the node."""

    def __init__(self, folder, count, label, pause=0.002, chance=None):
        self.folder, self.label, self.pause = folder, label, pause
        self.log, self.refusals, self.surprises = {}, [], []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        chance = chance or random.Random(0)
        self.threads = [
            threading.Thread(target=self.work, args=(f"{label}-{i}", chance.randrange(1 << 32)))
            for i in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def work(self, name, seed):
        chance, number = random.Random(seed), 0
        try:
            with Control(self.folder) as control:
                while not self.stopping.is_set():
                    number += 1
                    title = f"{name}-{number}" + chance.choice(["", " " + "x" * 20, "y" * 150])
                    made = add_theme(control, f"{name}-{number}", title)
                    with self.lock:
                        self.log[made] = title
                    self.stopping.wait(chance.random() * 2 * self.pause)
        except Gone:
            pass
        except Refused as refused:
            with self.lock:
                self.refusals.append(refused.error)
        except Exception as error:  # told by stop(), in the thread of the test
            with self.lock:
                self.surprises.append(error)

    def acknowledged(self):
        with self.lock:
            return len(self.log)

    def alive(self):
        return [thread.is_alive() for thread in self.threads]

    def stop(self):
        """Ends the threads; what was acknowledged: id → title."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.surprises:
            raise self.surprises[0]
        return self.log


class faultily:
    """strace with injected errors on every thread of a running daemon, until it ends or we do."""

    def __init__(self, process, *injections):
        self.log = tempfile.NamedTemporaryFile(prefix="strace-")
        words = ["strace", "-f", "-qq", "-o", self.log.name, "-p", str(process.pid)]
        for injection in injections:
            words += ["-e", f"inject={injection}"]
        calls = ",".join(injection.split(":")[0] for injection in injections)
        self.tracer = subprocess.Popen([*words, "-e", f"trace={calls}"], stderr=subprocess.PIPE)
        wait_until("strace holds every thread", lambda: self.holds(process))

    def holds(self, process):
        has_ended = self.tracer.poll() is not None
        if process.poll() is not None:
            return True  # the first fault has ended it already, and strace with it
        if has_ended:
            raise AssertionError(f"strace ended: {self.tracer.stderr.read().decode()}")
        try:
            tasks = [each.read_text() for each in Path(f"/proc/{process.pid}/task").glob("*/status")]
        except FileNotFoundError:  # a thread that ended meanwhile
            return False
        return tasks and all("TracerPid:\t0\n" not in task for task in tasks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.tracer.poll() is None:
            self.tracer.send_signal(signal.SIGINT)  # lets the daemon go
        self.tracer.wait(timeout=seconds(20))
        self.tracer.stderr.close()

    def injected(self):
        return "(INJECTED)" in Path(self.log.name).read_text(errors="replace")


def main():
    began = time.monotonic()
    done = unittest.main(argv=sys.argv[:1] + (sys.argv[1:] or ["-v"]), exit=False)
    print(f"{time.monotonic() - began:.1f} s")
    sys.exit(0 if done.result.wasSuccessful() else 1)
