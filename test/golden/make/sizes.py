"""Sizes of folders that can be made. `keep_momentum` thins out the step files, `step_checkpoint` adds one to resume from."""

SMALL = {
    "seed": 7,
    "config": {
        "image_res": 48, "patch": 12, "vision_width": 20, "vit_depth": 2, "vit_heads": 2, "embed_dim": 10, "batch_size": 2, "temp": 0.07, "mlm_probability": 0.3,
        "queue_size": 9, "momentum": 0.99, "alpha": 0.3, "max_words": 12, "add_gcam": True, "mask_all": False, "phrase_input": True, "mask_size": 33, "gcam_layer": 2,
        "optimizer": {"opt": "adamW", "lr": 2e-5, "weight_decay": 0.02},
        "schedular": {"sched": "cosine", "lr": 2e-5, "epochs": 7, "min_lr": 2e-6, "decay_rate": 1, "warmup_lr": 1e-6, "warmup_epochs": 3, "cooldown_epochs": 0},
    },
    "bert": {"hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 50, "num_attention_heads": 4, "num_hidden_layers": 4, "fusion_layer": 1, "vocab_size": 96},
    "special": {"[CLS]": 0, "[PAD]": 3, "[MASK]": 1, "[SEP]": 6, "[UNK]": 4},
    "pointer": 8, "other_layer": 1, "eval_res": 60, "eval_batch": 2, "phrases": 3, "step_checkpoint": False, "keep_momentum": 0.3,
}

WIDE = {
    "seed": 11,
    "config": {
        "image_res": 96, "patch": 16, "vision_width": 64, "vit_depth": 4, "vit_heads": 4, "embed_dim": 20, "batch_size": 5, "temp": 0.07, "mlm_probability": 0.15,
        "queue_size": 20, "momentum": 0.995, "alpha": 0.4, "max_words": 30, "add_gcam": True, "mask_all": True, "phrase_input": True, "mask_size": 72, "gcam_layer": 3,
        "optimizer": {"opt": "adamW", "lr": 1e-5, "weight_decay": 0.02},
        "schedular": {"sched": "cosine", "lr": 1e-5, "epochs": 30, "min_lr": 1e-6, "decay_rate": 1, "warmup_lr": 1e-6, "warmup_epochs": 0, "cooldown_epochs": 0},
    },
    "bert": {"hidden_size": 40, "intermediate_size": 100, "max_position_embeddings": 64, "num_attention_heads": 5, "num_hidden_layers": 7, "fusion_layer": 2, "vocab_size": 240},
    "special": {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103},
    "pointer": 15, "other_layer": 5, "eval_res": 160, "eval_batch": 3, "phrases": 5, "step_checkpoint": True, "keep_momentum": 1.0,
}

PRESETS = {"small": SMALL, "wide": WIDE}
