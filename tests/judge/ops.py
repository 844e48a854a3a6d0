"""What PyTorch computes for single ops, in float32 and in float64: outputs, and the gradients of a
weighted sum of them. Reads {"source": Python with the classes Case0, Case1, …, "cases": [{"inputs":
{name: {"shape", "dtype", "low", "high", "values"?}}, "training"}, …]} as JSON from standard input.
Writes FILE: [{state, inputs, weights, single, double}, …]; single and double are {outputs,
gradients: {input: …, parameters: …}}. Inputs of one case come in the order of their names.

    ops.py FILE < cases.json
"""

import json
import sys

import torch

torch.set_num_threads(1)
request = json.load(sys.stdin)
source = {}
exec(compile(request["source"], "cases.py", "exec"), source)


def draw(spec):
    shape, dtype = spec["shape"], getattr(torch, spec["dtype"])
    if spec.get("values") is not None:
        # Infinities come as text.
        values = [float(v) if isinstance(v, str) else v for v in spec["values"]]
        return torch.tensor(values, dtype=dtype).reshape(shape)
    if dtype == torch.bool:
        return torch.rand(shape) < 0.5
    if not dtype.is_floating_point:
        return torch.randint(int(spec["low"]), int(spec["high"]), shape, dtype=dtype)
    if spec.get("low") is None:
        return torch.randn(shape)
    return torch.empty(shape).uniform_(spec["low"], spec["high"])


def flat(outputs):
    if outputs is None:
        return []
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [tensor for output in outputs for tensor in flat(output)]


def judge(model, inputs, weights, dtype):
    given = {
        name: tensor.to(dtype).requires_grad_() if tensor.is_floating_point() else tensor
        for name, tensor in inputs.items()
    }
    outputs = flat(model(**given))
    differentiable = [
        (output * weight.to(output.dtype)).sum()
        for output, weight in zip(outputs, weights)
        if output.requires_grad
    ]
    if differentiable:
        sum(differentiable).backward()

    def gradients(named):
        return {name: tensor.grad for name, tensor in named if tensor.grad is not None}

    return {
        "outputs": [output.detach().contiguous() for output in outputs],
        "gradients": {
            "inputs": gradients(given.items()),
            "parameters": gradients(model.named_parameters()),
        },
    }


answers = []
for number, case in enumerate(request["cases"]):
    torch.manual_seed(number)
    model = source[f"Case{number}"]()
    with torch.no_grad():
        for parameter in model.parameters():
            # Away from ones and zeros, which hide a weight that is left out.
            parameter.copy_(torch.randn(parameter.shape) * 0.5 + 0.25)
        for name, buffer in model.named_buffers():
            if buffer.is_floating_point() and "running_var" in name:
                buffer.uniform_(0.5, 2)
            elif "running_mean" in name:
                buffer.normal_()
    model.train(case["training"])
    inputs = {name: draw(spec) for name, spec in case["inputs"].items()}
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        shapes = [output.shape for output in flat(model(**{k: v.clone() for k, v in inputs.items()}))]
    weights = [torch.randn(shape) for shape in shapes]
    answer = {"state": state, "inputs": inputs, "weights": weights}
    for precision, dtype in (("single", torch.float32), ("double", torch.float64)):
        torch.set_default_dtype(dtype)
        model.to(dtype).load_state_dict(state)
        model.zero_grad()
        answer[precision] = judge(model, {k: v.clone() for k, v in inputs.items()}, weights, dtype)
        torch.set_default_dtype(torch.float32)
    answers.append(answer)
torch.save(answers, sys.argv[1])
