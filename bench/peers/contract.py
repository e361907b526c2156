"""The documents that commands print and the files they leave, field by field, as an outside program reads them.

Nothing here compares with another library: it checks names, types, orders, sums, digests and exit codes, and that what
two documents say of one thing is the same.
"""

import datetime
import hashlib
import json
import math
import os
import re
import subprocess
import tempfile
from pathlib import Path

import reference  # noqa: F401  before transformers: it sets it offline and quiet

import checks
import models
import rows

SCALES = {"gradient-cosine": "cosine", "gradient-dot": "dot", "datainf": "nats", "bm25": "similarity", "embedding": "similarity"}
GRADIENTS = ("gradient-cosine", "gradient-dot", "datainf")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def need(condition, what):
    if not condition:
        raise checks.Failed(what)


def fields(value, names, what):
    """Every name is there; more may be added."""
    need(isinstance(value, dict), f"{what} is no object")
    missing = [name for name in names if name not in value]
    need(not missing, f"{what} lacks {missing}")


def number(value, what):
    need(isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value), f"{what} is {value!r}")


def provenance(document, seed=None, digests=("model", "data")):
    need(list(document)[0] == "schema" and list(document)[-1] == "provenance", f"order of keys is {list(document)}")
    origin = document["provenance"]
    fields(origin, ("settings", "versions", "startedAt", "seconds", *digests), "provenance")
    for name in ("model", "adapter", "data", "index"):
        need(origin.get(name) is None or DIGEST.fullmatch(origin[name]), f"provenance.{name} is {origin.get(name)!r}")
    datetime.datetime.fromisoformat(origin["startedAt"])
    number(origin["seconds"], "seconds")
    need(all(isinstance(v, str) for v in origin["versions"].values()) and origin["versions"], "versions")
    if seed is not None:
        need(origin["seed"] == seed and isinstance(origin["seed"], int), f"seed is {origin.get('seed')!r}")
    return origin


def identity(row):
    """The id of a row: SHA-256 of its canonical bytes."""
    if "output" in row:
        row = {"instruction": row["instruction"], "input": row.get("input", ""), "output": row["output"]}
    return "sha256:" + hashlib.sha256(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def root(ids):
    """RFC 6962's tree over raw ids: the digest of a corpus."""
    if len(ids) == 1:
        return hashlib.sha256(b"\0" + ids[0]).digest()
    half = 1 << (len(ids) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(ids[:half]) + root(ids[half:])).digest()


def digest(data):
    return "sha256:" + root([bytes.fromhex(identity(row)[7:]) for row in data]).hex()


def scored(document, data):
    provenance(document)
    need(document["provenance"]["data"] == digest(data), "digest of the data")
    need([r["row"] for r in document["rows"]] == list(range(len(data))), "row numbers")
    for row, source in zip(document["rows"], data):
        fields(row, ("row", "id", "loss", "targets", "tokens"), "row")
        need(row["id"] == identity(source), f"id of row {row['row']}")
        for token in row["tokens"]:
            fields(token, ("id", "text", "logprob", "target"), "token")
        need(row["tokens"][0]["logprob"] is None and not row["tokens"][0]["target"], "first token")
        targets = [-t["logprob"] for t in row["tokens"] if t["target"]]
        need(row["targets"] == len(targets), "number of targets")
        if targets:
            need(abs(row["loss"] - sum(targets) / len(targets)) < 1e-9, f"loss of row {row['row']} is no mean")
        else:
            need(row["loss"] is None, "loss without targets")


def attributed(document, method, queries, data, top, per_token=False, candidates=None, losses=None):
    provenance(document)
    need(document["method"]["name"] == method, f"method is {document['method']}")
    need(document["scale"] == SCALES[method], f"scale is {document['scale']}")
    need("fidelity" in document, "no fidelity")
    need(len(document["queries"]) == len(queries), "number of queries")
    count = candidates or len(data)
    for at, query in enumerate(document["queries"]):
        fields(query, ("query", "loss", "influences", "harmful", "candidates"), "query")
        number(query["loss"], "loss")
        if losses:
            need(abs(query["loss"] - losses[at]) < 1e-4, f"loss {query['loss']} of query {at}, scored {losses[at]}")
        fields(query["candidates"], ("strategy", "count"), "candidates")
        need(query["candidates"]["count"] == count, f"candidates {query['candidates']}")
        shown = query["influences"]
        need(len(shown) == min(count, len(data) if top == "all" else top), f"{len(shown)} influences")
        need(top != "all" or query["harmful"] == [], "harmful with --top all")
        for place, one in enumerate(shown):
            fields(one, ("rank", "row", "id", "score", "text"), "influence")
            number(one["score"], "score")
            need(one["rank"] == place + 1, f"rank {one['rank']} in place {place}")
            need(one["id"] == identity(data[one["row"]]), f"id of row {one['row']}")
        need(len({one["row"] for one in shown}) == len(shown), "a row twice")
        order = [(-one["score"], one["row"]) for one in shown]
        need(order == sorted(order), "order")
        lowest = [(one["score"], one["row"]) for one in query["harmful"]]
        need([s for s, _ in lowest] == sorted(s for s, _ in lowest), "order of harmful")
        for one in query["harmful"]:
            fields(one, ("rank", "row", "id", "score", "text"), "harmful")
        need(("tokens" in query) == per_token, "tokens")
        for token in query.get("tokens", ()):
            fields(token, ("text", "logprob", "influences"), "token")
            number(token["logprob"], "logprob")
            for one in token["influences"]:
                fields(one, ("row", "score"), "influence of a token")


def proven(document, code, seeds, removed):
    provenance(document)
    fields(
        document,
        ("removed", "seeds", "lossWithAll", "lossWithoutNamed", "lossWithoutRandom", "effect", "outputWithAll", "outputWithoutNamed", "verdict"),
        "proof",
    )
    need(len(document["removed"]) == removed and all(isinstance(r, int) for r in document["removed"]), "removed")
    for name in ("lossWithAll", "lossWithoutNamed", "lossWithoutRandom"):
        need(len(document[name]) == seeds, f"{name} has {len(document[name])} seeds")
        for value in document[name]:
            number(value, name)
    fields(document["effect"], ("mean", "low", "high", "unit"), "effect")
    need(document["effect"]["unit"] == "nats", "unit")
    mean = sum(a - b for a, b in zip(document["lossWithoutNamed"], document["lossWithoutRandom"])) / seeds
    need(abs(mean - document["effect"]["mean"]) < 1e-9, f"effect {document['effect']['mean']}, by the losses {mean}")
    need(document["verdict"] in ("shown", "not shown"), document["verdict"])
    need(code == (0 if document["verdict"] == "shown" else 1), f"exit code {code} with '{document['verdict']}'")
    need(document["verdict"] == "not shown" or document["effect"]["low"] > 0, "shown with an interval that holds 0")


def run_directory(run, data, options):
    document = json.loads((run / "run.json").read_text("utf-8"))
    fields(document, ("schema", "rows", "checkpoints", "data", "seed", "versions", "optimizer", "model"), "run.json")
    need(document["schema"] == "ascribe/run/1", "schema")
    need(document["data"] == digest(data), "digest of the data")
    need(document["seed"] == options["seed"], "seed")
    train, validation = document["rows"]["train"], document["rows"]["validation"]
    need(sorted(train + validation) == list(range(len(data))), "train and validation rows are not all rows once")
    need(len(validation) == options["validation"], f"{len(validation)} validation rows")
    # the start is a checkpoint beside those asked for
    later = [c for c in document["checkpoints"] if c["step"] > 0]
    need(len(later) == options["checkpoints"], f"{len(later)} checkpoints")
    for checkpoint in document["checkpoints"]:
        fields(checkpoint, ("file", "step", "epoch", "learningRate"), "checkpoint")
        need((run / checkpoint["file"]).exists(), f"{checkpoint['file']} is missing")
    for checkpoint in later:
        number(checkpoint["trainLoss"], "trainLoss")
        number(checkpoint["validationLoss"], "validationLoss")
        number(checkpoint["learningRate"], "learningRate")
    return document


def page(path):
    html = path.read_text("utf-8")
    need(html.lstrip().lower().startswith("<!doctype html>"), "no page")
    outside = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?(?!#|data:)([^"'\s>]+)|url\((?!["']?(?:data:|#))([^)]*)\)|@import""", html)
    need(not outside, f"the page refers to {outside[:3]}")


def main():
    options = checks.arguments(__doc__).parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    model = models.existing(out)["llama-gqa-tied"]
    work = Path(tempfile.mkdtemp(prefix="contract-", dir=out))
    launcher = checks.Launcher(options.ascribe)
    tally = checks.Checks("what", "case", "remark", only=options.only)
    data, asked = rows.facts(), rows.queries()
    facts, queries = rows.write(work / "facts.jsonl", data), rows.write(work / "queries.jsonl", asked)
    run, index = work / "run", work / "index"

    def check(what, case, job):
        if tally.wanted(what):

            def judged():
                try:
                    job()
                except (KeyError, TypeError, ValueError, AttributeError, OSError) as e:
                    raise checks.Failed(f"{type(e).__name__}: {e}") from e
                tally.row(True, what, case, "")

            tally.guarded(what, case, job=judged)

    check("score", "fields, sums, digests", lambda: scored(launcher.json("score", "--model", model, "--data", facts, kind="score"), data))

    def cut():
        done = launcher.run("score", "--model", model, "--data", facts, "--max-tokens", 4, "--json")
        document = json.loads(done.stdout)
        scored(document, data)
        lost = [r["row"] for r in document["rows"] if r["loss"] is None]
        need(lost, "no row lost its response")
        need(re.search(rf"\b{lost[0]}\b", done.stderr.decode()), f"row {lost[0]} is named in no warning")

    check("score", "responses cut off", cut)

    def generated():
        document = launcher.json("generate", "--model", model, "--prompt", "Who?", "--max-tokens", 5, kind="generate")
        fields(document, ("prompt", "text", "tokens", "stop"), "generate")
        need(document["prompt"] == "Who?" and document["stop"] in ("eos", "length"), "prompt or stop")
        need(len(document["tokens"]) <= 5 and all(isinstance(t, int) for t in document["tokens"]), "tokens")
        provenance(document, 0, digests=("model",))

    check("generate", "fields", generated)

    def sampled():
        again = [
            launcher.json("generate", "--model", model, "--prompt", "Who?", "--temperature", 1, "--seed", s, kind="generate")["tokens"]
            for s in (3, 3, 4)
        ]
        need(again[0] == again[1] != again[2], "seeds do not decide")

    check("generate", "a seed decides what is sampled", sampled)

    def unicode_arguments():
        prompt = "Müller 漢字 😀 e\u0301?"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LC_") and k != "LANG"}
        for extra in ({}, {"LC_ALL": "C"}, {"LANG": "POSIX"}):
            command = [str(launcher.path), "generate", "--model", str(model), "--prompt", prompt, "--max-tokens", "1", "--json"]
            done = subprocess.run(command, capture_output=True, env=environment | extra)
            need(json.loads(done.stdout.decode("utf-8"))["prompt"] == prompt, f"with {extra or 'no locale'} it arrives otherwise")

    check("generate", "letters of any language in any locale", unicode_arguments)

    def finetuned():
        launcher.run("finetune", "--model", model, "--data", facts, "--out", run, "--epochs", 4, "--validation", 0.125, "--lr", 1e-2)
        run_directory(run, data, {"seed": 0, "validation": 3, "checkpoints": 4})
        launcher.run("index", "--run", run, "--out", index)

    check("finetune", "run.json", finetuned)

    def losses():
        document = launcher.json("score", "--model", model, "--adapter", adapter_of(run), "--data", queries, kind="score")
        return [r["loss"] for r in document["rows"]]

    for method in SCALES:
        gradient = method in GRADIENTS

        def traced():
            per_token = ("--per-token",) if gradient else ()
            document = launcher.json("trace", "--run", run, "--query", queries, "--method", method, "--top", 5, *per_token, kind="attribution")
            attributed(document, method, asked, data, 5, gradient, losses=losses())
            document = launcher.json("trace", "--run", run, "--query", queries, "--method", method, "--top", 1000, kind="attribution")
            attributed(document, method, asked, data, len(data))
            document = launcher.json("trace", "--run", run, "--query", queries, "--method", method, "--top", "all", kind="attribution")
            attributed(document, method, asked, data, "all")

        check("trace", method, traced)
    for strategy, count in (("bm25:7", 7), ("embed:7", 7), ("hybrid:7", 7), ("bm25:200", len(data))):

        def candidates():
            document = launcher.json("trace", "--run", run, "--query", queries, "--candidates", strategy, "--top", 3, kind="attribution")
            attributed(document, "gradient-cosine", asked, data, 3, candidates=count)

        check("trace", f"candidates {strategy}", candidates)

    def indexed():
        document = launcher.json("trace", "--run", run, "--index", index, "--query", queries, "--top", "all", kind="attribution")
        attributed(document, "gradient-cosine", asked, data, "all")
        need(DIGEST.fullmatch(document["provenance"]["index"]), "digest of the index")
        many = rows.write(work / "many.jsonl", data)
        document = launcher.json("trace", "--index", index, "--run", run, "--query", many, "--top", 1, kind="attribution")
        attributed(document, "gradient-cosine", data, data, 1)

    check("trace", "by an index, many questions", indexed)

    def paged():
        document = launcher.run("trace", "--run", run, "--prompt", "Who built the tower?", "--per-token", "--html", work / "trace.html", "--json")
        page(work / "trace.html")
        (work / "trace.json").write_bytes(document.stdout)
        launcher.run("report", work / "trace.json", "--html", work / "again.html")
        page(work / "again.html")

    check("report", "of a trace", paged)

    def proof(prompt, output, what):
        def job():
            command = ["prove", "--run", run, "--prompt", prompt, "--output", output, "--remove", 5, "--seeds", 2]
            done = launcher.run(*command, "--json", "--html", work / f"{what}.html", codes=(0, 1))
            proven(json.loads(done.stdout), done.returncode, 2, 5)
            page(work / f"{what}.html")

        return job

    check("prove", "of an answer in the data", proof("Is the market from 1905?", "No.", "said"))
    check("prove", "of an answer that is nowhere in the data", proof("Who painted the Mona Lisa?", "A cat in Peru.", "unsaid"))
    for code, arguments, part in refusals(work, model, facts, run, index):

        def refused():
            done = launcher.run(*arguments, codes=range(256))
            message = done.stderr.decode(errors="replace")
            need(done.returncode == code, f"exit code {done.returncode}: {message.strip()[-200:]}")
            need(part in message, f"the message does not name {part!r}: {message.strip()[-300:]}")
            need(not done.stdout, "something stands on standard output")
            need("\tat " not in message and "Exception" not in message, f"a stack trace: {message[:200]}")

        check("refusal", " ".join(str(a).removeprefix(str(work)) for a in arguments)[:90], refused)
    tally.finish()


def adapter_of(run):
    return next(place for place in (run / "adapter", run) if (place / "adapter_config.json").exists())


def refusals(work, model, facts, run, index):
    """(exit code, arguments, what the message must name)."""
    score = ("score", "--model", model, "--data")

    def file(name, content):
        (work / name).write_bytes(content)
        return work / name

    row = b'{"prompt": "a", "completion": "b"}\n'
    other = file("other.jsonl", row * 3)
    return [
        (2, ("trace", "--no-such-option"), "--no-such-option"),
        (2, ("nosuchverb",), "nosuchverb"),
        (2, ("score", "--model", model), "--data"),
        (2, (*score, work / "nowhere.jsonl"), "nowhere.jsonl"),
        (2, ("score", "--model", work / "nomodel", "--data", facts), "nomodel"),
        (2, (*score, file("empty.jsonl", b"")), "empty"),
        (2, (*score, file("broken.jsonl", row * 6 + b'{"prompt": "a", "completion": \n' + row)), "line 7"),
        (2, (*score, file("key.jsonl", row + b'{"prompt": "a", "completion": "b", "colour": 1}\n')), "colour"),
        (2, (*score, file("type.jsonl", b'{"prompt": 1, "completion": "b"}\n')), "line 1"),
        (2, (*score, file("bytes.jsonl", row + b'{"prompt": "\xff", "completion": "b"}\n')), "line 2"),
        (2, (*score, facts, "--max-tokens", 0), "--max-tokens"),
        (2, (*score, facts, "--template", "nofile"), "nofile"),
        (2, ("generate", "--model", model, "--prompt", ""), "prompt"),
        (2, ("generate", "--model", model, "--prompt", "a", "--temperature", -1), "temperature"),
        (2, ("generate", "--model", model, "--prompt", "a", "--top-p", 2), "top-p"),
        (2, ("trace", "--run", run, "--prompt", "a", "--method", "magic"), "magic"),
        (2, ("trace", "--run", run, "--prompt", "a", "--candidates", "bm25:0"), "bm25:0"),
        (2, ("trace", "--run", run, "--prompt", "a", "--candidates", "words:3"), "words:3"),
        (2, ("trace", "--run", run, "--prompt", "a", "--checkpoints", "77"), "77"),
        (2, ("trace", "--run", run, "--prompt", "a", "--top", 0), "--top"),
        (2, ("trace", "--run", run), "--prompt"),
        (2, ("trace", "--run", run, "--index", index, "--data", other, "--prompt", "a"), "other.jsonl"),
        (2, ("trace", "--run", work / "norun", "--prompt", "a"), "norun"),
        (2, ("prove", "--run", run, "--prompt", "a", "--remove", 1000), "1000"),
        (2, ("finetune", "--model", model, "--data", other, "--out", run), "other"),
        (2, ("finetune", "--model", model, "--data", facts, "--out", work / "new", "--lr", "fast"), "--lr"),
        (2, ("index", "verify", work / "noindex"), "noindex"),
        (2, ("report", facts, "--html", work / "x.html"), "facts.jsonl"),
    ]


if __name__ == "__main__":
    main()
