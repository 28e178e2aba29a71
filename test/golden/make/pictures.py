"""Pictures, and what the published pipelines make of them with Pillow and OpenCV."""
import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MEAN, STD = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])


def picture(rng, width, height):
    """Smooth colours with edges and noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / rng.uniform(3, 20) + rng.uniform(0, 6)) + np.cos(y / rng.uniform(3, 20)) for _ in range(3)]
    image = 127 + 50 * np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3))
    image[height // 3 : height // 2, width // 4 : width // 2] = rng.integers(0, 256, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


def linear(rgb, width, height=None):
    return cv2.resize(rgb, (width, height or width), interpolation=cv2.INTER_LINEAR)


def bicubic(rgb, width, height=None):
    return np.asarray(Image.fromarray(rgb).resize((width, height or width), Image.BICUBIC))


def training_pixels(u8):
    """As albumentations normalises: the mean and 1 / std of levels, in float32."""
    mean, factor = (MEAN.astype(np.float32) * 255.0).astype(np.float32), np.reciprocal((STD.astype(np.float32) * 255.0).astype(np.float64)).astype(np.float32)
    return torch.from_numpy(((u8.astype(np.float32) - mean) * factor).transpose(2, 0, 1).copy())


def evaluation_pixels(u8):
    """As torchvision does: levels / 255, minus the mean, by the deviation, in float32."""
    x = torch.from_numpy(u8.transpose(2, 0, 1).copy()).float().div(255)
    return (x - torch.tensor(MEAN, dtype=torch.float32)[:, None, None]) / torch.tensor(STD, dtype=torch.float32)[:, None, None]


def gray(rgb):
    return cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def jitter(rgb, brightness, contrast, hue_shift, sat_shift):
    image = rgb.astype(np.float32)
    image = np.floor(np.clip((image + (brightness - 1) * image.mean()) * contrast, 0, 255)).astype(np.uint8)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int32)
    hsv[..., 0] = (hsv[..., 0] + hue_shift) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] + sat_shift, 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def region(boxes, width, height, side, mask_side):
    """1 inside the boxes at the picture's size, nearest to the model's, bilinear (corners aligned) to the mask's."""
    mask = np.zeros((height, width), np.float32)
    for x1, y1, x2, y2 in boxes:
        mask[max(0, int(y1)) : max(0, int(y2)), max(0, int(x1)) : max(0, int(x2))] = 1
    mask = cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST)
    return F.interpolate(torch.from_numpy(mask)[None, None], (mask_side, mask_side), mode="bilinear", align_corners=True)[0, 0]
