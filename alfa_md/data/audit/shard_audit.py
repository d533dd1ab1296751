"""Audit of one shard of a source that Meta-Dataset's TFDS builder prepared."""

from typing import NamedTuple

from alfa_md.data.audit.class_audit import FileAudit, check_record, problem, sampled_numbers
from alfa_md.data.audit.finding import Finding
from alfa_md.data.layouts import BUILD_AGAIN, INFO_FILE, Shards
from alfa_md.data.tfrecord.decoder import Decoder
from alfa_md.data.tfrecord.records import scan_offsets
from alfa_md.errors import UserError

OWN_CLASS = "that of the class whose slice it is in"


class ShardAuditor(NamedTuple):
    """Audits a shard; checks `sampled` random records of every class in it, or all if None.

    `labels` are those of the classes in the records. The order of records is not looked at.
    """

    shards: Shards
    labels: tuple[int, ...]
    decoder: Decoder
    sampled: int | None

    def __call__(self, number: int) -> FileAudit:
        path, stated = self.shards.file(number), self.shards.num_records(number)
        try:
            offsets = scan_offsets(path)
        except UserError as error:
            return FileAudit(0, 0, 0, (Finding(f"{problem(error)}; {BUILD_AGAIN}"),))
        found, checked = len(offsets) - 1, 0
        if found != stated:
            line = f"{path}: has {found} records, {INFO_FILE} says {stated}; {BUILD_AGAIN}"
            return FileAudit(found, 0, int(offsets[-1]), (Finding(line),))
        findings: list[Finding] = []
        for class_id, own in self.classes_in(number):
            for n in sampled_numbers(self.sampled, class_id, len(own)):
                checked += 1
                label = self.labels[class_id]
                findings += check_record(path, offsets, own[n], label, self.decoder, OWN_CLASS, BUILD_AGAIN)
        return FileAudit(found, checked, int(offsets[-1]), tuple(findings))

    def classes_in(self, number: int) -> list[tuple[int, range]]:
        """The classes with records in a shard, and the numbers of these records in it."""
        end = self.shards.ends[number]
        start = end - self.shards.lengths[number]
        parts = [(c, range(max(s, start) - start, min(e, end) - start)) for c, (s, e) in enumerate(self.shards.slices)]
        return [(class_id, own) for class_id, own in parts if own]
