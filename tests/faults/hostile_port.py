# Strangers at the sync port: slow ones, many of them, ones that send garbage or huge lengths, before
# and after the handshake. The daemon stays small, writes little about it, and its own child gets in.
import json
import os
import resource
import socket
import ssl
import struct
import subprocess
import threading
from pathlib import Path

from faults import (
    SANITIZED, Control, Federation, add_theme, everything, main, needs, seconds, seeded, wait_until,
)  # fmt: skip

FLOOD = int(os.environ.get("CHAPTERD_FLOOD", "2000"))
HELLOS = int(os.environ.get("CHAPTERD_HELLOS", "300"))
LORIS = int(os.environ.get("CHAPTERD_LORIS", "1000"))
MIB = 1024 * 1024


class Daemon:
    """What the kernel says of a process."""

    def __init__(self, process):
        self.at = Path(f"/proc/{process.pid}")

    def memory(self):
        lines = (self.at / "status").read_text().splitlines()
        return int(next(x for x in lines if x.startswith("VmRSS")).split()[1]) * 1024

    def descriptors(self):
        return len(list((self.at / "fd").iterdir()))


class HostilePort(Federation):
    def setUp(self):
        super().setUp()
        self.chance = seeded("hostile_port")
        self.world_ = self.world()
        self.world_.start()
        listens = json.dumps(self.world_.json("config", "show"))
        self.port = int(listens.partition("127.0.0.1:")[2].partition('"')[0])
        self.kenya = self.kenya_below(self.world_)
        self.certificate()
        self.sockets = []
        self.keepers, self.end_attack = [], lambda: None
        self.addCleanup(self.close_all)

    def certificate(self):
        """A key of the right kind that nobody knows."""
        self.key, self.der = self.place / "key.pem", self.place / "certificate.pem"
        words = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=stranger",
                 "-days", "99", "-keyout", self.key, "-out", self.der]  # fmt: skip
        subprocess.run(words, check=True, capture_output=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.set_alpn_protocols(["chapterd/1"])
        self.tls.load_cert_chain(self.der, self.key)

    def close_all(self):
        for each in self.sockets:
            each.close()

    def call(self, tls=False):
        """A connection from one of many addresses of this machine; None when there is no room."""
        source = (f"127.0.{self.chance.randrange(1, 200)}.{self.chance.randrange(1, 250)}", 0)
        try:
            made = socket.create_connection(("127.0.0.1", self.port), seconds(3), source)
            if tls:
                made = self.tls.wrap_socket(made, server_hostname="chapterd")
        except (OSError, ssl.SSLError):
            return None
        self.sockets.append(made)
        return made

    def send(self, sock, content):
        try:
            sock.sendall(content)
        except (OSError, ssl.SSLError):
            pass  # the daemon has hung up, as it may

    def honest_work_arrives(self, name):
        """In spite of all: a child that calls anew, and its work, without waiting its turn."""
        self.kenya.stop()
        self.kenya.start()
        with Control(self.kenya.folder) as below, Control(self.world_.folder) as above:
            made = add_theme(below, name, name)
            wait_until(f"work arrives: {name}", lambda: made in everything(above), within=10)

    def check_bounded(self, daemon, before, what):
        """Twice the 64 strangers, and what their handshakes may hold."""
        self.assertLess(daemon.descriptors(), before[1] + 130, what)
        if not SANITIZED:  # whose memory is another matter
            self.assertLess(daemon.memory(), before[0] + 64 * MIB, what)

    def slow(self):
        """Half a ClientHello, byte for byte; and handshakes that are followed by nothing."""
        hello = bytes.fromhex("16030100c8010000c40303")
        for number in range(80):
            if sock := self.call(tls=number % 4 == 0):
                self.send(sock, hello[: 1 + number % len(hello)] if number % 4 else b"")

    def garbage(self):
        for _ in range(40):
            if sock := self.call():
                self.send(sock, self.chance.randbytes(self.chance.randrange(1, 20000)))
        bodies = [
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\x01" + bytes(100),  # 2^64 - 1
            b"\x80\x80\x04\x01" + bytes(70000),  # a frame of the greatest length
            b"\x80\x80\x05\x01" + bytes(100),  # and one above it
            b"\x7f\x10" + self.chance.randbytes(127),  # JOIN with nonsense
            b"\x05\x01" + bytes(5),  # HELLO that is too short
            struct.pack(">I", 0xFFFFFFFF) * 100,
            self.chance.randbytes(60000),
        ]
        for number in range(35):
            if sock := self.call(tls=True):
                self.send(sock, bodies[number % len(bodies)])

    def hellos(self):
        """Strangers who know how a session begins, each with a HELLO that has no certificate in it."""
        body = b"\0\1\0\1" + bytes(32 + 8 + 1 + 16 + 3 + 5)
        for _ in range(HELLOS):
            if sock := self.call(tls=True):
                self.send(sock, bytes([len(body), 1]) + body)

    def flood(self):
        """Thousands that come and go, and some that stay until they are hung up on."""
        for number in range(FLOOD):
            sock = self.call()
            if sock and number % 2:
                sock.close()
                self.sockets.remove(sock)

    def slow_loris(self):
        """A thousand that say a little, byte for byte, and come back when they are sent away."""
        hello = bytes.fromhex("16030100c8010000c40303") + bytes(193)
        held = [[None, 0] for _ in range(LORIS)]
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * LORIS), hard))
        stop = threading.Event()

        def keep(mine):
            while not stop.is_set():
                for place in mine:
                    if stop.is_set():
                        return
                    try:
                        if place[0] is None:
                            place[:] = self.call(), 0
                        place[0].sendall(hello[place[1] : place[1] + 1] or b"x")
                        place[1] += 1
                    except (OSError, AttributeError):  # sent away, or no room
                        if place[0]:
                            place[0].close()
                        place[:] = None, 0

        self.keepers = [threading.Thread(target=keep, args=(held[i::4],)) for i in range(4)]
        for each in self.keepers:
            each.start()
        self.end_attack = stop.set
        wait_until("all places are held", lambda: sum(bool(each[0]) for each in held) > LORIS // 2,
                   within=60)  # fmt: skip

    def test_strangers_cost_little_and_keep_nobody_out(self):
        daemon = Daemon(self.world_.daemon)
        before = (daemon.memory(), daemon.descriptors())
        log = Path(str(self.world_.folder) + ".log")
        log_before = log.stat().st_size
        for attack in (self.slow, self.garbage, self.hellos, self.flood, self.slow_loris):
            with self.subTest(attack=attack.__name__):
                stop = threading.Event()
                worst = []

                def look(stop=stop, worst=worst):
                    while not stop.wait(0.05):
                        worst.append((daemon.memory(), daemon.descriptors()))

                watcher = threading.Thread(target=look)
                watcher.start()
                attack()
                self.honest_work_arrives(attack.__name__)
                self.end_attack()
                for each in self.keepers:
                    each.join()
                stop.set()
                watcher.join()
                self.check_bounded(daemon, before, attack.__name__)
                self.assertLess(max(each[1] for each in worst), before[1] + 130)
                self.close_all()
                self.sockets.clear()
        few = before[1] + 4
        wait_until("strangers are gone", lambda: daemon.descriptors() <= few, within=60)
        # Strangers write nothing, whatever they say; what there is tells of the child's calls.
        self.assertLess(log.stat().st_size - log_before, 20_000)
        figures = {"memory_mib": daemon.memory() // MIB, "before_mib": before[0] // MIB,
                   "log_bytes": log.stat().st_size - log_before}  # fmt: skip
        print(json.dumps(figures))
        self.assertEqual(self.world_.stop(), 0)


if __name__ == "__main__":
    needs("openssl")
    main()
