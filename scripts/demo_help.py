#!/usr/bin/env python3
# What scripts/demo needs beside the program: free ports, the units of a table, and the final check.
"""demo_help.py ports N | units CSV | check BINARY FOLDER ROUND EMAIL"""

import base64
import csv
import json
import socket
import subprocess
import sys
from pathlib import Path

# Folder of each chapter → (code, folder of the chapter above).
TREE = {
    "global": ("GLOBAL", None),
    "kenya": ("KE", "global"),
    "tanzania": ("TZ", "global"),
    "kisumu": ("KE-17", "kenya"),
    "dodoma": ("TZ-03", "tanzania"),
}
FOLDER_OF = {code: folder for folder, (code, _) in TREE.items()}
EMAIL_HOME = "kisumu"


def ports(count):
    """All are held at once, so that no two are the same."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return found


def units(path):
    """The code of every area of the table, or its name where it has none."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return sorted({row["area"] if row["iso2"] == "??" else row["iso2"] for row in rows})


def ancestors(folder):
    """The chapters above, nearest first."""
    above = TREE[folder][1]
    return [] if above is None else [above, *ancestors(above)]


def holders(home, audience, target):
    """The folders whose nodes must hold a space, and nobody else may."""
    line = {home, *ancestors(home)}
    below = {folder for folder in TREE if home in ancestors(folder)}
    if audience == "to":
        other = {target, *ancestors(target)}
        if home in ancestors(target) or target in ancestors(home):
            return line ^ other | {home, target}
        meeting = next(above for above in ancestors(home) if above in other)
        return line ^ other | {meeting}
    return {
        "all": set(TREE),
        "auth": set(TREE),
        "chapter": {home},
        "up": line,
        "down": {home} | below,
    }[audience]


class Check:
    def __init__(self, binary, place):
        self.binary, self.place, self.faults = binary, Path(place), 0

    def say(self, good, words):
        self.faults += not good
        print(("  ok     " if good else "  WRONG  ") + words)

    def ask(self, folder, *words):
        command = [self.binary, "--data", str(self.place / folder), "--json", *words]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        if done.returncode != 0:
            raise SystemExit(f"  WRONG  {' '.join(words)} at {folder}: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def views(self):
        """Every space: held by all who should, with one hash, and by nobody else."""
        spaces = {}
        for folder in TREE:
            for space in self.ask(folder, "views")["spaces"]:
                if space["records"] > 0:
                    key = (space["home"], space["audience"], space["target"])
                    spaces.setdefault(key, {})[folder] = space["hash"]
        shared = 0
        for (home, audience, target), held in sorted(spaces.items(), key=str):
            name = f"{audience} of {home}" + (f" to {target}" if target else "")
            expected = holders(FOLDER_OF[home], audience, FOLDER_OF.get(target))
            if set(held) - expected:
                self.say(False, f"{name} is held by {sorted(set(held) - expected)}, who may not")
            if expected - set(held):
                self.say(False, f"{name} is missing at {sorted(expected - set(held))}")
            if len(set(held.values())) > 1:
                self.say(False, f"{name} differs: {held}")
            shared += len(held) > 1
        private = sum(audience == "chapter" for _, audience, _ in spaces)
        if self.faults == 0:
            self.say(True, f"{shared} shared spaces: equal by hash wherever they may be held")
            self.say(True, f"{private} chapter spaces: each on its own node only")

    def email(self, address):
        """No file of another node holds it, in any form that a search would miss."""
        record = self.ask(EMAIL_HOME, "member", "list")["rows"][0]
        shown = self.ask(EMAIL_HOME, "member", "show", record["id"])
        self.say(shown["fields"].get("email") == address, f"{EMAIL_HOME} itself knows {address}")
        forms = forms_of(address)
        searched, found = 0, []
        for folder in TREE:
            if folder == EMAIL_HOME:
                continue
            files = [path for path in (self.place / folder).rglob("*") if path.is_file()]
            files.append(self.place / f"{folder}.log")
            for path in files:
                content = path.read_bytes().lower()
                searched += 1
                found += [f"{path} ({form})" for form, seen in forms if seen in content]
        self.say(not found, f"{address} is in none of {searched} files of the other nodes"
                 if not found else f"{address} is in {found}")  # fmt: skip

    def figures(self, round_id):
        tables = {}
        for folder in TREE:
            shown = self.ask(folder, "rollup", "show", round_id, "--chapter", "GLOBAL")
            tables[folder] = json.dumps(shown, sort_keys=True)
        first = json.loads(tables["global"])
        self.say(len(set(tables.values())) == 1, "published figures are equal on all five nodes")
        self.say(first["published"], "the figures are published")
        self.say(
            (first["units"], first["expected"]) == (82, 82),
            f"units reporting / expected: {first['units']}/{first['expected']}",
        )
        short = [i["code"] for i in first["indicators"] if sums_wrongly(i, first["units"])]
        self.say(not short, "of each indicator, levels + N/A + missing are all units"
                 if not short else f"counts do not add up: {short}")  # fmt: skip

    def refused(self):
        told = (self.place / "refused.txt").read_text(encoding="utf-8").strip()
        self.say("line 3529" in told, f"the score off the scale was refused: {told or 'not told'}")

    def daemons(self):
        for folder in TREE:
            answer = self.ask(folder, "verify")
            if not answer["ok"]:
                self.say(False, f"verify at {folder}: {answer['faults']}")
        self.say(True, "every piece on all five nodes was hashed and checked once more")


def sums_wrongly(indicator, reporting):
    counted = sum(level["count"] for level in indicator["levels"])
    whole = counted + indicator["not_applicable"] + indicator["missing"]
    return counted != indicator["n"] or whole != reporting


def forms_of(address):
    """(name, lower-case bytes): raw, hex, base64 at each offset, UTF-16, percent-encoded."""
    raw = address.encode()
    forms = [("raw", raw), ("hex", raw.hex().encode())]
    forms += [("utf-16-le", address.encode("utf-16-le")), ("utf-16-be", address.encode("utf-16-be"))]
    forms.append(("percent", address.replace("@", "%40").encode()))
    for offset in range(3):
        # Characters that also depend on what stands before or behind are left out.
        coded = base64.b64encode(b"\0" * offset + raw)
        inner = coded[(0, 2, 3)[offset] : (len(raw) + offset) * 8 // 6]
        forms.append((f"base64+{offset}", inner))
    for offset in range(5):
        coded = base64.b32encode(b"\0" * offset + raw)
        inner = coded[-(-offset * 8 // 5) : (len(raw) + offset) * 8 // 5]
        forms.append((f"base32+{offset}", inner))
    return [(name, form.lower()) for name, form in forms]


def check(binary, place, round_id, address):
    checks = Check(binary, place)
    checks.views()
    checks.email(address)
    checks.figures(round_id)
    checks.refused()
    checks.daemons()
    return 0 if checks.faults == 0 else 1


def main(words):
    if words[:1] == ["ports"] and len(words) == 2:
        print(*ports(int(words[1])))
        return 0
    if words[:1] == ["units"] and len(words) == 2:
        print(*units(words[1]), sep="\n")
        return 0
    if words[:1] == ["check"] and len(words) == 5:
        return check(*words[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
