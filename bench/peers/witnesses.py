"""Ascribe's witness and its client against transparency-dev/witness, the reference implementation of C2SP tlog-witness.

Needs Go and its module proxy, and nothing beside what checks.py needs.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import checks

HERE = Path(__file__).resolve().parent / "witness"


class Serving:
    """A program that prints some lines and then serves until the end of the block."""

    def __init__(self, command, lines):
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        self.said = [self.process.stdout.readline().strip() for _ in range(lines)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def append(launcher, ledger, out, numbers):
    lines = out / "events.jsonl"
    lines.write_text("".join(json.dumps({"type": "ingest", "sample": f"sha256:{n:064x}", "source": "rows"}) + "\n" for n in numbers))
    launcher.run("ledger", "append", ledger, "--events", lines)


def ours_asks(launcher, ledger, out, vkeys, program, table):
    """Our client, their witness."""
    with Serving([program, "serve", vkeys[0]], 3) as theirs:
        address, mldsa, ed25519 = theirs.said
        keys = out / "public-vkeys"
        keys.write_text(f"{mldsa}\n{ed25519}\n")
        ask = ["ledger", "checkpoint", ledger, "--witness", address, "--witness-key", f"@{keys}"]
        for what, numbers in (("a first checkpoint", range(0)), ("nothing new", range(0)), ("grown by 1", range(1)), ("grown by 700", range(1, 701))):
            append(launcher, ledger, out, numbers)
            launcher.run(*ask)
            held = launcher.run("ledger", "verify", ledger / "log/checkpoint", *(a for key in (*vkeys, mldsa, ed25519) for a in ("--key", key)))
            table.row(True, "public witness", what, held.stdout.decode().splitlines()[0])
    before = (ledger / "log/checkpoint").read_bytes()
    refused = launcher.run(*ask, codes=(1,))
    same = (ledger / "log/checkpoint").read_bytes() == before
    table.row(same, "public witness", "gone: exit 1, old checkpoint stays", refused.stderr.decode().strip()[:60])


def theirs_asks(launcher, ledger, out, vkeys, program, table):
    """Their client, our witness."""
    secret, state = out / "witness-keys", out / "witness-state"
    mldsa = launcher.run("ledger", "keygen", "example.com/w", "--out", secret).stdout.decode().split()[1]
    command = [launcher.path, "ledger", "witness", "--listen", "127.0.0.1:0", "--key", secret, "--log", vkeys[0], "--state", state]
    empty, proof = out / "empty-proof", out / "proof"
    empty.write_text("")
    first = out / "first-checkpoint"
    first.write_bytes((ledger / "log/checkpoint").read_bytes())
    old = first.read_text().split("\n")[1]
    append(launcher, ledger, out, range(1000, 1300))
    grown = ledger / "log/checkpoint"
    size = grown.read_text().split("\n")[1]
    launcher.run("ledger", "consistency", ledger, "--from", old, "--to", size, "--out", proof)

    def submit(address, known, checkpoint, hashes, key=vkeys[0]):
        done = subprocess.run([program, "submit", address, known, str(checkpoint), str(hashes), key, mldsa], capture_output=True, text=True)
        return (done.stdout + done.stderr).strip()

    with Serving(command, 1) as ours:
        for what, arguments, wanted in (
            ("a first checkpoint", ("0", first, empty), "cosigned by example.com/w"),
            ("the same once more", (old, first, empty), "cosigned by example.com/w"),
            ("another old size", ("0", grown, empty), f"refused: old size != current, size {old}"),
            ("no proof", (old, grown, empty), "refused: consistency proof invalid"),
            ("grown by 300", (old, grown, proof), "cosigned by example.com/w"),
        ):
            said = submit(ours.said[0], *arguments)
            table.row(said.startswith(wanted), "our witness", what, said)
    with Serving(command, 1) as again:
        said = submit(again.said[0], "0", grown, empty)
        table.row(said == f"refused: old size != current, size {size}", "our witness", "remembers after a restart", said)


def main():
    options = checks.arguments(__doc__.splitlines()[0]).parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="witnesses-"))
    out.mkdir(parents=True, exist_ok=True)
    program = out / "witness"
    subprocess.run(["go", "build", "-o", program, "."], cwd=HERE, check=True)
    launcher = checks.Launcher(options.ascribe)
    ledger = out / "ledger"
    vkeys = launcher.run("ledger", "init", ledger, "--origin", "example.com/log", "--guard", out / "guard").stdout.decode().split()
    table = checks.Checks("witness", "what", "said", only=options.only)
    ours_asks(launcher, ledger, out, vkeys, program, table)
    theirs_asks(launcher, ledger, out, vkeys, program, table)
    table.finish()


if __name__ == "__main__":
    main()
