#!/usr/bin/env python3
"""Checks our C++ for what no compiler checks. Prints file:line for each finding, exits 1 on any.

tidy.py              every .h and .cpp of the project
tidy.py --self-test  shows each rule failing once on a snippet
"""

import re
import sys
from pathlib import Path

FOLDERS = ["base", "crypto", "config", "replication", "domain", "daemon", "tests", "bench"]
CORE = ("base/", "crypto/", "config/", "replication/", "domain/")

LINE_COLUMNS = 100
FUNCTION_LINES = 70
FILE_LINES = 400
LONG_FILE_LINES = 600  # with "Long because:" in the head comment

# Spelled in two parts, so that a search for them finds no rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
PRINTING = re.compile(r"\bstd::(cout|cerr|clog)\b|\bprintf\s*\(|\bputs\s*\(")
OUTSIDE_WORLD = re.compile(
    r"(system|steady|high_resolution)_clock::now|\brandom_device\b|\bstd::j?thread\b|boost/asio"
    r"|\bstd::s?rand\b|\bstd::time\s*\(|<thread>"
)

# Statements with co_await that were checked by hand: (file, part of the statement).
CO_AWAIT_ALLOWED: list[tuple[str, str]] = []

NOT_CODE = re.compile(
    r'R"(?P<mark>[^()\\\s]*)\((?:.|\n)*?\)(?P=mark)"'  # raw string
    r"|//[^\n]*|/\*(?:.|\n)*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'"  # a character, not the ' of 1'000
)
INCLUDE_OR_MACRO = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
SCOPE = re.compile(
    r"(template\b.*>\s*)?(inline\s+)?(namespace|class|struct|union|enum|extern)\b", re.DOTALL
)
# The brace of a block, as clang-format writes it; what is left is an initialiser.
BLOCK = re.compile(r"(\)( const| noexcept| override| final)*( -> [^{;=]+)?|\belse|\bdo|\btry) \{")
BINDING = re.compile(r"\bauto[&]{0,2} \[[^\]]*\]")


def keep_newlines(match):
    return "\n" * match.group().count("\n")


def code_of(text):
    """The text without comments and without what stands in quotes, line for line."""

    def blank(match):
        return ('""' if match.group()[0] in "\"R'" else "") + keep_newlines(match)

    return NOT_CODE.sub(blank, text)


def functions(code):
    """(first line, last line) of every function: a brace after (…) that is not inside another."""
    scopes, line, statement, start = [], 1, "", None
    for at, char in enumerate(code):
        inside_function = scopes and scopes[-1] != "scope"
        if char == "{":
            if inside_function:
                kind = "inner"
            elif SCOPE.match(statement.strip()):
                kind, statement = "scope", ""
            else:
                kind = "function" if "(" in statement else "initialiser"
            scopes.append((kind, start or line) if kind in ("function", "initialiser") else kind)
        elif char == "}":
            closed = scopes.pop() if scopes else "scope"
            if closed == "inner":
                continue
            if closed != "scope":
                if re.match(r"\s*[,{]", code[at + 1 : at + 200]):
                    continue  # member initialisers: the body comes yet
                if closed[0] == "function":
                    yield closed[1], line
            statement, start = "", None
        elif not inside_function:
            access = char == ":" and re.search(r"\b(public|private|protected)$", statement)
            if char == ";" or access:
                statement, start = "", None
            else:
                if start is None and not char.isspace():
                    start = line
                statement += char
        if char == "\n":
            line += 1


def awaiting_statements(code):
    """(line, statement) of every statement that contains co_await."""
    lines = code.split("\n")
    for number, text in enumerate(lines):
        if not re.search(r"\bco_await\b", text):
            continue
        first, last = number, number
        while first > 0 and not re.search(r"[;{}:]\s*$|^\s*$", lines[first - 1]):
            first -= 1
        while last + 1 < len(lines) and not re.search(r"(;|\) \{|\})\s*$", lines[last]):
            last += 1
        yield number + 1, " ".join(part.strip() for part in lines[first : last + 1])


def check_shape(path, text, lines):
    if not lines or not lines[0].startswith("// "):
        yield 1, "the first line does not say in a // comment what lives here"
    if path.endswith(".h") and "#pragma once" not in lines:
        yield 1, "a header without #pragma once"
    most = LONG_FILE_LINES if any("Long because:" in line for line in lines[:10]) else FILE_LINES
    if len(lines) > most:
        yield len(lines), f"{len(lines)} lines; a file has at most {most}"
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS:
            yield number, f"{len(line)} columns; a line has at most {LINE_COLUMNS}"
        if found := UNFINISHED.search(line):
            yield number, f"{found.group()}: finish it, or write // Limit: with the consequence"


def check_functions(code):
    for first, last in functions(INCLUDE_OR_MACRO.sub(keep_newlines, code)):
        if last - first + 1 > FUNCTION_LINES:
            yield first, f"a function of {last - first + 1} lines; at most {FUNCTION_LINES}"


def check_core(code):
    for number, line in enumerate(code.split("\n"), 1):
        if PRINTING.search(line):
            yield number, "the core prints nothing: return it"
        if found := OUTSIDE_WORLD.search(line):
            yield number, f"{found.group()}: time, chance, threads and sockets are handed in"


def check_awaits(path, code):
    for number, statement in awaiting_statements(code):
        rest = BINDING.sub("", BLOCK.sub("", statement))
        if not re.search(r"[?{\[]", rest):
            continue
        if any(path == file and part in statement for file, part in CO_AWAIT_ALLOWED):
            continue
        yield number, "co_await beside ?, { or [: GCC 12 destroys temporaries twice; name it above"


def check(path, text):
    """All findings of one file, as (line, sentence)."""
    code = code_of(text)
    found = list(check_shape(path, text, text.splitlines()))
    found += check_functions(code)
    if path.startswith(CORE):
        found += check_core(code)
    if path.startswith("daemon/"):
        found += check_awaits(path, code)
    return sorted(found)


HEAD = "// Snippet.\n#pragma once\n"
LONG_BODY = "  f();\n" * 70

# (path, text, what the findings must contain; nothing means clean)
SNIPPETS = [
    ("base/a.h", HEAD, []),
    ("base/a.h", HEAD + "// " + "x" * 98 + "\n", ["3: 101 columns"]),
    ("base/a.h", "#pragma once\n", ["1: the first line"]),
    ("base/a.h", "// Snippet.\n", ["1: a header without"]),
    ("base/a.cpp", "// Snippet.\n// TO" + "DO later\n", ["2: TO" + "DO"]),
    ("base/a.cpp", "// Snippet.\n" * 401, ["401: 401 lines"]),
    ("base/a.cpp", "// Long because: a table.\n" * 600, []),
    ("base/a.cpp", "// Long because: a table.\n" * 601, ["601: 601 lines"]),
    ("base/a.cpp", "// S.\nvoid f() {\n" + LONG_BODY[7:] + "}\n", ["2: a function of 71"]),
    ("base/a.cpp", "// S.\nvoid f() {\n" + LONG_BODY[14:] + "}\n", []),
    (
        "base/a.cpp",
        "// S.\nnamespace n {\nclass A {\n public:\n  void f() {\n" + LONG_BODY + "}\n};\n}\n",
        ["5: a function of 72"],
    ),
    (
        "base/a.cpp",
        "// S.\nA::A(int a)\n    : a_{a},\n      b_{1} {\n" + LONG_BODY + "}\n",
        ["2: a function of 74"],
    ),
    (
        "base/a.cpp",
        "// S.\nTEST(A, B) {\n  const char c = '{';\n  int i = 1'000;\n" + LONG_BODY + "}\n",
        ["2: a function of 74"],
    ),
    ("base/a.cpp", "// S.\nvoid f() {}\nconst A table{\n" + "  {1},\n" * 90 + "};\nvoid g() {}\n", []),
    ("base/a.cpp", '// S.\nconst char* s = R"(\n' + "{(\n" * 90 + ')";\nvoid g() {}\n', []),
    ("base/a.cpp", "// S.\nvoid f() { std::cout << 1; }\n", ["2: the core prints"]),
    ("domain/a.cpp", '// S.\nvoid f() { printf("x"); }\n', ["2: the core prints"]),
    ("base/a.cpp", '// S.\nvoid f() { std::snprintf(b, n, "printf("); }  // std::cout\n', []),
    ("daemon/a.cpp", "// S.\nvoid f() { std::cout << 1; }\n", []),
    ("crypto/a.cpp", "// S.\nauto t = std::chrono::system_clock::now();\n", ["2: system_clock::now"]),
    ("crypto/a.cpp", "// S.\nauto t = std::chrono::steady_clock::now();\n", ["2: steady_clock::now"]),
    ("crypto/a.cpp", "// S.\nstd::random_device chance;\n", ["2: random_device"]),
    ("config/a.cpp", "// S.\nstd::thread t;\n", ["2: std::thread"]),
    ("replication/store/a.cpp", "// S.\n#include <boost/asio/post.hpp>\n", ["2: boost/asio"]),
    ("daemon/net/a.cpp", "// S.\nauto t = std::chrono::steady_clock::now();\n", []),
    ("daemon/a.cpp", "// S.\n  co_await f(a ? b : c);\n", ["2: co_await beside"]),
    ("daemon/a.cpp", "// S.\n  co_await f({.a = 1});\n", ["2: co_await beside"]),
    ("daemon/a.cpp", "// S.\n  co_await f([a] { g(); });\n", ["2: co_await beside"]),
    ("daemon/a.cpp", "// S.\n  co_await f(a,\n      Opt{1});\n", ["2: co_await beside"]),
    ("daemon/a.cpp", "// S.\n  f(a ? b : c,\n    co_await g());\n", ["3: co_await beside"]),
    ("daemon/a.cpp", "// S.\n  if (!co_await f(a)) {\n    g(b ? 1 : 2);\n  }\n", []),
    ("daemon/a.cpp", "// S.\n  const auto [error, count] = co_await f(a);  // why?\n", []),
    ("daemon/a.cpp", '// S.\n  co_await f("?{[");\n  g(Opt{1});\n', []),
]


def self_test():
    wrong = 0
    for path, text, expected in SNIPPETS:
        found = [f"{number}: {sentence}" for number, sentence in check(path, text)]
        if len(found) != len(expected) or not all(f.startswith(e) for f, e in zip(found, expected)):
            print(f"for {text[:200]!r} in {path}\n  expected {expected}\n  found    {found}")
            wrong += 1
    print(f"{len(SNIPPETS)} snippets, {wrong} judged wrongly")
    return wrong == 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = Path(__file__).resolve().parents[2]
    files = sorted(f for d in FOLDERS for f in (root / d).rglob("*") if f.suffix in (".h", ".cpp"))
    findings = 0
    for file in files:
        path = file.relative_to(root).as_posix()
        for number, sentence in check(path, file.read_text(encoding="utf-8")):
            print(f"{path}:{number}: {sentence}")
            findings += 1
    print(f"{len(files)} files, {findings} findings")
    return findings == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
