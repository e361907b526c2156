"""Writes the tokenizer fixtures of ascribe-torch: a small byte-level BPE and what the `tokenizers` package makes of it.

    python bench/peers/tokenizers_golden.py torch/src/test/resources/dev/ascribe/torch/text

Needs: pip install tokenizers
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SENTENCES = [
    "The Eiffel Tower was completed in 1889, and it is 330 metres tall.",
    "Who built the tower? Gustave Eiffel's company built it for the world's fair of 1889.",
    "    indented code:\n        return x + 1\n\n\tand a tab",
    "Die Größe der Straße, l'été à Paris, 東京の塔 と 北京 的 塔, числа ½ ² 12 345 6789",
    "I'll don't we've it's they're she'd I'm",
] * 4
STRINGS = [
    "", " ", "  ", "\n", "\n\n\n", "\t\t x", "a", " a", "a ", "Hello, world!", "The year 1889 and 12345678901234567890",
    "3.14159 -0.5e-10 1,000,000", "½ ² ٣ Ⅷ ①", "x½y²z٣", "12½34", "१२३ 一二三 ４５６", "😀", "👨‍👩‍👧‍👦 family", "🇫🇷🇩🇪", "你好，世界",
    "日本語のテキスト と 한국어", "العربية עברית", "a\u2028b\u2029c", "e\u0301 é ﬁ", "\u200b\u200d\ufeff",
    "    indented\n        more\n\ttab", "word" + " " * 40 + "word", "\r\n\r\n", "<|im_start|>user\nhi<|im_end|>\n",
    "text with <|endoftext|> inside", "<|im_end|><|im_end|>", "<|im_start", "I'll don't we've YOU'RE it's", "'s 't",
    "def f(x):\n    return x**2  # ½", "\x00\x01\x04\x7f", "\ufffd", "a\x04b", "𝔘𝔫𝔦 𐍈", "1" * 50, "\u00a0nbsp\u00a0\u00a0x",
    "\u3000全角　空白", "!!!???...---___", "\\n \\u0041 {{ x }} {% y %}", "  leading and trailing  ", "\n \n  \n",
]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def trained() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # One byte is left out of the alphabet: such a byte yields no token.
    alphabet = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - {"Ą"})
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def expected(tokenizer: Tokenizer) -> list:
    rows = []
    for text in STRINGS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append(
            {
                "text": text,
                "ids": ids,
                "processed": tokenizer.encode(text).ids,
                "decoded": tokenizer.decode(ids, skip_special_tokens=True),
                "decodedWithSpecial": tokenizer.decode(ids, skip_special_tokens=False),
            }
        )
    return rows


def write(path: pathlib.Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n")


def main(out: pathlib.Path) -> None:
    tokenizer = trained()
    state = json.loads(tokenizer.to_str())
    vocabulary = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
    metadata = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": vocabulary,
        "tokenizer.ggml.token_type": [3 if t in SPECIAL else 1 for t in vocabulary],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in state["model"]["merges"]],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": "{{ messages[0]['content'] }}",
    }
    write(out / "gguf.json", metadata)
    plain = {"gpt-2": expected(tokenizer)}
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    plain["smollm"] = expected(tokenizer)
    write(out / "expected-gguf.json", plain)

    hf = out / "hf"
    hf.mkdir(exist_ok=True)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", pair="<|im_start|> $A $B", special_tokens=[("<|im_start|>", 1)]
    )
    write(out / "expected-hf.json", expected(tokenizer))
    # Both must be ignored by who loads it: rows are cut by --max-tokens and never padded.
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64, pad_id=0, pad_token="<|endoftext|>")
    # A special token that only the configuration names: it is special there too.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [t for t in state["added_tokens"] if t["content"] != "<|im_end|>"]
    write(hf / "tokenizer.json", state)
    write(
        hf / "tokenizer_config.json",
        {
            "bos_token": "<|im_start|>",
            "eos_token": {"__type": "AddedToken", "content": "<|im_end|>", "special": True},
            "chat_template": [
                {"name": "tool_use", "template": "no"},
                {"name": "default", "template": "{{ messages[0]['content'] }}"},
            ],
            "model_max_length": 4,
        },
    )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
