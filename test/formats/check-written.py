"""Reads with the formats' own tools what write-all.ts wrote:  python check-written.py FOLDER"""
import pickle
import sys
from pathlib import Path

import datumaro as dm
from pycocotools.coco import COCO

ROOT = Path(sys.argv[1])
BOXES = {("cat", (4, 6, 20, 10)), ("a red mug", (30, 8, 20, 30)), ("a leaf", (10, 20, 20, 20))}


def by_datumaro(name, kind, names=None):
    dataset = dm.Dataset.import_from(str(ROOT / name), kind)
    labels = dataset.categories()[dm.AnnotationType.label]
    assert len(dataset) == 2, (name, len(dataset))
    for item in dataset:
        found = {((names or {}).get(labels[a.label].name, labels[a.label].name), tuple(round(v, 3) for v in a.get_bbox())) for a in item.annotations if a.type in (dm.AnnotationType.bbox, dm.AnnotationType.polygon)}
        assert found == BOXES, (name, item.id, found)
    print(name, "read by datumaro as", kind)


def by_cvat():
    """datumaro wants a file a subset, where CVAT itself writes one with the subset at each image."""
    import shutil

    target = ROOT / "cvat-by-subset"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "cvat" / "images", target / "images")
    for split in ("train", "val"):
        shutil.copy(ROOT / "cvat" / "annotations.xml", target / f"{split}.xml")
    by_datumaro("cvat-by-subset", "cvat")


def by_open_images():
    """datumaro keeps the ids of classes; their names are in the list beside."""
    classes = (ROOT / "open-images" / "annotations" / "class-descriptions.csv").read_text().splitlines()
    by_datumaro("open-images", "open_images", dict(line.split(",") for line in classes))


def by_pycocotools(name, file):
    coco = COCO(str(ROOT / name / "annotations" / file))
    names = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    annotations = coco.loadAnns(coco.getAnnIds())
    assert {(names[a["category_id"]], tuple(a["bbox"])) for a in annotations} == BOXES, name
    leaf = next(a for a in annotations if a["segmentation"])
    assert 180 <= coco.annToMask(leaf).sum() <= 230
    print(name, "read by pycocotools, mask and all")


def by_labelme():
    from labelme._label_file import read_label_file

    data = read_label_file(str(ROOT / "labelme" / "one.json"))
    assert [(s["label"], s["shape_type"]) for s in data.shapes] == [("cat", "rectangle"), ("a red mug", "rectangle"), ("a leaf", "polygon")], data.shapes
    assert data.shapes[0]["description"] == "on the left" and data.shapes[0]["flags"]["blurry"] is True
    print("labelme read by labelme")


def by_label_studio():
    import json
    import tempfile

    from label_studio_sdk.converter import Converter

    config = '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image"><Label value="cat"/><Label value="a red mug"/></RectangleLabels><PolygonLabels name="polygon" toName="image"><Label value="a leaf"/></PolygonLabels></View>'
    with tempfile.TemporaryDirectory() as out:
        Converter(config, str(ROOT / "label-studio"), download_resources=False).convert_to_coco(str(ROOT / "label-studio" / "label-studio.json"), out, output_image_dir=out, is_dir=False)
        coco = json.loads((Path(out) / "result.json").read_text())
    names = {c["id"]: c["name"] for c in coco["categories"]}
    assert len(coco["images"]) == 2 and {(names[a["category_id"]], tuple(round(v) for v in a["bbox"])) for a in coco["annotations"]} == BOXES, coco
    print("label-studio read by label-studio-sdk")


def by_pickle():
    refs = pickle.loads((ROOT / "refcoco" / "refs(amc).p").read_bytes())
    assert len(refs) == 6 and refs[0]["sentences"][0]["sent"] == "cat", refs
    print("refcoco read by pickle")


if __name__ == "__main__":
    failed = 0
    for check in (
        lambda: by_datumaro("coco", "coco_instances"), by_cvat, lambda: by_datumaro("pascal-voc", "voc_detection"), lambda: by_datumaro("yolo-boxes", "yolo"),
        by_open_images, lambda: by_pycocotools("coco", "instances_train.json"), lambda: by_pycocotools("lvis", "lvis_val.json"), by_labelme, by_label_studio, by_pickle,
    ):
        try:
            check()
        except Exception as error:  # every tool is asked, whatever another says
            failed += 1
            print("FAILED", repr(error)[:600])
    sys.exit(failed)
