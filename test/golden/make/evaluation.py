"""The evaluation: heatmaps of both kinds at another image size, their points, result files."""
import numpy as np
import torch
import torch.nn.functional as F

import albef
import pictures
import texts
from formats import save_json, save_tensors
from parts import resize_positions


def catching(wanted):
    """A tap that lets every attention pass and keeps the wanted one under "a"."""
    seen = {}

    def tap(i, a):
        if i == wanted:
            seen["a"] = a
        return a

    return seen, tap


def itm_maps(model, images, ids, mask, layer):
    """Cross-attention of one layer weighted by the gradient of the match: attention, gradient, logits, maps."""
    seen, tap = catching(layer)
    logits = model.match(model.fuse(model.text(ids, mask), mask, model.image(images), tap))
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), seen["a"])
    side = round((seen["a"].shape[-1] - 1) ** 0.5)
    return seen["a"], gradient, logits, albef.heatmaps(seen["a"], gradient, mask, side)[1]


def itc_maps(model, images, ids, mask, block):
    """What [CLS] of one image block looks at, weighted by the gradient of the similarity of each pair."""
    seen, tap = catching(block)
    image, text = model.unit(model.image(images, tap), "vision_proj"), model.unit(model.text(ids, mask), "text_proj")
    sim = image @ text.T / model["temp"]
    (gradient,) = torch.autograd.grad(sim.diagonal().sum(), seen["a"])
    side = round((seen["a"].shape[-1] - 1) ** 0.5)
    pred = (seen["a"][:, :, 0, 1:] * gradient[:, :, 0, 1:].clamp(min=0)).mean(1).unflatten(-1, (side, side))
    return {"vit_attn": seen["a"], "vit_attn_grad": gradient, "image_feat": image, "text_feat": text, "sim": sim}, pred


def point_of(heat, height, width):
    up = F.interpolate(heat[None, None], (height, width), mode="bicubic", align_corners=False)[0, 0]
    at = int((up == up.max()).flatten().nonzero()[0])
    return up, (at % width, at // width)


def record_points(target, c, preds, settings, rng):
    boxes, sizes, splits, log = [], [], [], []
    for n, heat in enumerate(preds):
        height, width = 40 + 9 * n, 75 - 6 * n
        up, (x, y) = point_of(heat, height, width)
        own = [[x - 3, y - 4, x + 5, y + 6]] if n % 2 == 0 else [[0, 0, 4, 5], [int(width / 2), 3, width - 1, int(height / 2)]]
        split = ["test", "val"][n % 2]
        hit = any(x1 < x < x2 and y1 < y < y2 for x1, y1, x2, y2 in own)
        log.append({"ref_id": n, "point": [x, y], "hit": hit, "boxes": own, "split": split, "up_max": float(up.max()), "up_sum": float(up.double().sum()), "hw": [height, width]})
        boxes.append(own)
        sizes.append([height, width])
        splits.append(split)
    share = lambda split: float(np.mean([row["hit"] for row in log if row["split"] == split]))  # noqa: E731
    save_json(target / "eval_flickr_end2end.json", {"boxes": boxes, "result": {"val_d": share("val"), "test": share("test")}, "log": log, "hw": sizes, "splits": splits})
    results = [{"ref_id": n, "pred": heat.clone(), "image_height": sizes[n][0], "image_width": sizes[n][1], "split": splits[n]} for n, heat in enumerate(preds)]
    torch.save(results, target / "flickr_result_epoch00.pth")


def record_evaluation(target, c, weights, tokenizer, settings, rng):
    size, most = settings["eval_res"], settings["eval_batch"]
    grid = size // c["patch"]
    ec = {**c, "image_res": size}
    tensors = {name: tensor.clone() for name, tensor in weights.items()}
    tensors["visual_encoder.pos_embed"] = resize_positions(tensors["visual_encoder.pos_embed"], grid)
    for tensor in tensors.values():
        if tensor.is_floating_point():
            tensor.requires_grad_()
    model = albef.Model(ec, tensors)
    phrases = texts.PHRASES[: settings["phrases"]]
    images = torch.stack([pictures.evaluation_pixels(pictures.bicubic(pictures.picture(rng, 60 + 9 * i, 90 - 7 * i), size)) for i in range(len(phrases))])
    cleaned = [texts.clean(phrase, c["max_words"]) for phrase in phrases]
    batches = [(at, *tokenizer.tensors(cleaned[at : at + most])) for at in range(0, len(cleaned), most)]
    out = {"images": images, "image_embeds": model.image(images)}
    last = c["bert"]["num_hidden_layers"] - 1
    for kind, layers in [("itm", sorted({c["gcam_layer"], settings["other_layer"], last})), ("itc", [0, c["vit_depth"] - 1])]:
        for layer in layers:
            preds = []
            for n, (at, ids, mask) in enumerate(batches):
                prefix, some = f"{kind}_block{layer}/batch{n}/", images[at : at + len(ids)]
                if kind == "itm":
                    attention, gradient, logits, pred = itm_maps(model, some, ids, mask, layer)
                    values = {"attn_map": attention, "attn_grad": gradient, "vl_output": logits}
                else:
                    values, pred = itc_maps(model, some, ids, mask, layer)
                out |= {prefix + name: value for name, value in {**values, "input_ids": ids, "attention_mask": mask}.items()}
                preds.append(pred)
            out[f"{kind}_block{layer}/pred"] = torch.cat(preds)
    single = torch.cat([itm_maps(model, images[n : n + 1], *tokenizer.tensors([phrase]), c["gcam_layer"])[3] for n, phrase in enumerate(cleaned)])
    out["itm_single/pred"] = single
    save_tensors(target / "eval.safetensors", dict(sorted(out.items())))
    batched = out[f"itm_block{c['gcam_layer']}/pred"].detach()
    renamed = {name: name.replace("bert.", "") for name in checkpoint_names(c, weights) if "bert" in name}
    short = [renamed.get(name, name) for name in checkpoint_names(c, weights)]
    queue, other = [c["embed_dim"], c["queue_size"]], [c["embed_dim"], 2 * c["queue_size"]]
    stops = "".join(f"\n\tsize mismatch for {name}: copying a param with shape torch.Size({queue}) from checkpoint, the shape in current model is torch.Size({other})." for name in ["image_queue", "text_queue"])
    fields = {"ref_id": 0, "pred": [grid, grid], "split": "test"}
    save_json(target / "eval.json", {
        "eval_image_res": size, "grid": grid, "missing": ["idx_queue", "queue_ptr"], "unexpected": [name for name in short if ".cls.predictions." in name or name.startswith("queue_ptr_")],
        "renamed": renamed, "queue_size_mismatch": "Error(s) in loading state_dict for ALBEF:" + stops, "refclef_result_fields": fields | {"image_path": "0.png"},
        "flickr_result_fields": fields | {"image_height": 40, "image_width": 75}, "single_over_batched_ratio": [float(a.sum() / b.sum()) for a, b in zip(single.detach(), batched)],
        "phrases": phrases, "pre_captions": cleaned, "batch_size": most, "token_lengths": [mask.sum(1).tolist() for _, _, mask in batches],
    })
    record_points(target, c, batched, settings, rng)


def checkpoint_names(c, weights):
    extra = ["bert.embeddings.position_ids", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"]
    return [*weights, *[f"text_encoder{copied}.{name}" for copied in ["", "_m"] for name in extra]]
