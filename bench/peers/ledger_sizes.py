#!/usr/bin/env python3
"""Makes logs of sizes around the edges of tiles, and has public Go libraries verify them.

Usage: ledger_sizes.py [SIZE…]      default 2 255 256 257 65536 70000. ASCRIBE names another launcher. Needs Go and its module proxy.

Each log grows from the one before it. At each size `bench/peers/go/logcheck` (golang.org/x/mod/sumdb/note and tlog, transparency-dev/merkle) verifies
the signature, the root and every tile from the entries, event proofs made by Ascribe, and consistency proofs from every earlier size.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASCRIBE = os.environ.get("ASCRIBE", os.path.join(ROOT, "ascribe"))
TAIL = 40  # the last events are appended alone, so that no checkpoint comes between and the size is met exactly


def run(*command, cwd=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        sys.exit("%s: exit %d\n%s%s" % (" ".join(command)[:500], done.returncode, done.stdout, done.stderr))
    return done.stdout


def main():
    sizes = [int(size) for size in sys.argv[1:]] or [2, 255, 256, 257, 65536, 70000]
    with tempfile.TemporaryDirectory() as work:
        check = work + "/logcheck"
        run("go", "build", "-o", check, "./logcheck", cwd=ROOT + "/bench/peers/go")
        home, keys = work + "/ledger", work + "/vkeys"
        with open(keys, "w") as file:
            file.write(run(ASCRIBE, "ledger", "init", home, "--origin", "example.com/sizes", "--guard", work + "/guard"))
        made, size, proofs = 0, 2, []

        def append(count):
            nonlocal made, size
            with open(work + "/events", "w") as file:
                for i in range(made, made + count):
                    file.write(json.dumps({"type": "ingest", "sample": "sha256:%064x" % (i + 1), "source": "rows", "time": i}) + "\n")
            made += count
            said = json.loads(run(ASCRIBE, "ledger", "append", home, "--events", work + "/events", "--json"))
            size = said["checkpoint"]["size"]

        before = []
        for target in sizes:
            while target - size > TAIL + 20000:
                append(20000)
            if target - size > TAIL + 1:
                append(target - size - TAIL)
            if size < target:
                append(target - size - 1)
            if size != target:
                sys.exit("the log has %d entries, not %d: a checkpoint came between; run it again on a less busy machine" % (size, target))
            for index in sorted({0, 1, size // 3, size - 2, size - 1}):
                proofs.append("%s/%d-of-%d.tlog-proof" % (work, index, size))
                run(ASCRIBE, "ledger", "prove", home, "--index", str(index), "--out", proofs[-1])
            for earlier in before:
                proofs.append("%s/%d-%d.json" % (work, earlier, size))
                with open(proofs[-1], "w") as file:
                    file.write(run(ASCRIBE, "ledger", "consistency", home, "--from", str(earlier), "--to", str(size), "--json"))
            before.append(size)
            print(run(check, home + "/log", keys, *proofs).strip(), flush=True)


main()
