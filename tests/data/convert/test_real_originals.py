"""Conversion and audit of real images in the layout of the original archives."""

import io

import numpy as np
from PIL import Image

from alfa_md.data.audit.order_bias import neighbours_resemble
from alfa_md.data.audit.source_audit import audit_source
from alfa_md.data.convert import planner
from alfa_md.data.convert_common.published_specs import PUBLISHED_SPECS, names_hash
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from tests.shared import shared_data


def test_traffic_signs_as_ppm_folders(tmp_path):
    """Frames are stored video by video; the converter shuffles them."""
    folder = tmp_path / "GTSRB"
    with np.load(shared_data("traffic_sign_subset.npz")) as arrays:
        files, offsets, labels = (arrays[key] for key in ("png", "offset", "label"))
        tracks, frames = arrays["track"], arrays["frame"]
    for k, label in enumerate(labels):
        images = folder / "Final_Training" / "Images" / f"{label:05d}"
        images.mkdir(parents=True, exist_ok=True)
        picture = Image.open(io.BytesIO(files[offsets[k] : offsets[k + 1]].tobytes()))
        picture.save(images / f"{tracks[k]:05d}_{frames[k]:05d}.ppm")
    directory = write_source(planner("traffic_sign")(folder), tmp_path / "records")
    spec = load_spec(directory)
    assert spec.images_per_class == tuple(np.bincount(labels, minlength=43))
    audit = audit_source(directory, TurboDecoder(image_size=16, num_threads=1))
    assert (audit.images, audit.checked, audit.names) == (len(labels), len(labels), "as published")
    assert not any("neighbours" in finding.line for finding in audit.findings)
    files = planner("traffic_sign")(folder).images.files
    decoder, num_films = TurboDecoder(image_size=16, num_threads=1), 0
    for sign in range(43):
        written = RecordFiles(spec).read_images([(sign, n) for n in range(spec.images_per_class[sign])])
        in_order = [image for _, image in sorted(zip(files[sign], written, strict=True))]
        films = decoder(in_order).numpy()
        num_films += neighbours_resemble(films[:-1], films[1:])
    assert num_films >= 40  # of 43 files in which the films were left in order


def test_drawings_as_one_array_a_class(tmp_path):
    with np.load(shared_data("quickdraw_subset.npz")) as arrays:
        images, labels, names = (arrays[key] for key in ("images", "label", "class_names"))
    for label, name in enumerate(names):
        np.save(tmp_path / f"{name}.npy", images[labels == label].reshape(-1, 784))
    plan = planner("quickdraw")(tmp_path)
    assert names_hash(plan.spec) == PUBLISHED_SPECS["quickdraw"].names
    label = list(names).index(plan.spec.class_names[7])
    levels = TurboDecoder(image_size=28).decode_unnormalised(list(plan.images(7))).mean(dim=1)
    difference = np.abs(levels.numpy() - images[labels == label])
    assert difference.mean() < 6  # of 255: what JPEG changes
