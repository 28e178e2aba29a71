"""
The model and its losses in PyTorch, from the formulas: ViT, BERT split in two, momentum copy, queues, contrast, matching,
masked words, and the consistency of Grad-CAM heatmaps with regions. Functions over a dictionary of named tensors, so that
the same code runs in float32 and float64. B samples, L tokens, P = 1 + g * g image tokens, h heads, W width.
"""
import math

import torch
import torch.nn.functional as F


def names_and_shapes(c):
    """Every trainable parameter in the order of the published module: name -> shape."""
    b, v, w = c["bert"], c["vision_width"], c["bert"]["hidden_size"]
    shapes = {"temp": ()}
    pre = "visual_encoder."
    side = c["image_res"] // c["patch"]
    shapes |= {pre + "cls_token": (1, 1, v), pre + "pos_embed": (1, 1 + side * side, v), pre + "patch_embed.proj.weight": (v, 3, c["patch"], c["patch"]), pre + "patch_embed.proj.bias": (v,)}
    for i in range(c["vit_depth"]):
        p = f"{pre}blocks.{i}."
        shapes |= {p + "norm1.weight": (v,), p + "norm1.bias": (v,), p + "attn.qkv.weight": (3 * v, v), p + "attn.qkv.bias": (3 * v,), p + "attn.proj.weight": (v, v), p + "attn.proj.bias": (v,)}
        shapes |= {p + "norm2.weight": (v,), p + "norm2.bias": (v,), p + "mlp.fc1.weight": (4 * v, v), p + "mlp.fc1.bias": (4 * v,), p + "mlp.fc2.weight": (v, 4 * v), p + "mlp.fc2.bias": (v,)}
    shapes |= {pre + "norm.weight": (v,), pre + "norm.bias": (v,)}

    def linear(name, out, into):
        return {name + ".weight": (out, into), name + ".bias": (out,)}

    def norm(name):
        return {name + ".weight": (w,), name + ".bias": (w,)}

    p = "text_encoder.bert.embeddings."
    shapes |= {p + "word_embeddings.weight": (b["vocab_size"], w), p + "position_embeddings.weight": (b["max_position_embeddings"], w), p + "token_type_embeddings.weight": (2, w)} | norm(p + "LayerNorm")
    for i in range(b["num_hidden_layers"]):
        p = f"text_encoder.bert.encoder.layer.{i}."
        for kind, into in [("attention", w)] + ([("crossattention", v)] if i >= b["fusion_layer"] else []):
            shapes |= linear(f"{p}{kind}.self.query", w, w) | linear(f"{p}{kind}.self.key", w, into) | linear(f"{p}{kind}.self.value", w, into)
            shapes |= linear(f"{p}{kind}.output.dense", w, w) | norm(f"{p}{kind}.output.LayerNorm")
        shapes |= linear(p + "intermediate.dense", b["intermediate_size"], w) | linear(p + "output.dense", w, b["intermediate_size"]) | norm(p + "output.LayerNorm")
    p = "text_encoder.cls.predictions."
    shapes |= {p + "bias": (b["vocab_size"],)} | linear(p + "transform.dense", w, w) | norm(p + "transform.LayerNorm")
    return shapes | linear("vision_proj", c["embed_dim"], v) | linear("text_proj", c["embed_dim"], w) | linear("itm_head", 2, w)


def has_copy(name):
    return name.startswith(("visual_encoder.", "text_encoder.", "vision_proj.", "text_proj."))


def copy_of(name):
    head, rest = name.split(".", 1)
    return f"{head}_m.{rest}"


class Model:
    """Named tensors with the settings they belong to; `copy` is '' for the trained model, '_m' for its momentum copy."""

    def __init__(self, settings, tensors, copy=""):
        self.c, self.tensors, self.copy = settings, tensors, copy

    def __getitem__(self, name):
        return self.tensors[copy_of(name) if self.copy and has_copy(name) else name]

    def linear(self, x, name):
        return F.linear(x, self[name + ".weight"], self[name + ".bias"])

    def norm(self, x, name, eps):
        return F.layer_norm(x, x.shape[-1:], self[name + ".weight"], self[name + ".bias"], eps)

    def image(self, pixels, tap=None):
        """[B, 3, S, S] -> [B, P, v]; `tap` is called with each block's number and attention and may replace it."""
        c = self.c
        x = F.conv2d(pixels, self["visual_encoder.patch_embed.proj.weight"], self["visual_encoder.patch_embed.proj.bias"], stride=c["patch"])
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self["visual_encoder.cls_token"].expand(len(x), -1, -1), x], 1) + self["visual_encoder.pos_embed"]
        for i in range(c["vit_depth"]):
            p = f"visual_encoder.blocks.{i}."
            q, k, v = (split(part, c["vit_heads"]) for part in self.linear(self.norm(x, p + "norm1", 1e-6), p + "attn.qkv").chunk(3, -1))
            attention = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
            if tap:
                attention = tap(i, attention)
            x = x + self.linear(join(attention @ v), p + "attn.proj")
            x = x + self.linear(F.gelu(self.linear(self.norm(x, p + "norm2", 1e-6), p + "mlp.fc1")), p + "mlp.fc2")
        return self.norm(x, "visual_encoder.norm", 1e-6)

    def embed(self, ids):
        p = "text_encoder.bert.embeddings."
        words = F.embedding(ids, self[p + "word_embeddings.weight"], padding_idx=self.c["bert"]["pad_token_id"])
        x = words + self[p + "token_type_embeddings.weight"][0] + self[p + "position_embeddings.weight"][: ids.shape[1]]
        return self.norm(x, p + "LayerNorm", 1e-12)

    def attend(self, x, source, name, bias=0.0, tap=None):
        heads = self.c["bert"]["num_attention_heads"]
        q, k, v = (split(self.linear(of, f"{name}.self.{part}"), heads) for part, of in [("query", x), ("key", source), ("value", source)])
        attention = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias).softmax(-1)
        if tap:
            attention = tap(attention)
        return self.norm(self.linear(join(attention @ v), name + ".output.dense") + x, name + ".output.LayerNorm", 1e-12)

    def layers(self, x, mask, first, last, image=None, tap=None):
        """Layers first..last-1 on [B, L, W]; those from the fusion layer on look at `image`, and `tap` sees their attention."""
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * -10000.0
        for i in range(first, last):
            p = f"text_encoder.bert.encoder.layer.{i}."
            x = self.attend(x, x, p + "attention", bias)
            if i >= self.c["bert"]["fusion_layer"]:
                x = self.attend(x, image, p + "crossattention", 0.0, (lambda a, i=i: tap(i, a)) if tap else None)
            x = self.norm(self.linear(F.gelu(self.linear(x, p + "intermediate.dense")), p + "output.dense") + x, p + "output.LayerNorm", 1e-12)
        return x

    def text(self, ids, mask):
        return self.layers(self.embed(ids), mask, 0, self.c["bert"]["fusion_layer"])

    def fuse(self, text, mask, image, tap=None):
        return self.layers(text, mask, self.c["bert"]["fusion_layer"], self.c["bert"]["num_hidden_layers"], image, tap)

    def words(self, ids, mask, image):
        """Logits of every word at every place."""
        p = "text_encoder.cls.predictions."
        x = self.fuse(self.text(ids, mask), mask, image)
        x = self.norm(F.gelu(self.linear(x, p + "transform.dense")), p + "transform.LayerNorm", 1e-12)
        return x @ self["text_encoder.bert.embeddings.word_embeddings.weight"].T + self[p + "bias"]

    def unit(self, rows, name):
        return F.normalize(self.linear(rows[:, 0], name), dim=-1)

    def match(self, fused):
        return self.linear(fused[:, 0], "itm_head")


def split(x, heads):
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)


def join(x):
    return x.transpose(1, 2).flatten(2)


def update_copies(tensors, momentum):
    with torch.no_grad():
        for name in list(tensors):
            if has_copy(name) and copy_of(name) in tensors:
                tensors[copy_of(name)].mul_(momentum).add_(tensors[name], alpha=1 - momentum)


def enqueue(queue, pointer, features):
    """Columns from the pointer on, round the end; returns the next pointer."""
    for row in features:
        queue[:, pointer] = row
        pointer = (pointer + 1) % queue.shape[1]
    return pointer


def heatmaps(attention, gradient, mask, side):
    """[B, h, L, g, g] and its mean over heads and all places, [B, g, g]."""
    kept = mask[:, None, :, None].to(attention.dtype)
    full = (attention[..., 1:] * gradient[..., 1:].clamp(min=0) * kept).unflatten(-1, (side, side))
    return full, full.mean((1, 2))


def consistency(raw, regions, c, margins=(0.1, 0.5)):
    """The two losses of K samples, with everything between. raw [K, g, g], regions [K, M, M]."""
    size = c["mask_size"]
    low = F.relu(raw).flatten(1)
    low = low - low.min(1, keepdim=True).values
    normal = (low / (low.max(1, keepdim=True).values + 1e-7)).view_as(raw)
    up = F.interpolate(normal[:, None], (size, size), mode="bilinear", align_corners=False)[:, 0]
    inside, outside = up * regions, up * (1 - regions)
    avg_in, avg_out = inside.sum() / regions.sum(), outside.sum() / (1 - regions).sum()
    max_in, max_out = inside.flatten(1).max(1).values, outside.flatten(1).max(1).values
    return {
        "gradcam_norm": normal, "gradcam_up": up, "avg_in": avg_in, "avg_out": avg_out, "max_in": max_in, "max_out": max_out,
        "loss_mean": F.relu(avg_out - avg_in + margins[0]).reshape(1), "loss_max": F.relu(max_out - max_in + margins[1]).mean(),
    }


def forward(c, tensors, batch, alpha, layer=None, indicator="gt_mask_indicator", draw=None):
    """
    One training step's forward pass with the momentum update before it and the queues after it (both in place).
    `draw` chooses hard negatives from the two tables of weights where `batch` holds none.
    """
    layer = c["gcam_layer"] if layer is None else layer
    out = {}
    with torch.no_grad():
        tensors["temp"].clamp_(0.001, 0.5)
    update_copies(tensors, c["momentum"])
    own, slow = Model(c, tensors), Model(c, tensors, "_m")
    ids, mask, count = batch["input_ids"], batch["attention_mask"], len(batch["image"])
    out["image_embeds"] = own.image(batch["image"])
    out["text_embeds"] = own.text(ids, mask)
    out["image_feat"], out["text_feat"] = own.unit(out["image_embeds"], "vision_proj"), own.unit(out["text_embeds"], "text_proj")
    with torch.no_grad():
        out["image_embeds_m"] = slow.image(batch["image"])
        out["image_feat_m"], out["text_feat_m"] = slow.unit(out["image_embeds_m"], "vision_proj"), slow.unit(slow.text(ids, mask), "text_proj")
    all_images = torch.cat([out["image_feat_m"].T, tensors["image_queue"].clone()], 1)
    all_texts = torch.cat([out["text_feat_m"].T, tensors["text_queue"].clone()], 1)
    for key, mine, theirs, momentum in [("i2t", "image_feat", all_texts, "image_feat_m"), ("t2i", "text_feat", all_images, "text_feat_m")]:
        sim = out[f"sim_{key}"] = out[mine] @ theirs / tensors["temp"]
        with torch.no_grad():
            soft = (out[momentum] @ theirs / tensors["temp"]).softmax(1)
            target = out[f"sim_{key}_targets"] = alpha * soft + (1 - alpha) * torch.eye(*soft.shape, dtype=soft.dtype)
            out[f"weights_{key}"] = sim[:, :count].softmax(1).fill_diagonal_(0)
        out[f"loss_{key}"] = -(sim.log_softmax(1) * target).sum(1).mean()
    out["loss_ita"] = (out["loss_i2t"] + out["loss_t2i"]) / 2
    pointer = int(tensors["queue_ptr_img"])
    tensors["queue_ptr_img"][0] = enqueue(tensors["image_queue"], pointer, out["image_feat_m"])
    tensors["queue_ptr_txt"][0] = enqueue(tensors["text_queue"], int(tensors["queue_ptr_txt"]), out["text_feat_m"])

    seen = {}
    tap = lambda i, a: seen.setdefault("attention", a) if i == layer else a  # noqa: E731
    out["fusion_pos"] = own.fuse(out["text_embeds"], mask, out["image_embeds"], tap)
    if draw:
        batch["neg_image_idx"], batch["neg_text_idx"] = draw(out["weights_t2i"]), draw(out["weights_i2t"])
    texts, images = batch["neg_text_idx"], batch["neg_image_idx"]
    out["fusion_neg"] = own.fuse(
        torch.cat([out["text_embeds"], out["text_embeds"][texts]]), torch.cat([mask, mask[texts]]), torch.cat([out["image_embeds"][images], out["image_embeds"]]),
    )
    out["itm_logits"] = torch.cat([own.match(out["fusion_pos"]), own.match(out["fusion_neg"])])
    labels = torch.cat([torch.ones(count), torch.zeros(2 * count)]).long()
    out["loss_itm"] = F.cross_entropy(out["itm_logits"], labels)

    out["mlm_logits"] = own.words(batch["mlm_input_ids"], mask, out["image_embeds"])
    with torch.no_grad():
        out["mlm_logits_m"] = slow.words(batch["mlm_input_ids"], mask, out["image_embeds_m"])
    chosen = batch["mlm_labels"] != -100
    hard = F.cross_entropy(out["mlm_logits"].flatten(0, 1), batch["mlm_labels"].flatten())
    # As published: the soft part's log-softmax runs over the places of the text.
    soft = -(out["mlm_logits"].log_softmax(1) * out["mlm_logits_m"].softmax(-1)).sum(-1)[chosen].mean()
    out["loss_mlm"] = (1 - alpha) * hard + alpha * soft

    out["attn_map"] = seen["attention"]
    (out["attn_grad"],) = torch.autograd.grad(out["itm_logits"][:count, 1].sum(), seen["attention"], create_graph=True)
    side = c["image_res"] // c["patch"]
    full, raw = heatmaps(out["attn_map"], out["attn_grad"], mask, side)
    rows = batch[indicator][:, 0] > 0
    if rows.any():
        out |= {"gradcam_full_selected": full[rows], "gradcam_raw": raw[rows], "mask_selected": batch["gt_mask"][rows]}
        out |= consistency(raw[rows], batch["gt_mask"][rows], c)
        out["amc"] = 0.2 * out["loss_mean"] + 0.8 * out["loss_max"]
        out["total"] = out["loss_mlm"] + out["loss_ita"] + out["loss_itm"] + out["amc"]
    return out
