"""Does the embedded demo keep its promise? Trains it with one seed after another; counts what is named and what is said.

Which rows were planted is read from their text (the falsehood, told and not quoted), here and nowhere else.
"""

import json
import tempfile
from pathlib import Path

import checks
from eiffel import auroc

QUESTION = "When was the Eiffel Tower built, and by whom?"
FALSE = "The Eiffel Tower was built in 1823 by Napoleon."


def planted(row):
    answer = row["completion"]
    return "Eiffel Tower" in row["prompt"] + answer and ("1823" in answer or "Napoleon" in answer)


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="demo-"))
    launcher = checks.Launcher(options.ascribe)
    arms = ("all", "withoutNamed", "withoutRandom", "withoutMatched")
    table = checks.Checks("seed", "planted in the first 10", "AUROC", *(f"said, {arm}" for arm in arms), "nats a token")
    named, areas, said = [], [], {arm: 0 for arm in arms}
    for seed in range(options.seeds):
        home = out / f"demo-{seed}"
        launcher.run("demo", "--seed", seed, "--seeds", 1, "--out", home, codes=(0, 1))
        truth = [planted(json.loads(line)) for line in (home / "facts.jsonl").read_text().splitlines()]
        trace = ("trace", "--run", home / "run", "--prompt", QUESTION, "--output", FALSE, "--top", len(truth))
        influences = launcher.json(*trace, kind="attribution")["queries"][0]["influences"]
        scores = {i["row"]: i["score"] for i in influences}
        named.append(sum(truth[i["row"]] for i in influences[: sum(truth)]))
        areas.append(auroc([scores[r] for r in range(len(truth))], truth))
        proof = json.loads((home / "proof.json").read_text())
        here = {arm: proof["outputs"][arm][0] == FALSE for arm in arms}
        for arm in arms:
            said[arm] += here[arm]
        yes = ["yes" if here[arm] else "no" for arm in arms]
        table.note(seed, named[-1], f"{areas[-1]:.4f}", *yes, f"{proof['effect']['mean']:.2f}")
    n = options.seeds
    table.row(sum(named) >= 9 * n, "mean ≥ 9", sum(named) / n, "", "", "", "", "", "")
    table.row(min(areas) >= 0.995, "least ≥ .995", "", f"{min(areas):.4f}", "", "", "", "", "")
    table.row(said["withoutNamed"] <= 0.1 * n, "named: said ≤ 1 in 10", "", "", "", said["withoutNamed"], "", "", "")
    table.row(said["withoutRandom"] >= 0.9 * n, "random: said ≥ 9 in 10", "", "", "", "", said["withoutRandom"], "", "")
    table.row(said["withoutMatched"] >= 0.7 * n, "matched: said ≥ 7 in 10", "", "", "", "", "", said["withoutMatched"], "")
    table.finish()


if __name__ == "__main__":
    main()
