"""The ledger's exports, judged by the formats' own Python libraries.

Needs ``mlcroissant prov in-toto-attestation securesystemslib cryptography`` beside what checks.py needs.
"""

import base64
import json
import logging
import tempfile
from pathlib import Path

import mlcroissant
import prov.model
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

import checks

RUN = "0b5e3c52-9a4e-4f59-8a39-0d5d7ee0b0a6"


def digest(byte):
    return "sha256:" + f"{byte:02x}" * 32


def events():
    """One event of each type, with texts outside ASCII and an event that names no run."""
    sample, other, tokens, query = map(digest, (0xAB, 0xCD, 0x12, 0x34))
    yield {"type": "ingest", "sample": sample, "source": "rows.jsonl"}
    yield {"type": "ingest", "sample": other, "source": 'rows "é".jsonl'}
    yield {"type": "transform", "run": RUN, "sample": tokens, "kind": "tokenize", "parents": [sample, other]}
    yield {"type": "batch", "run": RUN, "sample": sample, "epoch": 1, "step": 1, "position": 0}
    yield {"type": "batch", "sample": other, "epoch": 1, "step": 1, "position": 0}
    yield {"type": "contribution", "run": RUN, "sample": sample, "method": "datainf", "query": query, "score": -1e-7, "checkpoints": [digest(1)]}
    yield {"type": "checkpoint", "run": RUN, "model": digest(1), "step": 1, "trainLoss": 1.5, "validationLoss": 2.25, "selected": True}
    yield {"type": "checkpoint", "run": RUN, "model": digest(2), "step": 2, "trainLoss": 1.25, "validationLoss": None, "selected": False}
    yield {"type": "evaluate", "run": RUN, "metric": "accuracy", "value": 0.5, "model": digest(1), "data": digest(3)}


class Warnings(logging.Handler):
    """Keeps what a library warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def croissant(path):
    heard = Warnings()
    logging.getLogger("absl").addHandler(heard)
    dataset = mlcroissant.Dataset(jsonld=str(path))
    issues = dataset.metadata.ctx.issues
    found = [*issues.errors, *issues.warnings, *heard.said]
    version = dataset.metadata.ctx.conforms_to.value
    records = [len(list(dataset.records(name))) for name in ("sources", "models")]
    return not found and version.endswith("/1.1") and records == [2, 2], found or f"{version}, records {records}"


def provenance(path):
    text = path.read_text("utf-8")
    document = prov.model.ProvDocument.deserialize(content=text, format="json")
    again = prov.model.ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    counts = [len(list(document.get_records(kind))) for kind in (prov.model.ProvUsage, prov.model.ProvDerivation, prov.model.ProvInfluence)]
    return document == again and counts == [2, 4, 1], f"used, derived, influenced {counts}"


def intoto(path, vkey):
    envelope = Envelope.from_dict(json.loads(path.read_text("utf-8")))
    raw = base64.b64decode(vkey.split("+", 2)[2])
    key = SSlibKey(vkey, "ed25519", "ed25519", {"public": raw[1:].hex()})
    accepted = envelope.verify([key], 1)  # raises when the signature does not hold
    proto = json_format.Parse(envelope.payload, statement_pb2.Statement())  # refuses unknown fields
    Statement.copy_from_pb(proto).validate()
    return list(accepted) == [vkey] and len(proto.subject) == 2, f"{len(proto.subject)} subjects, {proto.predicate_type}"


def main():
    options = checks.arguments(__doc__.splitlines()[0]).parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="exports-"))
    out.mkdir(parents=True, exist_ok=True)
    launcher = checks.Launcher(options.ascribe)
    ledger = out / "ledger"
    vkeys = launcher.run("ledger", "init", ledger, "--origin", "example.com/log", "--guard", out / "guard").stdout.decode().split()
    lines = out / "events.jsonl"
    lines.write_text("".join(json.dumps(event) + "\n" for event in events()), "utf-8")
    launcher.run("ledger", "append", ledger, "--events", lines)
    table = checks.Checks("format", "what was found", only=options.only)
    judges = {"croissant": croissant, "prov": provenance, "intoto": lambda path: intoto(path, vkeys[0])}
    for name, judge in judges.items():
        if not table.wanted(name):
            continue
        for run in ([], ["--run", RUN]):
            path = out / f"{name}{len(run)}.json"
            launcher.run("ledger", "export", ledger, "--format", name, "--out", path, *run)
            try:
                ok, found = judge(path) if not run or name == "intoto" else (bool(parsed(name, path)), "with --run")
            except Exception as e:  # whatever the library throws at a bad document
                ok, found = False, repr(e)
            table.row(ok, name, found)
    table.finish()


def parsed(name, path):
    """Whether a library reads the document of one run."""
    if name == "croissant":
        return not mlcroissant.Dataset(jsonld=str(path)).metadata.ctx.issues.errors
    return prov.model.ProvDocument.deserialize(str(path), format="json").get_records()


if __name__ == "__main__":
    main()
