"""WordNet graph of the ImageNet classes, pruned and collapsed as in Meta-Dataset.

A graph is a dictionary from each WordNet id to the set of its children (its hyponyms); the leaves are classes.
Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096), section 3.1 and appendix.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from alfa_md.data.spec import Node
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_text

Graph = dict[str, set[str]]


def read_graph(file: Path) -> Graph:
    """The graph in `wordnet.is_a.txt`, one parent and child per line. Raises UserError naming an invalid line."""
    graph: Graph = {}
    for number, line in _lines(file):
        match line.split():
            case [parent, child]:
                graph.setdefault(parent, set()).add(child)
                graph.setdefault(child, set())
            case _:
                raise UserError(f"{file}: line {number} is not a parent and a child; download the file again")
    return graph


def read_words(file: Path) -> dict[str, str]:
    """WordNet id -> words, from the tab-separated `words.txt`. Raises UserError naming an invalid line."""
    words = {}
    for number, line in _lines(file):
        wn_id, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{file}: line {number} is not an id, a tab and words; download the file again")
        words[wn_id] = text.strip()
    return words


def descendants(graph: Mapping[str, Collection[str]], root: str) -> set[str]:
    """`root` and all nodes reachable from it."""
    return _reached(graph, [root])


def ancestor_graph(graph: Graph, leaves: Iterable[str], allowed: Collection[str] | None = None) -> Graph:
    """The subgraph of `leaves` and their ancestors, restricted to `allowed` if given."""
    kept = _reached(parents_of(graph), leaves)
    if allowed is not None:
        kept &= set(allowed)
    return {node: graph[node] & kept for node in kept}


def collapse_single_children(graph: Graph) -> Graph:
    """The graph with every node of a single child replaced by that child."""
    graph = {node: set(children) for node, children in graph.items()}
    above = parents_of(graph)
    pending = sorted(graph)
    while pending:
        node = pending.pop()
        if len(graph.get(node, ())) != 1:
            continue
        (child,) = graph.pop(node)
        above[child].remove(node)
        for parent in above.pop(node):
            graph[parent].remove(node)
            graph[parent].add(child)
            above[child].add(parent)
            pending.append(parent)  # may have one child fewer now
    return graph


def sorted_leaves(graph: Graph) -> list[str]:
    """The nodes without children, sorted, which is the class order."""
    return sorted(node for node, children in graph.items() if not children)


def spec_nodes(graph: Graph, words: Mapping[str, str]) -> tuple[Node, ...]:
    """The nodes of the graph in the form of a specification."""
    above = parents_of(graph)
    return tuple(Node(n, words.get(n, ""), tuple(sorted(graph[n])), tuple(sorted(above[n]))) for n in sorted(graph))


def parents_of(graph: Mapping[str, Iterable[str]]) -> Graph:
    """The reversed graph: each node with the set of its parents."""
    above: Graph = defaultdict(set, {node: set() for node in graph})
    for node, children in graph.items():
        for child in children:
            above[child].add(node)
    return dict(above)


def _reached(links: Mapping[str, Collection[str]], starts: Iterable[str]) -> set[str]:
    """All nodes reachable from `starts`, included; terminates on cycles."""
    reached, pending = set(), list(starts)
    while pending:
        node = pending.pop()
        if node not in reached:
            reached.add(node)
            pending.extend(links[node])
    return reached


def _lines(file: Path) -> list[tuple[int, str]]:
    """The non-empty lines with their line numbers. Raises UserError if the file is not text."""
    lines = read_text(file, "download the file again").splitlines()
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
