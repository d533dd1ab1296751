"""Converter of VGG Flower: 102 flowers, random split 71 / 15 / 16.

Reads `jpg/` of `102flowers.tgz` and `imagelabels.mat`, the class number of every image, which needs SciPy.
References: Nilsback and Zisserman, "Automated flower classification over a large number of classes", ICVGIP 2008;
names and splits of Triantafillou et al., "Meta-Dataset", ICLR 2020.
"""

from pathlib import Path

from alfa_md.data.convert_common.image_file_plan import plan_image_files
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.errors import UserError
from alfa_md.system.extras import not_installed

SIZES = (71, 15, 16)
LABELS = "imagelabels.mat"
REMEDY = f"unpack 102flowers.tgz there and put {LABELS} beside the folder jpg"

NAMES = """
pink primrose; hard-leaved pocket orchid; canterbury bells; sweet pea; english marigold; tiger lily; moon orchid;
bird of paradise; monkshood; globe thistle; snapdragon; colt's foot; king protea; spear thistle; yellow iris;
globe-flower; purple coneflower; peruvian lily; balloon flower; giant white arum lily; fire lily; pincushion flower;
fritillary; red ginger; grape hyacinth; corn poppy; prince of wales feathers; stemless gentian; artichoke; sweet
william; carnation; garden phlox; love in the mist; mexican aster; alpine sea holly; ruby-lipped cattleya; cape
flower; great masterwort; siam tulip; lenten rose; barbeton daisy; daffodil; sword lily; poinsettia; bolero deep
blue; wallflower; marigold; buttercup; oxeye daisy; common dandelion; petunia; wild pansy; primula; sunflower;
pelargonium; bishop of llandaff; gaura; geranium; orange dahlia; pink-yellow dahlia?; cautleya spicata; japanese
anemone; black-eyed susan; silverbush; californian poppy; osteospermum; spring crocus; bearded iris; windflower;
tree poppy; gazania; azalea; water lily; rose; thorn apple; morning glory; passion flower; lotus; toad lily;
anthurium; frangipani; clematis; hibiscus; columbine; desert-rose; tree mallow; magnolia; cyclamen; watercress;
canna lily; hippeastrum; bee balm; ball moss; foxglove; bougainvillea; camellia; mallow; mexican petunia; bromelia;
blanket flower; trumpet creeper; blackberry lily
"""


def plan(source_dir: Path) -> Plan:
    """The plan of the 102 flowers, images by number. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=["jpg"], files=[LABELS])
    names = [f"{number:03d}.{name}" for number, name in enumerate(" ".join(NAMES.split()).split("; "), 1)]
    files: dict[str, list[Path]] = {name: [] for name in names}
    for image, label in enumerate(read_labels(source_dir / LABELS), 1):
        if not 1 <= label <= len(names):
            raise UserError(f"{source_dir / LABELS}: image {image} has label {label}, not 1 to 102; {REMEDY}")
        files[names[label - 1]].append(source_dir / "jpg" / f"image_{image:05d}.jpg")
    raise_if_any(
        source_dir, (f"jpg/{f.name} is missing" for own in files.values() for f in own if not f.is_file()), REMEDY
    )
    return plan_image_files("vgg_flower", source_dir, files, SIZES, REMEDY)


def read_labels(file: Path) -> list[int]:
    """Class number, from 1, of every image. Raises UserError without SciPy or for an invalid file."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise not_installed("SciPy", "convert") from error
    try:
        return [int(label) for label in loadmat(file)["labels"].ravel()]
    except Exception as error:  # SciPy's reader raises nearly anything for a damaged file
        raise UserError(f"{file}: holds no labels ({type(error).__name__}); download it again") from error
