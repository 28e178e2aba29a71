"""Writing tensors and JSON the way golden folders hold them."""
import json
import struct
from pathlib import Path

import numpy as np

NAMES = {"float32": "F32", "float64": "F64", "int64": "I64", "uint8": "U8"}


def save_tensors(path, tensors):
    """safetensors: the length of a JSON header, the header, the values."""
    header, chunks, at = {}, [], 0
    for name, tensor in tensors.items():
        values = np.asarray(tensor.detach() if hasattr(tensor, "detach") else tensor)
        data = values.tobytes()
        header[name] = {"dtype": NAMES[str(values.dtype)], "shape": list(values.shape), "data_offsets": [at, at + len(data)]}
        chunks.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def save_json(path, value):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, separators=(",", ":")))


def listing(state):
    """Name, type, view and some values of every tensor of a checkpoint."""
    rows = []
    for name, tensor in state.items():
        flat = tensor.detach().reshape(-1).tolist()
        rows.append({
            "name": name, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "stride": list(tensor.stride()),
            "storage_offset": tensor.storage_offset(), "contiguous": tensor.is_contiguous(), "sum": float(tensor.double().sum()),
            "first": flat[:6], "last": flat[-1] if flat else None,
        })
    return rows
