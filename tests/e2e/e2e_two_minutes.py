# The first two minutes, exactly as the README shows them.
import os
import re
import subprocess
import time
import unittest

from harness import BINARY, SOURCE, Federation, free_port, seconds


def session():
    """The block of the README that is marked for this test."""
    readme = (SOURCE / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- The end-to-end tests .*? -->\n```bash\n(.*?)```", readme, re.DOTALL)
    if found is None:
        raise AssertionError("README.md has no block for this test")
    return found.group(1)


class TwoMinutes(Federation):
    def test_the_session_of_the_readme_works_as_it_stands(self):
        # The port that the README leaves to the configuration may be in use on this machine.
        lines = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
        lines += session().replace("init ", f"init --listen 127.0.0.1:{free_port()} ")
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", lines],
            capture_output=True,
            cwd=self.place,
            timeout=seconds(120),
            env={
                "PATH": f"{os.path.dirname(BINARY)}:{os.environ['PATH']}",
                "HOME": str(self.place),
                "LANG": "C.UTF-8",
            },
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, 0, out + err)
        self.assertLess(time.monotonic() - began, seconds(120))
        self.assertIn("● Saved at Kenya", out)
        self.assertIn("● Received by Global", out)
        self.assertIn("Where your work is", out)
        self.assertIn("has confirmed all that goes there", out)
        self.assertNotIn("Not yet received", out)


if __name__ == "__main__":
    unittest.main()
