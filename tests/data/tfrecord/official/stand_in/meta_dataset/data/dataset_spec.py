import json
import os
from typing import NamedTuple

from meta_dataset.data.learning_spec import Split


class DatasetSpecification(NamedTuple):
    name: str
    path: str
    classes: dict  # of every split

    def get_classes(self, split):
        start = sum(self.classes[s] for s in Split if s.value < split.value)
        return range(start, start + self.classes[split])


def load_dataset_spec(dataset_records_path, convert_from_pkl=False):
    with open(os.path.join(dataset_records_path, "dataset_spec.json")) as file:
        data = json.load(file)
    if data["__class__"] == "BiLevelDatasetSpecification":
        sizes = iter(data["classes_per_superclass"].values())
        numbers = {name: sum(next(sizes) for _ in range(n)) for name, n in data["superclasses_per_split"].items()}
    elif data["__class__"] == "HierarchicalDatasetSpecification":
        graphs = data["split_subgraphs"].items()
        numbers = {name: sum(not node["children_ids"] for node in graph) for name, graph in graphs}
    else:
        numbers = data["classes_per_split"]
    classes = {Split[name]: number for name, number in numbers.items()}
    return DatasetSpecification(data["name"], dataset_records_path, classes)
