"""Recording of a function and its gradient as two FX graphs, replayed without autograd and with little Python.

A replay runs the operations that PyTorch ran, in their order: results are equal bit for bit.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd import Function
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.passes.dialect.common.cse_pass import CSEPass

aten = torch.ops.aten
# Python bindings of the same kernels: calling one costs half as much as calling the operator object.
BINDINGS = {
    aten.add.Tensor: torch.add,
    aten.addmm.default: torch.addmm,
    aten.cat.default: torch.cat,
    aten.expand.default: Tensor.expand,
    aten.mm.default: torch.mm,
    aten.mul.Tensor: torch.mul,
    aten.mv.default: torch.mv,
    aten.neg.default: torch.neg,
    aten.relu.default: torch.relu,
    aten.select.int: torch.select,
    aten.sub.Tensor: torch.sub,
    aten.sum.dim_IntList: torch.sum,
    aten.t.default: torch.t,
    aten.unsqueeze.default: torch.unsqueeze,
    aten.view.default: Tensor.view,
}
IDENTITIES = (aten.detach.default, aten.alias.default)


class Recording:
    """`function(*learned, *inputs)` -> (loss, result), recorded on example tensors, for tensors of their shapes.

    The loss is differentiable by the `learned` tensors, the result is not differentiable.
    """

    def __init__(
        self, function: Callable[..., tuple[Tensor, Tensor]], learned: Sequence[Tensor], inputs: Sequence[Tensor]
    ):
        self.learned, self.num_inputs, self.used = tuple(learned), len(inputs), ()

        def loss_and_gradients(cotangent: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
            live = [tensor.detach().requires_grad_() for tensor in tensors[: len(learned)]]
            with torch.enable_grad():
                loss, result = function(*live, *tensors[len(learned) :])
            grads = torch.autograd.grad(loss, live, cotangent, allow_unused=True)
            self.used = tuple(grad is not None for grad in grads)
            return loss.detach(), result.detach(), *(grad for grad in grads if grad is not None)

        with torch.no_grad():
            cotangent = torch.ones((), dtype=inputs[0].dtype)
            tensors = [tensor.detach() for tensor in (*learned, *inputs)]
            recorded = simplified(make_fx(loss_and_gradients)(cotangent, *tensors))
        self.forward, self.backward = split_forward_backward(recorded, num_results=2)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        return RecordingReplay.apply(self, *self.learned, *inputs)


class RecordingReplay(Function):
    """One call of a recording, as an autograd Function."""

    @staticmethod
    def forward(ctx, recording: Recording, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        loss, result, *ctx.saved = recording.forward(*tensors)
        ctx.recording = recording
        ctx.mark_non_differentiable(result)
        return loss, result

    @staticmethod
    def backward(ctx, cotangent: Tensor, _: Tensor) -> tuple:
        grads = iter(ctx.recording.backward(cotangent, *ctx.saved))
        return None, *(next(grads) if used else None for used in ctx.recording.used), *[None] * ctx.recording.num_inputs


def simplified(module: GraphModule) -> GraphModule:
    """The graph without common subexpressions, dead code, and views and transposes that have no effect."""
    graph = CSEPass()(module).graph_module.graph
    for node in graph.nodes:
        if node.target in IDENTITIES or (node.target is aten.view.default and same_shape(node, node.args[0])):
            node.replace_all_uses_with(node.args[0])
        elif node.target is aten.t.default and node.args[0].target is aten.t.default:
            node.replace_all_uses_with(node.args[0].args[0])
        elif node.target is aten.view.default and node.args[0].target is aten.view.default:
            node.update_arg(0, node.args[0].args[0])
    for node in graph.nodes:
        if node.target in BINDINGS and not node.kwargs:
            node.target = BINDINGS[node.target]
    graph.eliminate_dead_code()
    return GraphModule(module, graph)


def same_shape(one: Node, other: Node) -> bool:
    """True if the results of both nodes are known to have the same shape."""
    shapes = [getattr(node.meta.get("val"), "shape", None) for node in (one, other)]
    return shapes[0] is not None and shapes[0] == shapes[1]


def split_forward_backward(module: GraphModule, num_results: int) -> tuple[GraphModule, GraphModule]:
    """(forward, backward): the nodes that do not depend on the first input, the cotangent, and those that do.

    forward() returns the first `num_results` outputs, then the saved tensors; backward takes (cotangent, *saved).
    """
    cotangent, *nodes = [node for node in module.graph.nodes if node.op != "output"]
    (outputs,) = module.graph.output_node().args
    late = {cotangent}
    for node in nodes:
        if late & {*node.all_input_nodes}:
            late.add(node)
    early = [node for node in nodes if node not in late]
    needed = {source for node in late for source in node.all_input_nodes} | {*outputs[num_results:]}
    saved = [node for node in early if node in needed]
    forward = subgraph(module, [], early, [*outputs[:num_results], *saved])
    rest = [node for node in nodes if node in late]
    return forward, subgraph(module, [cotangent, *saved], rest, outputs[num_results:])


def subgraph(
    module: GraphModule, inputs: Sequence[Node], nodes: Sequence[Node], outputs: Sequence[Node]
) -> GraphModule:
    """A module of the operations `nodes`, from `inputs` to `outputs`."""
    graph, copies = Graph(), {}
    for node in inputs:
        copies[node] = graph.placeholder(node.name)
    for node in nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in outputs))
    return GraphModule(module, graph)
