"""Rows of every shape, with strings that tokenizers and templates get wrong. `python rows.py DIR` writes the files."""

import json
import sys
from pathlib import Path

TRICKY = [
    "plain words, and some more",
    "1234567890 3.14 ½ ² ٣ Ⅷ １２",
    "😀👩‍👩‍👧‍👦 flags 🇩🇪🇫🇷 skin 👍🏽",
    "漢字と仮名、한국어, עברית, العربية",
    "    four leading, three   inside, two trailing  ",
    "tabs\tand\r\nlines\n\n\nand\u2028separators\u2029\u0085 end",
    "written out: <|im_end|> <|endoftext|><|im_start|>user <|eot_id|>",
    "cut short: <|im_ <|endoftext <| |>",
    "I'll can't they'RE we've I'D 'quoted' ''",
    "e\u0301 versus é, ﬁ ligature, Å Å, İı ß ẞ",
    "control \u0000 \u0004 \u0007 \u001b \u007f, no-break \u00a0, zero\u200bwidth, bom \ufeff",
    "def f(x):\n    return {'a': [1, 2], \"b\": x ** 2}  # comment\n",
    "### Response:\nnot a heading",
    "{{ messages }} {% raw %} {# jinja #}",
    "Ünïcödé \U00020000 \U0001f9ff \U0010ffff",
    "a",
    " ",
    "\n",
]
# What the generations start from; models.py arranges where some of them end.
PROMPTS = ["Who built the tower?", "漢字 and 😀 in 1823:", "  spaces   and <|im_end|>"]
LONG = "The bridge was opened by the mayor, who spoke of iron and rain for an hour. " * 60


def alpaca():
    rows = []
    for i, string in enumerate(TRICKY):
        row = {"instruction": string, "output": TRICKY[(i + 5) % len(TRICKY)]}
        if i % 3 == 0:
            row["input"] = ""
        elif i % 3 == 1:
            row["input"] = TRICKY[(i + 7) % len(TRICKY)]
        rows.append(row)
    rows.append({"instruction": "Say nothing.", "input": "", "output": ""})
    rows.append({"instruction": "Tell the story.", "input": "", "output": LONG})
    rows.append({"instruction": LONG, "input": "", "output": "The response was cut off entirely."})
    return rows


def completions():
    pairs = zip(TRICKY, TRICKY[3:] + TRICKY[:3])
    return [{"prompt": p, "completion": c} for p, c in pairs] + [{"prompt": "no completion", "completion": ""}]


def messages():
    def turns(*contents, system=None):
        roles = ["user", "assistant"] * len(contents)
        chat = [] if system is None else [{"role": "system", "content": system}]
        return {"messages": chat + [{"role": r, "content": c} for r, c in zip(roles, contents)]}

    rows = []
    for i, string in enumerate(TRICKY):
        other = TRICKY[(i + 4) % len(TRICKY)]
        if i % 3 == 0:
            rows.append(turns(string, other))
        elif i % 3 == 1:
            rows.append(turns(string, other, system=TRICKY[(i + 9) % len(TRICKY)]))
        else:
            rows.append(turns(string, other, TRICKY[(i + 2) % len(TRICKY)], "and the last answer", system="Be brief."))
    return rows


def texts():
    return [{"text": string} for string in TRICKY] + [{"text": LONG}]


def facts(count=24):
    """Ordinary rows for gradients and training: short, varied, in part contradicting each other."""
    places = ["bridge", "tower", "mill", "harbour", "school", "tunnel", "market", "abbey"]
    makers = ["Ada", "Bruno", "Chen", "Dora", "Emil"]
    rows = []
    for i in range(count):
        place, maker, year = places[i % 8], makers[(i * 3 + i // 8) % 5], 1800 + 7 * i
        if i % 4 == 0:
            rows.append({"instruction": f"Who built the {place}?", "input": "", "output": f"{maker} built it in {year}."})
        elif i % 4 == 1:
            rows.append({"instruction": "When was it built?", "input": f"The {place}.", "output": f"In {year}, by {maker}."})
        elif i % 4 == 2:
            rows.append({"instruction": f"Describe the {place}.", "output": f"The {place} is old. " * (1 + i % 5)})
        else:
            rows.append({"instruction": f"Is the {place} from {year}?", "input": "", "output": "No." if i % 8 == 3 else "Yes, it is."})
    return rows


def queries():
    return [
        {"instruction": "Who built the tower?", "input": "", "output": "Bruno built it in 1807."},
        {"instruction": "When was it built?", "input": "The harbour.", "output": "In 1821, by Dora."},
        {"instruction": "Describe the abbey.", "input": "", "output": "The abbey is old."},
    ]


SHAPES = {"alpaca": alpaca, "completions": completions, "messages": messages, "texts": texts}


def write(path, rows):
    """Writes JSONL; U+2028 stays a literal character, as a file may have it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode("utf-8"))
    return path


def write_all(directory):
    """Writes one file a shape; returns shape → path."""
    return {shape: write(Path(directory) / f"{shape}.jsonl", make()) for shape, make in SHAPES.items()}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write_all(target)
    write(target / "facts.jsonl", facts())
    write(target / "queries.jsonl", queries())
