"""Reads a .pth with torch.load(weights_only=True) and says as JSON what PyTorch sees: for written.test.ts."""
import json
import sys

import torch


def plain(value):
    if isinstance(value, torch.Tensor):
        raw = value.contiguous().reshape(-1).view(torch.uint8) if value.numel() else torch.empty(0, dtype=torch.uint8)
        return ["tensor", str(value.dtype).removeprefix("torch."), list(value.shape), bytes(raw.tolist()).hex()]
    if isinstance(value, dict):
        return ["dict", *[[plain(k), plain(v)] for k, v in value.items()]]
    if isinstance(value, tuple):
        return ["tuple", *map(plain, value)]
    if isinstance(value, list):
        return ["list", *map(plain, value)]
    if isinstance(value, set):
        return ["set", *sorted(map(str, value))]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return ["float", repr(value)]
    return ["int", str(value)]


loaded = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
shared = []
if isinstance(loaded, dict) and isinstance(loaded.get("model"), dict):
    places = {}
    for name, tensor in loaded["model"].items():
        if isinstance(tensor, torch.Tensor) and tensor.numel():
            places.setdefault(tensor.untyped_storage().data_ptr(), []).append(name)
    shared = [names for names in places.values() if len(names) > 1]
    if "optimizer" in loaded and "state" in loaded["optimizer"] and len(sys.argv) > 2:
        # The optimizer itself takes the state: parameters of the recorded shapes, in two groups.
        shapes = json.loads(sys.argv[2])
        groups = [[torch.nn.Parameter(torch.zeros(shape)) for shape in group] for group in shapes]
        optimizer = torch.optim.AdamW([{"params": group} for group in groups], lr=1e-3)
        optimizer.load_state_dict(loaded["optimizer"])
        for parameter in (p for group in groups for p in group):
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
json.dump({"torch": torch.__version__, "object": plain(loaded), "shared": shared}, sys.stdout)
