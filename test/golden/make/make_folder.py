"""
Makes a golden folder of other sizes: PRESET (sizes.py) into DIRECTORY.

    python3.11 -m venv VENV
    VENV/bin/pip install torch numpy opencv-python-headless pillow pyyaml requests tqdm filelock packaging regex "huggingface_hub==0.0.12"
    VENV/bin/pip install --no-deps "transformers==4.8.1"
    VENV/bin/python make_folder.py small DIRECTORY

The model and its losses are in albef.py, written from the formulas; nothing here runs the published code.
"""
import copy
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import albef
import evaluation
import parts
import pictures
import texts
from formats import listing, save_json, save_tensors
from sizes import PRESETS

FORWARD = [
    "image_embeds", "image_embeds_m", "text_embeds", "image_feat", "image_feat_m", "text_feat", "text_feat_m", "sim_i2t", "sim_t2i", "sim_i2t_targets", "sim_t2i_targets",
    "weights_i2t", "weights_t2i", "fusion_pos", "fusion_neg", "itm_logits", "attn_map", "attn_grad", "mlm_logits", "mlm_logits_m",
]
AMC = ["avg_in", "avg_out", "gradcam_full_selected", "gradcam_norm", "gradcam_raw", "gradcam_up", "loss_max", "loss_mean", "mask_selected", "max_in", "max_out"]
LOSSES = ["loss_mlm", "loss_ita", "loss_itm", "loss_mean", "loss_max", "amc", "total", "loss_i2t", "loss_t2i"]
RATE, DECAY, BETAS, EPS = 1e-3, 0.02, (0.9, 0.999), 1e-8


def start_weights(c, pointer, generator):
    """Every tensor of a checkpoint, in its order; momentum copies a little off, features in the queues."""
    normal = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    tensors = {}
    for name, shape in albef.names_and_shapes(c).items():
        if name == "temp":
            value = torch.tensor(0.09)
        elif "norm" in name.lower() and name.endswith("weight"):
            value = 1 + 0.1 * normal(*shape)
        elif len(shape) == 1:
            value = 0.1 * normal(*shape)
        else:
            value = normal(*shape) * (0.3 if "embed" in name or "cls_token" in name else 1.1 / shape[-1] ** 0.5 if len(shape) == 2 else 0.1)
        tensors[name] = value
    for name in [name for name in tensors if albef.has_copy(name)]:
        tensors[albef.copy_of(name)] = tensors[name] + 0.02 * normal(*tensors[name].shape)
    for name in ["image_queue", "text_queue"]:
        tensors[name] = torch.nn.functional.normalize(normal(c["embed_dim"], c["queue_size"]), dim=0)
    for name in ["queue_ptr_img", "queue_ptr_txt"]:
        tensors[name] = torch.tensor([pointer])
    return tensors


def as_checkpoint(tensors, c):
    """With what the published state repeats: position ids, the decoder tied to the word embedding, its bias."""
    state = {}
    for name, tensor in tensors.items():
        state[name] = tensor.detach().clone()
    for copied in ["", "_m"]:
        state[f"text_encoder{copied}.bert.embeddings.position_ids"] = torch.arange(c["bert"]["max_position_embeddings"])[None]
        state[f"text_encoder{copied}.cls.predictions.decoder.weight"] = state[f"text_encoder{copied}.bert.embeddings.word_embeddings.weight"]
        state[f"text_encoder{copied}.cls.predictions.decoder.bias"] = state[f"text_encoder{copied}.cls.predictions.bias"]
    return state


def fresh(weights, c, double=False):
    """A copy to run with: trainable tensors ask for gradients."""
    trainable = albef.names_and_shapes(c)
    tensors = {name: (t.double() if double and t.is_floating_point() else t).clone() for name, t in weights.items()}
    for name in trainable:
        tensors[name].requires_grad_()
    return tensors


def doubled(batch):
    return {name: t.double() if t.is_floating_point() else t for name, t in batch.items()}


def make_batch(c, tokenizer, target, rng, generator, special):
    """The batch from pictures and records, as the published loader makes it without its random parts."""
    records, images, masks = [], [], []
    for i in range(c["batch_size"]):
        width, height = int(rng.integers(40, 150)), int(rng.integers(40, 150))
        rgb = pictures.picture(rng, width, height)
        name = f"train_images/{i}.png"
        (target / "train_images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(target / name)
        boxes = [[int(width * 0.1 * (j + 1)), int(height * 0.15), int(width * 0.3 * (j + 1.6)), height * 0.7 + 5.5] for j in range(1 + (i % 2 if c["mask_all"] else 0))]
        records.append({"image": name, "caption": texts.CAPTIONS[i] if i % 2 else [texts.CAPTIONS[i]], "bbox": boxes})
        images.append(pictures.training_pixels(pictures.linear(rgb, c["image_res"])))
        masks.append(pictures.region(boxes, width, height, c["image_res"], c["mask_size"]))
    captions = [record["caption"] if isinstance(record["caption"], str) else record["caption"][0] for record in records]
    cleaned = [texts.clean(caption, c["max_words"]) for caption in captions]
    ids, mask = tokenizer.tensors(cleaned, 25)
    count = len(ids)
    ones = torch.ones(count, 1).long()
    first_off, single = ones.clone(), torch.zeros_like(ones)
    first_off[min(1, count - 1)], single[-1] = 0, 1
    free = (ids != special["[PAD]"]) & (ids != special["[CLS]"])
    chosen = free & (torch.rand(ids.shape, generator=generator) < c["mlm_probability"])
    chosen[0, 1] = True
    masked = torch.where(chosen & (torch.rand(ids.shape, generator=generator) < 0.8), torch.tensor(special["[MASK]"]), ids)
    batch = {
        "attention_mask": mask, "gt_mask": torch.stack(masks), "gt_mask_indicator": ones, "gt_mask_indicator_ind0": first_off, "gt_mask_indicator_none": torch.zeros_like(ones),
        "gt_mask_indicator_single": single, "image": torch.stack(images), "input_ids": ids, "mlm_input_ids": masked, "mlm_labels": torch.where(chosen, ids, torch.tensor(-100)),
    }
    save_json(target / "train.json", records)
    return batch, {"captions": captions, "pre_captions": cleaned}


def losses_of(out):
    return {name: float(out[name].detach()) for name in LOSSES if name in out}


def gradients_of(loss, tensors, c):
    names = list(albef.names_and_shapes(c))
    found = torch.autograd.grad(loss.sum(), [tensors[name] for name in names], allow_unused=True)
    return {name: gradient for name, gradient in zip(names, found) if gradient is not None}, [name for name, gradient in zip(names, found) if gradient is None]


def describe(single, exact):
    """What is recorded of each gradient in float64."""
    return {
        name: {
            "f64_absmax": float(g.abs().max()), "f64_norm": float(g.norm()), "f64_sum": float(g.sum()), "max_abs_diff_f32_f64": float((g - single[name].double()).abs().max()),
            "exact_zero_entries": int((g == 0).sum()), "numel": g.numel(),
        }
        for name, g in exact.items()
    }


def record_forward(target, c, weights, batch, settings):
    alpha, other = c["alpha"], settings["other_layer"]

    def draw(table):
        return torch.multinomial(table, 1, generator=settings["generator"])[:, 0]

    tensors = fresh(weights, c)
    out = albef.forward(c, tensors, batch, alpha, draw=draw)
    save_tensors(target / "inputs.safetensors", dict(sorted(batch.items())))
    save_tensors(target / "forward.safetensors", {name: out[name] for name in FORWARD})
    save_tensors(target / "queues_after_forward.safetensors", {name: tensors[name] for name in ["image_queue", "queue_ptr_img", "queue_ptr_txt", "text_queue"]})
    shapes = {f"shape_{name}": list(out[name].shape) for name in ["loss_mean", "loss_max", "total"]}
    run = lambda **changes: albef.forward(c, fresh(weights, c), batch, **{"alpha": alpha, **changes})  # noqa: E731
    below = run(layer=other)
    none = run(indicator="gt_mask_indicator_none")
    losses = {"f32": losses_of(out) | shapes}
    losses["f64"] = losses_of(albef.forward(c, fresh(weights, c, True), doubled(batch), alpha)) | shapes
    for variant in ["ind0", "single"]:
        found = run(indicator=f"gt_mask_indicator_{variant}")
        losses[variant] = losses_of(found)
        save_tensors(target / f"amc_{variant}.safetensors", {name: found[name][0] if name == "gradcam_up" and len(found[name]) == 1 else found[name] for name in AMC})
    losses["none"] = {"n_returned": 3, "values": [float(none[name].detach()) for name in ["loss_mlm", "loss_ita", "loss_itm"]]}
    for share in [0.0, 0.2]:
        losses[f"alpha_{share}"] = losses_of(run(alpha=share))
    losses[f"gcam_layer{other}"] = losses_of(below)
    losses["batch1"] = "ValueError: the published code does not take a batch of one"
    save_json(target / "losses.json", losses)
    save_tensors(target / "amc_full.safetensors", {name: out[name] for name in AMC})
    save_tensors(target / f"amc_layer{other}.safetensors", {name: below[name] for name in ["attn_grad", "attn_map", *AMC]})


def record_gradients(target, c, weights, batch, other):
    info, found = {}, {}
    for kind, layer, loss in [("total", None, "total"), ("amc", None, "amc"), (f"amc_layer{other}", other, "amc")]:
        both = []
        for double in [False, True]:
            tensors = fresh(weights, c, double)
            out = albef.forward(c, tensors, doubled(batch) if double else batch, c["alpha"], layer=layer)
            both.append(gradients_of(out[loss], tensors, c))
        (single, missing), (exact, _) = both
        save_tensors(target / f"grads_{kind}.safetensors", dict(sorted(single.items())))
        info[kind] = describe(single, exact)
        info[f"no_grad_{kind}"] = missing
        found[kind] = exact
    save_json(target / "grads_info.json", info)
    save_json(target / "verify.json", parts.differences(c, fresh(weights, c, True), doubled(batch), found["amc"]))


def record_steps(target, c, weights, batch, settings):
    names = albef.names_and_shapes(c)
    decays = {name: not (len(shape) == 1 or name.endswith(".bias")) for name, shape in names.items()}
    groups = [[name for name in names if not decays[name]], [name for name in names if decays[name]]]
    states, losses = {}, {"f32": [], "f64": []}
    for key, double in [("f32", False), ("f64", True)]:
        tensors = fresh(weights, c, double)
        options = [{"params": [tensors[name] for name in group], "weight_decay": share} for group, share in zip(groups, [0.0, DECAY])]
        optimizer = torch.optim.AdamW(options, lr=RATE, betas=BETAS, eps=EPS)
        for step in range(1, 5):
            out = albef.forward(c, tensors, doubled(batch) if double else batch, c["alpha"])
            optimizer.zero_grad()
            out["total"].sum().backward()
            optimizer.step()
            row = {"step": step, **{name: float(out[name].detach()) for name in ["loss_mlm", "loss_ita", "loss_itm", "loss_mean", "loss_max", "total"]}}
            losses[key].append(row | {"temp_after": float(tensors["temp"].detach()), "queue_ptr_img": int(tensors["queue_ptr_img"]), "queue_ptr_txt": int(tensors["queue_ptr_txt"])})
            states[key, step] = {name: tensor.detach().clone() for name, tensor in tensors.items()}
            if key == "f32" and step == 3 and settings["step_checkpoint"]:
                saved = {"model": as_checkpoint(tensors, c), "optimizer": optimizer.state_dict(), "lr_scheduler": parts.scheduler_state(c["schedular"], [RATE] * 2), "config": c["written"], "epoch": 0}
                for group in saved["optimizer"]["param_groups"]:
                    group["initial_lr"] = RATE
                torch.save(saved, target / "ckpt_step3.pth")
    spread = {}
    for step in [1, 3]:
        single, exact = states["f32", step], states["f64", step]
        gaps = {name: (exact[name] - single[name].double()).abs() for name in sorted(single) if single[name].is_floating_point()}
        spread[f"step{step}"] = {name: {"max_abs_diff_f32_f64": float(gap.max()), "n_diff_gt_1e5": int((gap > 1e-5).sum()), "numel": gap.numel()} for name, gap in gaps.items()}
        kept = [name for i, name in enumerate(sorted(single)) if "_m." not in name or (i * 0.618) % 1 < settings["keep_momentum"]]
        save_tensors(target / f"step{step}.safetensors", {name: single[name] for name in kept})
    if settings["step_checkpoint"]:
        save_tensors(target / "step4_probe.safetensors", {name: states["f32", 4][name] for name in ["image_queue", "itm_head.weight", "queue_ptr_img", "temp", "text_proj.weight", "text_queue"]})
    save_json(target / "steps.json", {"losses": losses, "f32_vs_f64": spread})
    options = {key: value for key, value in optimizer.state_dict()["param_groups"][0].items() if key != "params"}
    listed = [{**options, "weight_decay": share, "initial_lr": RATE} for share in [0.0, DECAY]]
    save_json(target / "optimizer_groups.json", {"no_decay": groups[0], "decay": groups[1], "group_options": listed, "torch": torch.__version__})
    return groups


def main(preset, directory):
    torch.set_num_threads(1)  # the same sums in the same order everywhere
    settings = copy.deepcopy(PRESETS[preset])
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    rng, generator = np.random.default_rng(settings["seed"]), torch.Generator().manual_seed(settings["seed"])
    settings["generator"] = generator
    patch = settings["config"].pop("patch")
    bert = {
        "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.0, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
        "model_type": "bert", "pad_token_id": settings["special"]["[PAD]"], "type_vocab_size": 2, "encoder_width": settings["config"]["vision_width"], **settings["bert"],
    }
    written = {**settings["config"], "bert_config": "bert_config.json"}
    c = {**written, "patch": patch, "bert": bert, "written": written}
    save_json(target / "config.json", written)
    save_json(target / "bert_config.json", bert)
    vocabulary = texts.make_vocabulary(bert["vocab_size"], settings["special"])
    (target / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    tokenizer = texts.Tokenizer(target / "vocab.txt", settings["special"])
    save_json(target / "tokenizer_small.json", tokenizer.record())
    save_json(target / "pre_caption.json", [{"inp": text, "max_words": most, "out": texts.clean(text, most)} for text in texts.CLEAN + texts.CAPTIONS for most in [3, 50]])

    weights = start_weights(c, settings["pointer"], generator)
    batch, words = make_batch(c, tokenizer, target, rng, generator, settings["special"])
    special = {name.strip("[]").lower(): place for name, place in settings["special"].items()}
    save_json(target / "inputs.json", {
        **words, "special_ids": special, "alpha": c["alpha"], "weight_seed": settings["seed"], "initial_queue_ptr": settings["pointer"], "amc_weights": [0.2, 0.8], "margins": [0.1, 0.5],
    })
    record_forward(target, c, weights, batch, settings)
    record_gradients(target, c, weights, batch, settings["other_layer"])
    groups = record_steps(target, c, weights, batch, settings)
    parts.save_checkpoints(target, c, as_checkpoint(weights, c), groups, BETAS, EPS)
    save_json(target / "checkpoint_00_tensors.json", listing(as_checkpoint(weights, c)))
    parts.record_parts(target, c, weights)
    evaluation.record_evaluation(target, c, weights, tokenizer, settings, rng)
    parts.record_preparation(target, c, rng)


if __name__ == "__main__":
    main(*sys.argv[1:])
