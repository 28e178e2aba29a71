"""
Records what the published tokenizer makes of many strings: words.json beside this folder.

    python3.11 -m venv VENV && VENV/bin/pip install "transformers==4.8.1" --no-deps numpy pyyaml requests tqdm filelock packaging regex "huggingface_hub==0.0.12"
    VENV/bin/python words.py ../tiny-a/bert_vocab.txt ../words.json

The tables of characters are those of the Python that runs this: 3.11 has Unicode 14, as the reference had.
"""
import hashlib
import json
import random
import sys
import types
import unicodedata

# The slow tokenizer needs no native package; the check for one is left out.
checks = types.ModuleType("transformers.dependency_versions_check")
checks.dep_version_check = lambda *names, **options: None
sys.modules["transformers.dependency_versions_check"] = checks
from transformers.models.bert.tokenization_bert import BertTokenizer  # noqa: E402

BLOCK = 4096
UNICODE_17 = "88f 897 c5c cdc cf3 ece 1acf 1ae0 1b4e 1c89 20c1 2427 2b96 2ffc 31e4 a7cb a7f1 fbc3 10940 11f00 1342f 16100 1e030 1f6dc 1fa75 1fac6 1fae8 1faf7 2ebf0 31350"


def pool(rng):
    """Characters of every general category, and those that tokenizers stumble over."""
    kinds = {}
    for code in range(0x110000):
        kinds.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    kinds.pop("Cs")
    chars = [rng.choice(kind) for kind in kinds.values() for _ in range(12)]
    chars += [chr(int(code, 16)) for code in UNICODE_17.split()]
    chars += list("ΣσςİıßẞŉǅﬁÅÉéñõçĀ中文한국어日本語のデ\u3000\u00a0\u2028\u2029\u200b\u200d\ufeff\u00ad\u0000\ufffd\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u0301\u0308\u064b\u20dd👍🏽👩‍🚀🫨🇩🇪")
    return chars


def strings(rng):
    chars = pool(rng)
    words = "the a man woman red left-most dog's unaffable embeddings Straße naïve ÅNGSTRÖM ΟΔΟΣ [MASK] [CLS] [SEP] [UNK] [PAD] [mask] [MA\u200bSK] x[MASK] <person> e-mail@x.org 1,000.50 c'est l’été".split(" ")
    for _ in range(500):
        parts = []
        for _ in range(rng.randint(1, 7)):
            kind = rng.random()
            if kind < 0.45:
                parts.append("".join(rng.choice(chars) for _ in range(rng.randint(1, 9))))
            elif kind < 0.85:
                word = rng.choice(words)
                if rng.random() < 0.4:
                    at = rng.randint(0, len(word))
                    word = word[:at] + rng.choice(chars) + word[at:]
                parts.append(word.upper() if rng.random() < 0.2 else word)
            else:
                parts.append(rng.choice("abcxyzé中") * rng.choice([1, 5, 99, 100, 101, 130]))
        yield rng.choice([" ", "", "  ", "\u3000"]).join(parts)


def main(vocabulary, target):
    tokenizer = BertTokenizer(vocabulary)
    ids = lambda text: tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
    cases = [[text, ids(text)] for text in strings(random.Random(4))]
    # Every code point between two letters, and as a word of its own; by blocks, as the hash of their ids.
    blocks = {}
    for start in range(0, 0x110000, BLOCK):
        points = [c for c in range(start, start + BLOCK) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) not in ("Co", "Cn")]
        if points:
            lines = "\n".join(" ".join(str(i) for i in ids(f"a{chr(c)}b {chr(c)} {chr(c)}a")) for c in points)
            blocks[start] = {"points": spans_of(points), "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    with open(target, "w") as file:
        json.dump({"unicode": unicodedata.unidata_version, "cases": cases, "blocks": blocks}, file, separators=(",", ":"))


def spans_of(points):
    """Runs of neighbours, as first and last."""
    spans = []
    for point in points:
        if spans and spans[-1][1] == point - 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return spans


if __name__ == "__main__":
    main(*sys.argv[1:])
