#!/usr/bin/env python3
"""What gcovr counted as a table, the worst first; fails when a top folder is below the goals.

    scripts/coverage_table.py SUMMARY.json LINES BRANCHES
"""
import json
import sys
from collections import defaultdict
from pathlib import PurePath

COUNTS = ("line_covered", "line_total", "branch_covered", "branch_total")


def percent(counts, what):
    total = counts[f"{what}_total"]
    return 100.0 if total == 0 else 100.0 * counts[f"{what}_covered"] / total


def row(name, counts):
    return (
        f"{name:<46}{percent(counts, 'line'):8.1f}{percent(counts, 'branch'):10.1f}"
        f"{counts['line_total'] - counts['line_covered']:9}"
        f"{counts['branch_total'] - counts['branch_covered']:9}"
    )


def worst_first(table):
    return sorted(table.items(), key=lambda each: percent(each[1], "branch"))


def main():
    summary, lines, branches = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    folders = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    tops = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    files = {}
    with open(summary, encoding="utf-8") as source:
        for file in json.load(source)["files"]:
            path = PurePath(file["filename"])
            files[str(path)] = file
            for name in COUNTS:
                folders[f"{path.parent}/"][name] += file[name]
                tops[f"{path.parts[0]}/ and below"][name] += file[name]
    heading = f"{'':<46}{'lines %':>8}{'branches %':>10}{'missed':>9}{'missed':>9}"
    for title, table in (("files", files), ("folders", folders), ("goals", tops)):
        print(f"\n{title}\n{heading}")
        for name, counts in worst_first(table):
            print(row(name, counts))
    below = [
        name
        for name, counts in tops.items()
        if percent(counts, "line") < lines or percent(counts, "branch") < branches
    ]
    if below or not files:
        print(f"coverage: below {lines:g} % of lines or {branches:g} % of branches: "
              f"{', '.join(below) or 'nothing was counted'}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
