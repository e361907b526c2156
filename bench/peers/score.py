"""`score` and `generate` against transformers: ids, targets, log-probabilities, losses, greedy tokens and how they end."""

import math
import tempfile
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet

import checks
import models
import rows

LEAD = {False: 0.001, True: 0.05}  # logits a greedy step must lead by for its token to be compared; True: SmolLM2
TOLERANCE = {False: 2e-4, True: 5e-3}


def compare(document, expected, tolerance):
    """Differences of a score document from [(ids, targets, logprobs, loss)]: (ids equal, targets equal, largest, complaint)."""
    found = document["rows"]
    if [r["row"] for r in found] != list(range(len(expected))):
        return False, False, math.inf, f"{len(found)} rows, expected {len(expected)}"
    ids_equal = targets_equal = True
    largest, complaint = 0.0, ""
    for row, (ids, targets, logprobs, loss) in zip(found, expected):
        tokens = row["tokens"]
        if [t["id"] for t in tokens] != ids:
            ids_equal = False
            complaint = complaint or f"row {row['row']}: ids differ"
            continue
        if [t["target"] for t in tokens] != targets or row["targets"] != sum(targets):
            targets_equal = False
            complaint = complaint or f"row {row['row']}: targets differ"
        if tokens[0]["logprob"] is not None or any(t["logprob"] is None for t in tokens[1:]):
            largest, complaint = math.inf, complaint or f"row {row['row']}: null where a log-probability belongs, or the reverse"
            continue
        off = [abs(t["logprob"] - p) for t, p in zip(tokens[1:], logprobs[1:])]
        if (row["loss"] is None) != (loss is None):
            off.append(math.inf)
        elif loss is not None:
            off.append(abs(row["loss"] - loss))
        largest = max([largest, *off])
        if largest > tolerance:
            complaint = complaint or f"row {row['row']}: off by {largest:.1e}"
    return ids_equal, targets_equal, largest, complaint


def expect(model, text, data, limit=512, loss="response"):
    expected = []
    for row in data:
        tokens = text.tokens(row, limit, loss)
        logprobs = reference.log_probabilities(model, tokens.ids)
        expected.append((tokens.ids, tokens.targets, logprobs, reference.row_loss(logprobs, tokens.targets)))
    return expected


def score(tally, launcher, name, path, files, shapes, large):
    model, text = reference.load(path)
    cases = [(shape, 512, "response") for shape in shapes] + [(shapes[0], 40, "response"), (shapes[-1], 40, "all")]
    for shape, limit, loss in cases:
        case = f"{shape}, {limit} tokens, {loss}"

        def job():
            arguments = () if (limit, loss) == (512, "response") else ("--max-tokens", limit, "--loss", loss)
            document = launcher.json("score", "--model", path, "--data", files[shape], *arguments, kind="score")
            expected = expect(model, text, rows.SHAPES[shape](), limit, loss)
            ids, targets, largest, complaint = compare(document, expected, TOLERANCE[large])
            ok = ids and targets and largest <= TOLERANCE[large]
            tally.row(ok, name, case, len(expected), largest, "yes" if ids else "no", complaint)

        tally.guarded(name, case, job=job)
    for prompt in rows.PROMPTS:
        for template in (False, True):
            case = f"generate{' --template auto' if template else ''}: {prompt[:12]}"

            def job():
                arguments = ("--template", "auto") if template else ()
                document = launcher.json(
                    "generate", "--model", path, "--prompt", prompt, "--max-tokens", 24, "--temperature", 0, *arguments,
                    kind="generate",
                )
                tally.row(*generated(document, model, text, prompt, template, large, name, case))

            tally.guarded(name, case, job=job)


def generated(document, model, text, prompt, template, large, name, case):
    """The greedy tokens, compared up to the first step whose lead is too small to tell."""
    start = text.prompt(prompt, template)
    new, stop, lead = reference.generate(model, text, start, 24)
    if lead < LEAD[large]:
        sure = 0
        while reference.generate(model, text, start, sure + 1)[2] >= LEAD[large]:
            sure += 1
        same = document["tokens"][:sure] == new[:sure]
        return same, name, case, sure, 0.0, "yes" if same else "no", f"step {sure} leads by {lead:.1e}: compared before it"
    same = document["tokens"] == new
    ok = same and document["stop"] == stop and document["text"] == text.decode(new)
    complaint = "" if ok else f"{document['stop']} for {stop}, {document['text']!r} for {text.decode(new)!r}"
    return ok, name, case, len(new), 0.0, "yes" if same else "no", complaint


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--smollm", type=Path, help="SmolLM2's GGUF file, compared too where given")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    paths = models.existing(out)
    files = rows.write_all(out / "rows")
    launcher = checks.Launcher(options.ascribe)
    tally = checks.Checks("model", "case", "rows", "largest difference", "ids equal", "remark", only=options.only)
    for name, path in paths.items():
        if tally.wanted(name):
            # BRACKETS and HEADERS do without a system role of their own, so every shape goes with every template
            score(tally, launcher, name, path, files, list(rows.SHAPES), False)
    if options.smollm and tally.wanted("smollm"):
        score(tally, launcher, "SmolLM2", options.smollm, files, list(rows.SHAPES), True)
    tally.finish()


if __name__ == "__main__":
    main()
