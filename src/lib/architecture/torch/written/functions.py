"""Functions of torch that tensors do not have."""
import torch
import torch.nn.functional as F

# The same functions under a second name.
adaptive_avg_pool1d = F.adaptive_avg_pool1d
avg_pool1d = F.avg_pool1d
bilinear = F.bilinear
conv1d = F.conv1d
conv2d = F.conv2d
conv3d = F.conv3d
conv_transpose1d = F.conv_transpose1d
conv_transpose2d = F.conv_transpose2d
conv_transpose3d = F.conv_transpose3d
cosine_similarity = F.cosine_similarity
group_norm = F.group_norm
layer_norm = F.layer_norm
max_pool1d = F.max_pool1d
max_pool2d = F.max_pool2d
max_pool3d = F.max_pool3d
rms_norm = F.rms_norm


def dropout(input, p, train):
    return F.dropout(input, p, train)


def embedding(weight, input, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    return F.embedding(input, weight, padding_idx if padding_idx >= 0 else None,
                       scale_grad_by_freq=scale_grad_by_freq)


def numel(input):
    return input.numel()


def is_floating_point(input):
    return input.is_floating_point()


def get_default_dtype():
    return torch.float32


def block_diag(*tensors):
    rows = [x.reshape(1, -1) if x.dim() < 2 else x for x in tensors]
    width = sum(x.shape[1] for x in rows)
    parts, before = [], 0
    for x in rows:
        parts.append(F.pad(x, (before, width - before - x.shape[1])))
        before = before + x.shape[1]
    return torch.cat(parts)


def cartesian_prod(*tensors):
    if len(tensors) == 1:
        return tensors[0]
    axes = torch.meshgrid(*tensors, indexing='ij')
    return torch.stack([axis.flatten() for axis in axes], -1)


def bucketize(input, boundaries, *, out_int32=False, right=False):
    """How many of the sorted boundaries lie below, or with `right` not above."""
    places = input.unsqueeze(-1)
    count = ((boundaries <= places) if right else (boundaries < places)).sum(-1)
    return count.int() if out_int32 else count
