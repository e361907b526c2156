"""Runs the PyTorch loop of docs/recording.md as it stands there: killed and restarted it must be logged once, and its identities must be ours.

    python bench/peers/recording.py --out DIR [--ascribe PATH]
"""
import argparse, json, re, shutil, subprocess, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "recording.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--ascribe", default=str(HERE.parent.parent / "ascribe"))
    arguments = parser.parse_args()
    out = arguments.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    passed = failed = 0

    def check(what, holds):
        nonlocal passed, failed
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
        passed, failed = passed + holds, failed + (not holds)

    def ascribe(*words, code=0):
        done = subprocess.run([arguments.ascribe, *map(str, words)], cwd=out, capture_output=True, text=True)
        if done.returncode != code:
            sys.exit(f"ascribe {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    loop = blocks("python")[0]
    (out / "loop.py").write_text(loop, encoding="utf-8")
    names = {}
    exec(compile(loop.split("class Events")[0].replace("import torch\n", ""), "loop.py", "exec"), names)
    for line in blocks("json")[0].splitlines():
        vector = json.loads(line)
        computed = names["digest"](names["canonical"](vector["row"]))
        check(f"id of {line[:60]}", computed == vector["id"])

    rows = [{"prompt": f"Who lives in house {i} ?", "completion": f" Frau Müller {i % 5} \"lives\" there"} for i in range(10)]
    (out / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ascribe("ledger", "init", "ledger", "--origin", "example.com/torch", "--guard", "guard")
    # killed after its first epoch, in the middle of the second: the loop's own code, stopped by an exception in place of the kill
    stopped = loop.replace("        step += 1\n", "        step += 1\n        if step == 5: events.durable(); os._exit(9)\n")
    check("the loop was changed to stop", stopped != loop)
    done = subprocess.run([sys.executable, "-c", stopped], cwd=out)
    check("the loop was killed in its second epoch", done.returncode == 9)
    ascribe("ledger", "append", "ledger", "--events", "events.jsonl")
    subprocess.run([sys.executable, "loop.py"], cwd=out, check=True)
    told = json.loads(ascribe("ledger", "append", "ledger", "--events", "events.jsonl", "--json"))
    check("what was logged before is not logged twice", told["repeated"] > 0 and told["appended"] > 0)
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    check("the whole file was logged", told["repeated"] + told["appended"] == len(events))
    check("each row is in one batch an epoch", sum(e["type"] == "batch" for e in events) == 3 * len(rows))
    check("each step is there once", len({(e["step"], e["position"]) for e in events if e["type"] == "batch"}) == 3 * len(rows))

    ascribe("train", "--arch", "gpt:1-8-2", "--epochs", 1, "--data", "rows.jsonl", "--out", "run")
    scored = json.loads(ascribe("score", "--model", "run/model", "--data", "rows.jsonl", "--json"))
    for row, score in zip(rows, scored["rows"]):
        check(f"row {score['row']} has our identity", names["digest"](names["canonical"](row)) == score["id"])
    history = json.loads(ascribe("ledger", "history", "ledger", "--sample", scored["rows"][3]["id"], "--json"))
    check("its history is what the loop did", [e["event"]["type"] for e in history["events"]] == ["ingest", "batch", "batch", "batch"])
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
