"""How a row becomes tokens and targets: written from the specification alone, with `tokenizers` and Jinja, so that it
shares nothing with Ascribe and nothing with transformers' own chat code (which selfcheck.py compares it with)."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import jinja2.sandbox
from tokenizers import Tokenizer


@dataclass(frozen=True)
class Tokens:
    """ids and, for each, whether the loss counts it."""

    ids: list
    targets: list


@dataclass(frozen=True)
class Text:
    """The text side of one model."""

    tokenizer: Tokenizer
    eos: int  # appended to every response
    stops: frozenset  # ids that end a generation
    template: str | None = None
    specials: dict = field(default_factory=dict)  # bos_token, eos_token as the template sees them

    def render(self, messages):
        def refuse(message):
            raise ValueError(message)

        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = refuse
        return environment.from_string(self.template).render(
            messages=messages, add_generation_prompt=True, **self.specials
        )

    def plain(self, string):
        return self.tokenizer.encode(string, add_special_tokens=False).ids

    def processed(self, string):
        return self.tokenizer.encode(string, add_special_tokens=True).ids

    def prompt(self, string, template=False):
        """Ids of the prompt of a generation."""
        if not template:
            return self.processed(string)
        ids, _ = self.sides({"instruction": string, "output": ""})
        return ids

    def sides(self, row):
        """Ids of the prompt and of the response, without the eos."""
        if "text" in row:
            return [], self.processed(row["text"])
        if "completion" in row:
            return self.processed(row["prompt"]), self.plain(row["completion"])
        if "messages" in row:
            messages, response = row["messages"][:-1], row["messages"][-1]["content"]
        else:
            parts = [row["instruction"]] + ([row["input"]] if row.get("input") else [])
            messages, response = [{"role": "user", "content": "\n\n".join(parts)}], row["output"]
        if self.template is not None:
            return self.plain(self.render(messages)), self.plain(response)
        if "messages" in row:
            headings = {"system": "System", "user": "Instruction", "assistant": "Response"}
            prompt = "".join(f"### {headings[m['role']]}:\n{m['content']}\n\n" for m in messages)
        else:
            prompt = f"### Instruction:\n{row['instruction']}\n\n"
            if row.get("input"):
                prompt += f"### Input:\n{row['input']}\n\n"
        return self.processed(prompt + "### Response:\n"), self.plain(response)

    def tokens(self, row, limit=512, loss="response"):
        prompt, response = self.sides(row)
        ids = (prompt + response + [self.eos])[:limit]
        first = 1 if loss == "all" else max(1, len(prompt))
        return Tokens(ids, [t >= first for t in range(len(ids))])

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=True)


def read_rows(path):
    """Rows of a JSONL file (split at the newline only) or of a JSON array."""
    content = Path(path).read_bytes().decode("utf-8")
    if content.lstrip().startswith("["):
        return json.loads(content)
    return [json.loads(line) for line in content.split("\n") if line.strip()]


def text_of_directory(path):
    """Reads tokenizer.json, tokenizer_config.json, chat_template.jinja and the eos ids of a Hugging Face directory."""
    path = Path(path)
    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    settings = json.loads((path / "tokenizer_config.json").read_text())
    specials = {}
    for name in ("bos_token", "eos_token"):
        value = settings.get(name)
        specials[name] = value["content"] if isinstance(value, dict) else value
    template = settings.get("chat_template")
    if (path / "chat_template.jinja").exists():
        # read as bytes: a text read would turn \r\n into \n
        template = (path / "chat_template.jinja").read_bytes().decode("utf-8")
    eos = tokenizer.token_to_id(specials["eos_token"])
    stops = {eos}
    for name in ("generation_config.json", "config.json"):
        if (path / name).exists():
            ids = json.loads((path / name).read_text()).get("eos_token_id")
            stops.update(ids if isinstance(ids, list) else [] if ids is None else [ids])
    return Text(tokenizer, eos, frozenset(stops), template, {k: v for k, v in specials.items() if v is not None})
