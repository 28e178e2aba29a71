"""Small datasets written by the formats' own tools, kept in samples/ so that the tests read what others write.

Run by hand, with datumaro, labelme, label-studio-sdk and pycocotools installed:  python make-samples.py
"""
import json
import shutil
from pathlib import Path

import datumaro as dm
import numpy as np
from PIL import Image
from pycocotools import mask as masks

HERE = Path(__file__).parent / "samples"
SIZE = (64, 48)
LABELS = ["cat", "a red mug"]


def items():
    for name, subset in (("one", "train"), ("two", "val")):
        picture = np.full((SIZE[1], SIZE[0], 3), 120, dtype=np.uint8)
        yield dm.DatasetItem(
            id=name,
            subset=subset,
            media=dm.Image.from_numpy(data=picture),
            annotations=[
                dm.Bbox(4, 6, 20, 10, label=0, id=1, group=1, attributes={"occluded": False}),
                dm.Bbox(30.5, 8.25, 20, 30, label=1, id=2, group=2, attributes={"occluded": True}),
                *([dm.Polygon([10, 20, 30, 20, 20, 40], label=0, id=3, group=3)] if name == "two" else []),
            ],
        )


def by_datumaro():
    for name in ("coco_instances", "voc_detection", "cvat", "open_images", "yolo_ultralytics"):
        target = HERE / f"datumaro-{name}"
        shutil.rmtree(target, ignore_errors=True)
        dm.Dataset.from_iterable(list(items()), categories=LABELS).export(str(target), name, save_media=True)


def by_labelme():
    from labelme import _label_file as label_file  # its own reader and writer

    target = HERE / "labelme"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    Image.new("RGB", SIZE, "gray").save(target / "one.png")
    shapes = [
        {"label": "cat", "points": [[24, 16], [4, 6]], "group_id": 1, "shape_type": "rectangle", "flags": {"blurry": True, "other": False}, "description": "on the left", "mask": None},
        {"label": "cat", "points": [[30, 20], [40, 20], [35, 40]], "group_id": 1, "shape_type": "polygon", "flags": {}, "description": "", "mask": None},
        {"label": "a red mug", "points": [[50, 30], [50, 35]], "group_id": None, "shape_type": "circle", "flags": {}, "description": "", "mask": None},
    ]
    label_file.write_label_file(str(target / "one.json"), shapes=shapes, image_path="one.png", image_height=SIZE[1], image_width=SIZE[0])


def by_label_studio():
    from label_studio_sdk.converter.imports.yolo import convert_yolo_to_ls

    source = HERE / "datumaro-yolo_ultralytics"
    flat = HERE / "yolo-flat"
    target = HERE / "label-studio"
    for folder in (flat, target):
        shutil.rmtree(folder, ignore_errors=True)
    for kind in ("images", "labels"):
        (flat / kind).mkdir(parents=True)
        for file in (source / kind / "train").glob("*"):
            shutil.copy(file, flat / kind / file.name)
    (flat / "classes.txt").write_text("\n".join(LABELS) + "\n")
    target.mkdir()
    convert_yolo_to_ls(input_dir=str(flat), out_file=str(target / "label-studio.json"), out_type="annotations", image_ext=".jpg,.png", image_root_url="/data/local-files/?d=images")
    shutil.copytree(flat / "images", target / "images")
    shutil.rmtree(flat)
    for rest in target.glob("*.xml"):
        rest.unlink()


def by_pycocotools():
    """A run-length mask, as crowds are written."""
    target = HERE / "pycocotools"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    Image.new("RGB", SIZE, "gray").save(target / "one.png")
    mask = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8, order="F")
    mask[6:16, 4:24] = 1
    packed = masks.encode(mask)
    box = [float(v) for v in masks.toBbox(packed)]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 1, "area": int(masks.area(packed)), "bbox": box, "segmentation": {"size": packed["size"], "counts": packed["counts"].decode()}}
    data = {"images": [{"id": 1, "file_name": "one.png", "width": SIZE[0], "height": SIZE[1]}], "categories": [{"id": 1, "name": "cat"}], "annotations": [annotation]}
    (target / "instances.json").write_text(json.dumps(data))


if __name__ == "__main__":
    by_datumaro()
    by_labelme()
    by_label_studio()
    by_pycocotools()
