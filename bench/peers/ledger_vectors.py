#!/usr/bin/env python3
"""Judges ledger vectors of other implementations and compares with what they are known to be.

Usage: ledger_vectors.py FOLDER      ASCRIBE names another launcher.

FOLDER holds JSON files with arrays of vectors (`want`: the verdict and outputs), `merkle/` with vectors of transparency-dev/merkle (`wantErr`), and
`ledger/`: a whole log with `vkeys`, an earlier checkpoint, and proofs with `proofs.json` (what each is, and whether it holds).
"""
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASCRIBE = os.environ.get("ASCRIBE", os.path.join(ROOT, "ascribe"))
# roots that are not 32 bytes, yet equal: may be judged either way
EITHER = {"sizes-are-equal-one-and-proof-is-empty"}

passed, failed = 0, []


def check(holds, what):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(what)
        print("FAILED", what)


def ledger(*arguments):
    done = subprocess.run([ASCRIBE, "ledger", *arguments, "--json"], capture_output=True, text=True)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        sys.exit("ascribe ledger %s: exit %d\n%s" % (" ".join(arguments)[:500], done.returncode, done.stderr))


def vectors(files):
    """Each vector with its name and what was said of it, in one call."""
    code, document = ledger("verify-vector", *files)
    check(code == 0, "verify-vector ends with 0")
    results = iter(document["results"])
    for file in files:
        with open(file) as text:
            content = json.load(text)
        for vector in content if isinstance(content, list) else [content]:
            yield file, vector, next(results)
    check(next(results, None) is None, "no more results than vectors")


def main():
    folder = sys.argv[1].rstrip("/")
    count = {}
    for file, vector, said in vectors(sorted(glob.glob(folder + "/*.json"))):
        name = "%s: %s" % (os.path.basename(file), vector.get("name"))
        want = vector["want"]
        differ = {key: (want[key], said.get(key)) for key in want if said.get(key) != want[key]}
        check(not differ, "%s: wanted, said: %s; %s" % (name, differ, said.get("reason")))
        count[os.path.basename(file)] = count.get(os.path.basename(file), 0) + 1
    for file, vector, said in vectors(sorted(glob.glob(folder + "/merkle/**/*.json", recursive=True))):
        if os.path.basename(file)[:-5] not in EITHER:
            want = "reject" if vector["wantErr"] else "accept"
            check(said["verdict"] == want, "%s: %s; %s" % (file, said["verdict"], said.get("reason")))
        count["merkle"] = count.get("merkle", 0) + 1

    whole, keys = folder + "/ledger", "@" + folder + "/ledger/vkeys"
    code, said = ledger("verify", "--tiles", whole, "--key", keys, "--earlier", whole + "/earlier/checkpoint")
    check(code == 0 and said["verdict"] == "holds", "the whole log: %s" % said)
    with open(whole + "/proofs.json") as text:
        proofs = json.load(text)
    for proof in proofs:
        sample = ["--sample", proof["sample"]] if "sample" in proof else []
        code, said = ledger("verify", whole + "/proofs/" + proof["file"], "--key", keys, *sample)
        good = said["verdict"] == proof["want"] and code == (0 if proof["want"] == "holds" else 1)
        if proof["want"] == "holds":
            good = good and said["kind"] == proof["kind"]
        check(good, "%s (%s): %s, exit %d; %s" % (proof["file"], proof["why"], said["verdict"], code, said.get("reason")))
    count["proofs"] = len(proofs)
    print(", ".join("%s %d" % item for item in count.items()), "vectors")
    print("%d passed, %d failed" % (passed, len(failed)))
    sys.exit(1 if failed else 0)


main()
