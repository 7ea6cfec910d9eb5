# The runbooks of docs/operations.md, followed as a person would: each command as it stands, with the
# answer and the exit code that the document promises.
import base64
import json
import os
import re
import subprocess
from dataclasses import dataclass, field

from harness import BINARY, SOURCE, Federation, seconds, wait_until

FENCE = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
ANSWER = "# → "
ENDS_WITH = re.compile(r"ends with (\d)$")
# Somebody who only looks looks again until it is so.
LOOKING = {"status", "doctor", "list", "show", "where", "report", "inspect", "check"}


@dataclass
class Step:
    """A command of a runbook, and what the document says of it."""

    command: str
    answers: list = field(default_factory=list)
    exit_code: int = 0

    def only_looks(self):
        return not LOOKING.isdisjoint(self.command.split())


def steps_of(block):
    steps = []
    for line in block.splitlines():
        if line.startswith(ANSWER):
            said = line[len(ANSWER):].strip()
            if code := ENDS_WITH.match(said):
                steps[-1].exit_code = int(code[1])
            else:
                steps[-1].answers.append(said)
        elif steps and steps[-1].command.endswith("\\"):
            steps[-1].command = steps[-1].command[:-1] + line.strip()
        elif line.strip() and not line.startswith("#"):
            steps.append(Step(line))
    return steps


def section(heading):
    text = (SOURCE / "docs" / "operations.md").read_text()
    return re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]


def in_one_line(text):
    return " ".join(text.split())


def says(output, answer):
    """Whether it stands there, wherever lines were broken; … stands for anything short."""
    words = [re.escape(part) for part in in_one_line(answer).split("…")]
    return re.search(".{0,200}?".join(words), output) is not None


class Runbook(Federation):
    """A test that follows one section after the other; `about` holds what support must not see."""

    def setUp(self):
        super().setUp()
        self.about = ["127.0.0.1", str(self.place), "Learning Collaborative"]
        self.said = {}  # of each command: all that it wrote

    def blocks(self, heading):
        """The section's blocks, each to be followed by next(); all must be, before done()."""
        return iter([steps_of(block) for block in FENCE.findall(section(heading))])

    def done(self, blocks):
        self.assertEqual(list(blocks), [], "the whole runbook is followed")

    def follow(self, steps, **environment):
        self.assertTrue(steps)
        for step in steps:
            self.take(step, environment)

    def run_step(self, step, environment):
        done = subprocess.run(
            ["bash", "-uc", step.command],
            cwd=self.place,
            env={
                **os.environ,
                "PATH": f"{os.path.dirname(BINARY)}:{os.environ['PATH']}",
                "HOME": str(self.place),
                "LANG": "C.UTF-8",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds(120),
        )
        return done.returncode, in_one_line(done.stdout.decode())

    def take(self, step, environment):
        told = [None, ""]

        def as_promised():
            told[:] = self.run_step(step, environment)
            return told[0] == step.exit_code and all(says(told[1], each) for each in step.answers)

        if step.only_looks():
            try:
                wait_until(step.command, as_promised)
            except AssertionError:
                pass
        else:
            as_promised()
        if os.environ.get("CHAPTERD_TELL"):
            print(f"$ {step.command}\n{told[1]}\n=> {told[0]}", flush=True)
        self.said[step.command] = told[1]
        self.assertEqual(told[0], step.exit_code, f"{step.command}\n{told[1]}")
        for answer in step.answers:
            self.assertTrue(says(told[1], answer), f"{step.command}\nsays not: {answer}\n{told[1]}")

    def endorsed(self, chapter, title="Boats kept vaccines moving"):
        """An insight for the chapters above; its id."""
        self.about.append(title)
        id = chapter.good(
            "-q", "insight", "add", "--title", title,
            "--what-happened", "The road to the islands was cut.",
            "--what-was-learned", "Fishing boats keep the cold chain.",
            "--places", "KE", "--period", "2026-03", "--themes", "immunisation",
            "--confidence", "moderate", "--attribution-consent", "anonymous", "--publish-to", "all",
        )  # fmt: skip
        chapter.good("insight", "submit", id)
        chapter.good("insight", "endorse", id)
        return id

    def member(self, chapter, name="Achieng Odhiambo", email="achieng@example.org"):
        self.about += [name, email]
        return chapter.good("-q", "member", "add", "--name", name, "--email", email)

    def shows(self, chapter, id):
        wait_until(f"{chapter.folder.name} shows it", lambda: chapter.run("where", id).returncode == 0)

    def findings(self, chapter):
        done = chapter.run("--json", "doctor")
        return [each["code"] for each in json.loads(done.stdout)["findings"]]

    def check_redacted(self, *chapters):
        """What support gets of each names nobody and nothing, whatever is wrong just now."""
        for number, chapter in enumerate(chapters):
            file = self.place / f"{chapter.folder.name}-{number}.support"
            chapter.good("doctor", "--bundle", file)
            text = file.read_text()
            file.unlink()
            secrets = list(self.about)
            for key in chapter.folder.glob("*.key"):
                raw = key.read_bytes()
                secrets += [raw.hex(), base64.b64encode(raw).decode()]
            for peer in chapter.json("peers", "list")["peers"]:
                secrets += [peer["fingerprint"], peer["address"], peer["name"]]
            for secret in secrets:
                self.assertNotIn(secret, text) if secret else None
