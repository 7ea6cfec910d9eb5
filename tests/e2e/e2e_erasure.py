# A person is forgotten: real daemons on three levels, and every file of theirs searched.
import base64
import json
import os
import re
import subprocess
import unittest

from harness import BINARY, SOURCE, Federation, free_port, seconds, wait_until

NAME = "Wanjiku-Zawadi Kamau"
MAIL = "wanjiku.zawadi@example.org"
MEMBER = [
    "--name", NAME, "--country", "KE", "--email", MAIL, "--phone", "+254 700 112233",
    "--organisation", "Zawadi Clinic", "--notes", f"{NAME} prefers calls", "--show-on-card", "name",
    "--show-on-card", "organisation",
]  # fmt: skip


def forms(text):
    """As it is, in hexadecimal, in Base64 at any offset, in UTF-16 of either order."""
    raw = text.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for skip in range(3):
        whole = base64.b64encode(raw[skip:])
        yield whole[: len(raw[skip:]) * 8 // 6]
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")


def files_with(folder, text):
    searched = list(forms(text))
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and any(form in path.read_bytes() for form in searched):
            found.append(path.name)
    return found


class Erasure(Federation):
    def setUp(self):
        super().setUp()
        self.world_ = self.world()
        self.world_.start()
        self.kenya = self.joined("kenya", self.world_, "KE")
        self.kisumu = self.joined("kisumu", self.kenya, "KE-17")
        self.uganda = self.joined("uganda", self.world_, "UG")
        self.all = [self.world_, self.kenya, self.kisumu, self.uganda]

    def joined(self, name, parent, code):
        chapter = self.chapter(name)
        invite = parent.good("invite", "create", code, "--name", name.capitalize())
        address = f"127.0.0.1:{free_port()}"
        chapter.good("join", "-", "--listen", address, stdin=invite.encode())
        chapter.start()
        chapter.good("sync", "now", "--until-done")
        return chapter

    def a_member_with_a_card(self, chapter):
        id = chapter.good("-q", "member", "add", *MEMBER)
        chapter.good("member", "admit", id)
        chapter.good("member", "show-card", id)
        return id

    def title_at(self, chapter, id):
        done = chapter.run("--json", "member", "show", id)
        return done.stdout.decode() if done.returncode == 0 else ""

    def shows_everywhere(self, id):
        wait_until("the card is at every node", lambda: all(
            NAME in self.title_at(each, id) for each in self.all))

    def gone_everywhere(self, texts):
        for text in texts:
            wait_until(f"no file holds {text}", lambda text=text: not any(
                files_with(each.folder, text) for each in self.all))

    def test_the_runbook_as_written_takes_a_person_out_of_every_file_of_every_node(self):
        id = self.a_member_with_a_card(self.kenya)
        self.shows_everywhere(id)
        self.assertTrue(files_with(self.uganda.folder, NAME), "the search finds what is there")
        text = (SOURCE / "docs" / "operations.md").read_text()
        script = re.search(r"e2e_erasure.py runs this.*?```bash\n(.*?)```", text, re.DOTALL)[1]
        path = f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "HOME": str(self.place), "MEMBER": id}
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.place,
            env=env,
            capture_output=True,
            timeout=seconds(120),
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        told = (self.place / "about-the-person.json").read_text()
        for word in (NAME, MAIL, "Zawadi Clinic", "prefers calls"):
            self.assertIn(word, told)
        self.assertIn("This cannot be undone.", done.stdout.decode())
        self.gone_everywhere([NAME, MAIL, "700 112233", "Zawadi Clinic"])
        for each in self.all:
            self.assertEqual(self.title_at(each, id), "")
            self.assertTrue(each.json("verify")["ok"], each.folder.name)

        def proved():
            orders = self.kenya.json("erase", "report", id)["orders"]
            card = next(order for order in orders if order["audience"] == "all")
            return {node["chapter"]: node["proof"] for node in card["nodes"]}

        wait_until("Global's receipt comes home", lambda: proved()["GLOBAL"] == "receipt")
        wait_until("Kisumu's acknowledgement", lambda: proved()["KE-17"] == "acknowledged")
        self.assertEqual(proved()["KE"], "here")
        self.assertIsNone(proved()["UG"], "what nobody proved is not said")
        # No proof of Uganda can ever come to Kenya: that is in the report, and nobody's duty.
        self.assertNotIn("erase.unproved", self.findings())
        self.doctor_counts_what_is_not_proved()
        before = self.uganda.json("views")
        self.uganda.good("rebuild")
        self.assertEqual(self.uganda.json("views"), before)

    def findings(self):
        found = json.loads(self.kenya.run("--json", "doctor").stdout)["findings"]
        return {each["code"]: each for each in found}

    def doctor_counts_what_is_not_proved(self):
        id = self.a_member_with_a_card(self.kenya)
        self.shows_everywhere(id)
        self.kisumu.stop()
        self.kenya.good("erase", id, "--reason", "request", "--yes")
        told = self.findings()["erase.unproved"]
        self.assertIn("erase report", told["do"])
        self.assertIn("No proof comes here from: Uganda", self.kenya.good("erase", "report", id))
        self.kenya.good("doctor", "--bundle", self.place / "support")
        text = (self.place / "support").read_text()
        self.assertIn("erase.unproved", text)
        for secret in (id, "Kenya", "Uganda", NAME, str(self.place)):
            self.assertNotIn(secret, text)
        # Who ordered nothing has nothing to answer for.
        self.assertNotIn("erase.unproved", self.uganda.run("--json", "doctor").stdout.decode())
        self.kisumu.start()
        wait_until("it ends with the last proof", lambda: "erase.unproved" not in self.findings())

    def test_a_node_that_was_away_removes_its_copy_when_it_comes_back(self):
        id = self.a_member_with_a_card(self.kenya)
        self.shows_everywhere(id)
        self.uganda.stop()
        self.kenya.good("erase", id, "--yes")
        wait_until("Global has none", lambda: not files_with(self.world_.folder, NAME))
        self.assertTrue(files_with(self.uganda.folder, NAME))
        self.uganda.start()
        self.gone_everywhere([NAME])

    def test_one_field_goes_and_what_stood_beside_it_stays(self):
        id = self.a_member_with_a_card(self.kenya)
        self.shows_everywhere(id)
        refused = self.kenya.run("erase", id, "--field", "email")
        self.assertEqual(refused.returncode, 6)
        self.kenya.good("erase", id, "--field", "email", "--reason", "mistake", "--yes")
        self.gone_everywhere([MAIL])
        fields = self.kenya.json("member", "show", id)["fields"]
        self.assertEqual((fields["name"], fields["phone"]), (NAME, "+254 700 112233"))
        self.assertNotIn("email", fields)
        listed = self.kenya.json("erase", "list")["orders"]
        self.assertEqual([order["reason"] for order in listed], ["mistake"])
        nothing = self.kenya.run("erase", id, "--field", "email", "--yes")
        self.assertEqual(nothing.returncode, 4)
        foreign = self.uganda.run("erase", id, "--yes")
        self.assertEqual(foreign.returncode, 5)


if __name__ == "__main__":
    unittest.main()
