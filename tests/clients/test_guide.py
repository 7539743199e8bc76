"""What the guide shows in Python works, and prints what the guide says."""

import contextlib
import io
import re
from pathlib import Path

from base import OnDatabase

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "clients.md"


class Guide(OnDatabase):
    # The chapter begins with CREATE EXTENSION.
    sql = "DROP EXTENSION blockchain_crdt"

    def test_clients(self):
        """Somebody follows the chapter step by step, SQL and Python in turn, and sees what it says."""
        seen = {}
        lines = 0
        for language, block in re.findall(r"^```(sql|python)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE):
            if language == "sql":
                self.program("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", script=block)
                continue
            for name in ("dbname=", ":///"):
                block = block.replace(f"{name}shop", f"{name}{self.database}")
            # `print(...)  # what it prints`
            expected = re.findall(r"^ *print\(.*\)  # (.*)$", block, re.MULTILINE)
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(block, str(GUIDE), "exec"), seen)
            self.assertEqual(printed.getvalue().splitlines(), expected)
            lines += len(expected)
        self.assertGreater(lines, 5)
        self.addCleanup(seen["connection"].close)
        self.verify()
