"""What PyTorch's losses give for outputs and targets, and what metrics are by their definitions. Reads
a list of cases as JSON from standard input: {"loss": settings by the lab's names, "target": {"kind",
"shape", "classes"?}, "output": shape of one example's, "count", "form"?: "rows" or "zeros_and_ones",
"labels"?: [low, high]}. Writes FILE: [{output, target, single, double, metrics}, …]; single and double are
{loss, gradient} in both precisions, the gradient is that of the output.

    losses.py FILE < cases.json
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def draw(case):
    count, target = case["count"], case["target"]
    output = torch.randn(count, *case["output"])
    shape = (count, *target["shape"])
    if case["loss"]["name"] == "binary_cross_entropy":
        output = output.sigmoid()
    if case["loss"]["name"] == "nll_loss":
        output = output.log_softmax(1)
    if target["kind"] == "numbers":
        if case["loss"]["name"] == "cross_entropy":
            return output, torch.randn(shape).softmax(1)
        if case["loss"]["name"].startswith("binary"):
            return output, (torch.rand(shape) < 0.4).float()
        return output, torch.randn(shape) * 3 + 1000
    low, high = case.get("labels", [0, target["classes"]])
    labels = torch.randint(low, high, shape)
    ignored = case["loss"]["ignoreIndex"]
    if ignored < 0 and case.get("ignores"):
        labels[torch.rand(shape) < 0.3] = ignored
    return output, labels


def rows_of(case, output, target):
    """Classes on axis 1, as PyTorch wants them: tokens become (N · T, V) and (N · T)."""
    if case["target"]["kind"] == "tokens" or case.get("form") == "rows":
        return output.reshape(-1, output.shape[-1]), target.reshape(-1)
    return output, target


def loss_of(case, output, target):
    settings = case["loss"]
    output, target = rows_of(case, output, target)

    def tensor(key):
        values = settings.get(key)
        return None if values is None else torch.tensor(values, dtype=output.dtype)

    if target.is_floating_point():
        target = target.to(output.dtype)
    match settings["name"]:
        case "cross_entropy":
            return F.cross_entropy(
                output,
                target,
                weight=tensor("classWeights"),
                ignore_index=settings["ignoreIndex"],
                label_smoothing=settings["labelSmoothing"],
            )
        case "nll_loss":
            weight, ignored = tensor("classWeights"), settings["ignoreIndex"]
            return F.nll_loss(output, target, weight=weight, ignore_index=ignored)
        case "mse_loss":
            return F.mse_loss(output, target)
        case "l1_loss":
            return F.l1_loss(output, target)
        case "smooth_l1_loss":
            return F.smooth_l1_loss(output, target, beta=settings["beta"])
        case "binary_cross_entropy":
            return F.binary_cross_entropy(output, target)
        case "binary_cross_entropy_with_logits":
            weight = tensor("posWeight")
            return F.binary_cross_entropy_with_logits(output, target, pos_weight=weight)
    raise ValueError(settings["name"])


def metrics_of(case, output, target, loss):
    """By sklearn's definitions: accuracy_score, top_k_accuracy_score, f1_score(average="macro"),
    confusion_matrix, r2_score."""
    settings = case["loss"]
    metrics = {"loss": loss}
    if case["target"]["kind"] == "numbers":
        predicted, wanted = output.double().numpy(), target.double().numpy()
        if settings["name"].startswith("binary"):
            middle = 0.5 if settings["name"] == "binary_cross_entropy" else 0
            metrics["accuracy"] = np.mean((predicted > middle) == (wanted > 0.5))
        elif settings["name"] != "cross_entropy":
            columns = wanted.reshape(len(wanted), -1)
            residuals = ((columns - predicted.reshape(columns.shape)) ** 2).sum(0)
            metrics["r2"] = np.mean(1 - residuals / ((columns - columns.mean(0)) ** 2).sum(0))
        return metrics
    rows, labels = rows_of(case, output, target)
    classes = rows.shape[1] if rows.dim() == 2 else output.shape[1]
    scores = rows.double().movedim(1, -1).reshape(-1, classes).numpy()
    labels = labels.reshape(-1).numpy()
    counted = labels != settings["ignoreIndex"]
    scores, labels = scores[counted], labels[counted]
    predicted = scores.argmax(1)
    metrics["accuracy"] = np.mean(predicted == labels)
    if case["target"]["kind"] == "tokens":
        metrics["perplexity"] = np.exp(loss)
        return metrics
    best = np.argsort(scores, axis=1)[:, -5:]
    metrics["top5_accuracy"] = np.mean((best == labels[:, None]).any(1))
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    scores = []
    for one in np.union1d(labels, predicted):
        right = confusion[one, one]
        precision = right / max(1, confusion[:, one].sum())
        recall = right / max(1, confusion[one].sum())
        scores.append(2 * precision * recall / (precision + recall) if right else 0.0)
    metrics["f1"] = np.mean(scores)
    metrics["confusion"] = torch.tensor(confusion)
    return metrics


answers = []
for number, case in enumerate(json.load(sys.stdin)):
    torch.manual_seed(number)
    output, target = draw(case)
    answer = {"output": output, "target": target}
    for precision, dtype in (("single", torch.float32), ("double", torch.float64)):
        given = output.detach().to(dtype).requires_grad_()
        loss = loss_of(case, given, target)
        loss.backward()
        answer[precision] = {"loss": loss.detach(), "gradient": given.grad}
    metrics = metrics_of(case, output, target, answer["double"]["loss"].item())
    answer["metrics"] = {
        name: value if isinstance(value, torch.Tensor) else float(value)
        for name, value in metrics.items()
    }
    answers.append(answer)
torch.save(answers, sys.argv[1])
