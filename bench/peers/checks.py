"""What every script here shares: running the launcher, and counting what held."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def arguments(description):
    """A parser with the options that all scripts have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--ascribe", type=Path, default=CHECKOUT / "ascribe", help="launcher (default: this checkout's)")
    parser.add_argument("--out", type=Path, help="working directory (default: a temporary one)")
    parser.add_argument("--only", default="", metavar="REGEX", help="cases whose name contains this expression")
    return parser


class Failed(Exception):
    """The launcher did not give what was asked for."""


class Launcher:
    """Runs ``ascribe VERB …``."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        if not self.path.exists():
            print(f"no launcher at {self.path}; pass --ascribe PATH", file=sys.stderr)

    def run(self, *args, codes=(0,)):
        """Runs one command; returns the finished process."""
        command = [str(self.path), *map(str, args)]
        try:
            done = subprocess.run(command, capture_output=True)
        except OSError as e:
            raise Failed(f"cannot run {self.path}: {e.strerror}") from e
        if done.returncode not in codes:
            tail = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
            raise Failed(f"{args[0]} exited with {done.returncode}: {' / '.join(tail)}")
        return done

    def json(self, *args, kind):
        """Runs one command with --json; returns its document after checking the envelope."""
        out = self.run(*args, "--json").stdout
        try:
            document = json.loads(out.decode("utf-8"), parse_constant=reject)
        except ValueError as e:
            raise Failed(f"{args[0]} --json did not print one JSON document: {e}") from e
        if document.get("schema") != f"ascribe/{kind}/1":
            raise Failed(f"schema is {document.get('schema')!r}, expected 'ascribe/{kind}/1'")
        if "provenance" not in document:
            raise Failed("no provenance")
        return document


def reject(constant):
    raise ValueError(f"non-finite number {constant}")


class Checks:
    """Counts checks and prints one table row for each."""

    def __init__(self, *columns, only=""):
        self.passed = self.failed = 0
        self.only = re.compile(only)
        self.columns = columns
        print("| " + " | ".join((*columns, "result")) + " |")
        print("|---" * (len(columns) + 1) + "|")

    def wanted(self, name):
        return bool(self.only.search(name))

    def row(self, ok, *cells):
        self.passed += bool(ok)
        self.failed += not ok
        print("| " + " | ".join((*map(text, cells), "ok" if ok else "**failed**")) + " |", flush=True)

    def note(self, *cells):
        """A row that is shown and not judged."""
        print("| " + " | ".join((*map(text, cells), "")) + " |", flush=True)

    def guarded(self, *cells, job):
        """Runs job; a command that failed is one failed check, not the end of the script."""
        try:
            job()
        except Failed as e:
            filler = [""] * (len(self.columns) - len(cells) - 1)
            self.row(False, *cells, *filler, e)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def text(cell):
    return f"{cell:.2e}" if isinstance(cell, float) else str(cell).replace("\n", " ").replace("|", "\\|")
