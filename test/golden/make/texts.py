"""Words, captions, and their numbers: a vocabulary of its own for each folder."""
import re
import sys
import types

import torch

checks = types.ModuleType("transformers.dependency_versions_check")  # the slow tokenizer needs no native package
checks.dep_version_check = lambda *names, **options: None
sys.modules["transformers.dependency_versions_check"] = checks
from transformers.models.bert.tokenization_bert import BertTokenizer  # noqa: E402

CAPTIONS = [
    "A red kite over the hill", "the small dog, on the LEFT!", "two cups of tea", "an old man's hat - blue / green", "kites and dogs near a table with seven white cups and the tea",
]
PHRASES = ["The kite, on the left!", "dog", "an old white table near the hill with the dog and two cups", "blue tea / hat", "<person> in a hat"]
ODD = [
    "", "   ", "tea", "TEA cup", "naïve ÉCOLE", "straße ŉ ﬁ", "中文 tea 日本語 한국어", "emoji 😀👍🏽 x", "a\u200bb\tc\nd\u00a0e", "ΟΔΟΣ", "[MASK] the [CLS] [mask] x[SEP]", "x" * 100, "x" * 101,
    "don't e-mail@a.org 1,000", "İı Σ", "\u0000\ufffd\u00ad", "¿qué? “ok” …", "𠀀 𝔘", "  many   spaces ",
]
CLEAN = ["A man, with a dog.", "e-mail/a <person>, here!", "one two three four five six seven", "  lead", "trail\n\n", "a\u3000\u3000b  c", "***", "", "O'Neil #1; x:y ~z", "ÀÉ ΣΑΣ", "tab\tx \t y", "a-/-b", "q?\n"]


def make_vocabulary(size, special):
    """Pieces that cover some of the words whole, others in part, others not at all."""
    text = " ".join(CAPTIONS + PHRASES).lower()
    words = sorted(set(re.findall("[a-z]+", text)))
    whole = words[:: 3]
    letters = sorted(set(text) - set(" \n"))
    pieces = whole + letters + [f"##{letter}" for letter in letters if letter.isalpha()] + ["##ed", "##s", "tea", "##ite", "straß", "ο", "##δ", "##ο", "##σ", "é", "中"]
    pieces = list(dict.fromkeys(pieces))
    lines = [None] * size
    for word, place in special.items():
        lines[place] = word
    fillers = iter(pieces + [f"[unused{i}]" for i in range(size)])
    return [line if line is not None else next(fillers) for line in lines]


def clean(caption, most):
    """What the published data loader does to a caption."""
    caption = re.sub(r"([,.'!?\"()*#:;~])", "", caption.lower()).replace("-", " ").replace("/", " ").replace("<person>", "person")
    caption = re.sub(r"\s{2,}", " ", caption).rstrip("\n").strip(" ")
    words = caption.split(" ")
    return " ".join(words[:most]) if len(words) > most else caption


class Tokenizer:
    """[CLS] and the pieces, without [SEP]; the type ids are one more than the ids."""

    def __init__(self, path, special):
        self.bert, self.special = BertTokenizer(str(path)), special

    def ids(self, text, most=None):
        ids = [self.special["[CLS]"], *self.bert.convert_tokens_to_ids(self.bert.tokenize(text))]
        return ids if most is None else ids[:most]

    def batch(self, texts, most=None):
        rows = [self.ids(text, most) for text in texts]
        length = max(map(len, rows))
        ids = [row + [self.special["[PAD]"]] * (length - len(row)) for row in rows]
        return ids, [[1] * len(row) + [0] * (length - len(row)) for row in rows]

    def tensors(self, texts, most=None):
        return tuple(torch.tensor(rows) for rows in self.batch(texts, most))

    def record(self):
        single = []
        for text in CAPTIONS + ODD:
            ids = self.ids(text)
            single.append({"text": text, "tokens": self.bert.tokenize(text), "input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": [0] * (len(ids) + 1)})

        def rows(most):
            ids, mask = self.batch(CAPTIONS + ODD[2:9], most)
            return {"texts": CAPTIONS + ODD[2:9], **({"max_length": most} if most else {}), "input_ids": ids, "token_type_ids": [[0] * (len(row) + 1) for row in ids], "attention_mask": mask}

        special = {name.strip("[]").lower(): place for name, place in self.special.items()}
        return {"single": single, "batch_train_truncate25": rows(25), "batch_eval": rows(None), "special": special, "vocab_size": len(self.bert.vocab)}
