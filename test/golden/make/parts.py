"""Parts that need no model: rates, queues, position embeddings, checkpoints, prepared pictures; and finite differences."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import albef
import pictures
import texts
from formats import save_json, save_tensors

RAW = {"sched": "cosine", "lr": 1e-5, "epochs": 30, "min_lr": 1e-6, "decay_rate": 1, "warmup_lr": 1e-6, "warmup_epochs": 20, "cooldown_epochs": 0}


def warmup_step(s, base):
    return (base - s["warmup_lr"]) / s["warmup_epochs"] if s["warmup_epochs"] else 1


def rate_at(s, base, t):
    """A linear warm-up of `warmup_epochs` units, then one half cosine of `epochs` units."""
    if t < s["warmup_epochs"]:
        return s["warmup_lr"] + t * warmup_step(s, base)
    at = t - s["warmup_epochs"]
    return s["min_lr"] + 0.5 * (base - s["min_lr"]) * (1 + math.cos(math.pi * at / s["epochs"])) if at < s["epochs"] else s["min_lr"]


def rates(s, base, epochs, iterations):
    """The rate used at every iteration of the published loop: it advances after the optimizer, each hundred of epoch 0, then each epoch."""
    now, used = (s["warmup_lr"] if s["warmup_epochs"] else base), []
    for epoch in range(epochs):
        if epoch > 0:
            now = rate_at(s, base, epoch + s["warmup_epochs"])
        for i in range(iterations):
            used.append(now)
            if epoch == 0 and i % 100 == 0 and i <= s["warmup_epochs"] * 100:
                now = rate_at(s, base, i // 100)
    return used


def scheduler_state(s, bases):
    return {
        "param_group_field": "lr", "_initial_param_group_field": "initial_lr", "base_values": list(bases), "metric": None, "noise_range_t": None, "noise_pct": 0.67, "noise_type": "normal",
        "noise_std": 1.0, "noise_seed": 42, "t_initial": s["epochs"], "t_mul": 1.0, "lr_min": s["min_lr"], "decay_rate": s["decay_rate"], "cycle_limit": 1, "warmup_t": s["warmup_epochs"],
        "warmup_lr_init": s["warmup_lr"], "warmup_prefix": True, "t_in_epochs": True, "warmup_steps": [warmup_step(s, base) for base in bases],
    }


def record_rates(target, own):
    recorded = {}
    for name, s, epochs, iterations in [("own_120x9", own, 9, 120), ("published_250x3", RAW, 3, 250), ("no_warmup_5x4", {**RAW, "warmup_epochs": 0}, 4, 5), ("long_700x2", own, 2, 700)]:
        runs = []
        for rate in rates(s, s["lr"], epochs, iterations):
            if runs and runs[-1][0] == rate:
                runs[-1][1] += 1
            else:
                runs.append([rate, 1])
        recorded[name] = {"iters": iterations, "epochs": epochs, "sched": s, "base_lr": s["lr"], "lr_run_length": runs, "n": epochs * iterations, "scheduler_state": scheduler_state(s, [s["lr"]])}
    recorded["scheduler_step_t_0_to_59"] = [rate_at(RAW, RAW["lr"], t) for t in range(60)]
    save_json(target / "lr_schedule.json", recorded)


def record_queues(target):
    steps = []
    for size, batch, start in [(7, 3, 0), (7, 3, 5), (6, 3, 3), (5, 5, 0), (9, 2, 8), (4, 3, 2)]:
        image, text = torch.zeros(2, size), torch.zeros(2, size)
        pointers, number = [start, start], 0
        for step in range(5):
            rows = torch.tensor([[float(n), -float(n)] for n in range(number + 1, number + batch + 1)])
            pointers = [albef.enqueue(image, pointers[0], rows), albef.enqueue(text, pointers[1], 10 * rows)]
            number += batch
            steps.append({"queue": size, "batch": batch, "start_ptr": start, "step": step, "ptr": pointers[0], "image_row0": image[0].tolist(), "text_row1": text[1].tolist()})
    save_json(target / "queue_cases.json", {"note": "features of sample n (from 1) are image (n, -n), text (10 n, -10 n); queues start as zeros", "steps": steps})


def resize_positions(positions, side):
    """Bicubic without smoothing, the first token untouched. [1, 1 + n * n, W] -> [1, 1 + side * side, W]."""
    n = math.isqrt(positions.shape[1] - 1)
    if n == side:
        return positions
    grid = positions[:, 1:].reshape(1, n, n, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (side, side), mode="bicubic", align_corners=False)
    return torch.cat([positions[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def record_positions(target, c, weights):
    tensors, generator = {}, torch.Generator().manual_seed(3)
    side = c["image_res"] // c["patch"]
    for copied in ["", "_m"]:
        tensors[f"src{copied}"] = weights[f"visual_encoder{copied}.pos_embed"]
        tensors[f"dst{copied}"] = resize_positions(tensors[f"src{copied}"], side + 2)
    for a, b in [(3, 7), (7, 3), (5, 5), (16, 24)]:
        tensors[f"src_{a}to{b}"] = torch.randn(1, 1 + a * a, 3, generator=generator)
        tensors[f"dst_{a}to{b}"] = resize_positions(tensors[f"src_{a}to{b}"], b)
    save_tensors(target / "pos_embed_interp.safetensors", tensors)


def save_checkpoints(target, c, state, groups, betas, eps):
    s, base = c["schedular"], c["optimizer"]["lr"]
    at, param_groups = 0, []
    for names, decay in zip(groups, [0.0, c["optimizer"]["weight_decay"]]):
        options = {key: value for key, value in torch.optim.AdamW([torch.zeros(1, requires_grad=True)], betas=betas, eps=eps).state_dict()["param_groups"][0].items() if key != "params"}
        param_groups.append({**options, "lr": s["warmup_lr"] if s["warmup_epochs"] else base, "weight_decay": decay, "initial_lr": base, "params": list(range(at, at + len(names)))})
        at += len(names)
    saved = {"model": state, "optimizer": {"state": {}, "param_groups": param_groups}, "lr_scheduler": scheduler_state(s, [base] * 2), "config": c["written"], "epoch": 0}
    torch.save(saved, target / "checkpoint_00.pth")
    torch.save({"model": state}, target / "model_legacy.pth", _use_new_zipfile_serialization=False)


def differences(c, tensors, batch, gradients):
    """Central differences in float64 of the consistency loss, at the largest entries of some tensors."""
    start = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    rows = []
    names = [name for name in gradients if "key.bias" not in name and gradients[name].abs().max() > 1e-5]
    for name in names[:: max(1, len(names) // 8)]:
        index = int(gradients[name].abs().argmax())
        values = []
        for sign in [1, -1]:
            moved = {key: value.clone().requires_grad_(tensors[key].requires_grad) for key, value in start.items()}
            with torch.no_grad():
                moved[name].view(-1)[index] += sign * 1e-5
            values.append(float(albef.forward(c, moved, batch, c["alpha"])["amc"].detach()))
        analytic, numeric = float(gradients[name].view(-1)[index]), (values[0] - values[1]) / 2e-5
        gap = abs(analytic - numeric)
        rows.append({"param": name, "index": index, "analytic": analytic, "numeric": numeric, "abs_err": gap, "rel_err": gap / max(abs(analytic), abs(numeric))})
    return {"results": {"fd_n": len(rows), "fd_max_abs_err": max(r["abs_err"] for r in rows), "fd_max_rel_err": max(r["rel_err"] for r in rows)}, "fd": rows}


def record_parts(target, c, weights):
    record_rates(target, c["schedular"])
    record_queues(target)
    record_positions(target, c, weights)


def record_preparation(target, c, rng):
    sizes = [(31, 57), (83, 44), (7, 90)]
    sides, mask_sides = [40, 21], [c["mask_size"], 20]
    tensors, images, annotations, cases = {}, [], [], []
    (target / "prep").mkdir(exist_ok=True)
    for i, (width, height) in enumerate(sizes):
        rgb = pictures.picture(rng, width, height)
        Image.fromarray(rgb).save(target / f"prep/{i}.png")
        images.append({"file": f"prep/{i}.png", "w": width, "h": height, "mode": "RGB"})
        tensors[f"{i}/rgb"] = torch.from_numpy(rgb)
        for side in sides:
            small, square = pictures.linear(rgb, side), pictures.bicubic(rgb, side)
            tensors |= {f"{i}/cv2_linear_{side}_u8": torch.from_numpy(small), f"{i}/pil_bicubic_{side}_u8": torch.from_numpy(square.copy())}
            tensors |= {f"{i}/alb_{side}": pictures.training_pixels(small), f"{i}/test_transform_{side}": pictures.evaluation_pixels(square)}
        if i == 0:
            tensors["togray_u8"] = torch.from_numpy(pictures.gray(rgb))
    draws = []
    for _ in range(3):
        draw = {"brightness": rng.uniform(0.6, 1.4), "contrast": rng.uniform(0.6, 1.4), "saturation": rng.uniform(0.6, 1.4), "hue": rng.uniform(-0.4, 0.4)}
        draw |= {"sat_shift": int(draw["saturation"] * 255), "hue_shift": int(draw["hue"] * 255)}
        jittered = pictures.jitter(tensors["0/rgb"].numpy(), draw["brightness"], draw["contrast"], draw["hue_shift"], draw["sat_shift"])
        tensors[f"colorjitter_{len(draws)}_u8"] = torch.from_numpy(jittered)
        draws.append(draw)
    width, height = sizes[1]
    boxes = [[4, 5, 40, 30], [-8, -3, 20.9, 12.2], [70, 30, 120, 99], [0, 0, width, height], [10.7, 10.2, 11.9, 40]]
    for i, box in enumerate(boxes):
        annotations.append({"image": "prep/1.png", "caption": [texts.CAPTIONS[i % 5]], "bbox": [box]})
        for side in sides:
            for mask_side in mask_sides:
                mask = pictures.region([box], width, height, side, mask_side)
                tensors[f"mask/R{side}_ms{mask_side}_{i}"] = mask
                case = {"R": side, "mask_size": mask_side, "i": i, "box": box, "caption": texts.clean(texts.CAPTIONS[i % 5], c["max_words"]), "indicator": [1]}
                cases.append(case | {"mask_sum": float(mask.sum()), "mask_dtype": str(mask.dtype)})
    tensors[f"mask/mask_all_R{sides[0]}_ms{mask_sides[0]}"] = pictures.region(boxes[:3], width, height, sides[0], mask_sides[0])
    versions = {"torch": torch.__version__, "numpy": np.__version__}
    save_json(target / "prep/prep.json", {"versions": versions, "images": images, "colorjitter": draws, "mask_all_boxes": boxes[:3], "mask_cases": cases})
    save_json(target / "prep/ann.json", annotations)
    save_tensors(target / "prep/prep.safetensors", tensors)
