"""Models of several libraries whose names the lab changes, at small sizes with random weights.

`names.py make FOLDER REPOSITORIES` writes one file for each library's model, `names.py check FOLDER
REPOSITORIES` loads each `MODEL: FROM → TO.pt` strictly into TO's model and compares its outputs with
FROM's. Both print a line of JSON for each.
"""

import json
import sys
from functools import partial
from pathlib import Path

import torch
import transformers

FILES, MEMORY = "transformers", "transformers 5, in memory"
folder, repositories = Path(sys.argv[2]), Path(sys.argv[3])
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

SIZES = {
    **{"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3},
    **{"image_size": 32, "patch_size": 8, "num_labels": 5},
}
# The same, as timm and DINOv2's repository call it.
OTHER_SIZES = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 3}


def of_transformers(model, config, head):
    """A model of transformers; of one without a head, what it gives for each place."""
    kind = getattr(transformers, model + (head or "Model"))
    more = {"add_pooling_layer": False} if model in ("ViT", "DeiT", "Swin") and not head else {}

    def in_memory(state=None):
        module = kind(config, **more)
        if state is not None:
            module.load_state_dict(state)
        return module

    def in_files(state=None):
        if state is None:
            return in_memory()
        module, info = kind.from_pretrained(
            None, config=config, state_dict=state, output_loading_info=True, **more
        )
        apart = {key: sorted(map(str, found)) for key, found in info.items() if found}
        if apart:
            raise ValueError(f"from_pretrained: {apart}")
        return module

    def outputs(module, pictures):
        found = module(pictures)
        return found.logits if head else found.last_hidden_state

    return {FILES: (in_files, outputs), MEMORY: (in_memory, outputs)}


def loaded(build):
    """Builds a module, and loads a state_dict into it where there is one."""

    def load(state=None):
        module = build()
        if state is not None:
            module.load_state_dict(state)
        return module

    return load


def of_timm(name, head, **more):
    def build():
        import timm

        return timm.create_model(name, num_classes=5 if head else 0, **more)

    def outputs(module, pictures):
        if head:
            return module(pictures)
        found = module.forward_features(pictures)
        return found.flatten(1, 2) if "swin" in name else found

    return {"timm": (loaded(build), outputs)}


def plain(build):
    return loaded(build), lambda module, pictures: module(pictures)


def vit(head=True, bias=True):
    config = transformers.ViTConfig(
        **SIZES, intermediate_size=48, qkv_bias=bias, layer_norm_eps=1e-6
    )

    def torchvision():
        from torchvision.models import VisionTransformer

        return VisionTransformer(32, 8, 2, 3, 24, 48, num_classes=5)

    return {
        **of_transformers("ViT", config, head and "ForImageClassification"),
        **of_timm("vit_tiny_patch16_224", head, mlp_ratio=2, qkv_bias=bias, **OTHER_SIZES),
        **({"torchvision": plain(torchvision)} if head and bias else {}),
    }


def deit(head=True):
    config = transformers.DeiTConfig(**SIZES, intermediate_size=48, layer_norm_eps=1e-6)
    return {
        **of_transformers("DeiT", config, head and "ForImageClassificationWithTeacher"),
        **of_timm("deit_tiny_distilled_patch16_224", head, mlp_ratio=2, **OTHER_SIZES),
    }


def dinov2(swiglu=False, registers=0):
    name = "Dinov2WithRegisters" if registers else "Dinov2"
    more = {"num_register_tokens": registers} if registers else {}
    config = getattr(transformers, name + "Config")(
        **{**SIZES, **more}, mlp_ratio=4, layer_norm_eps=1e-6, use_swiglu_ffn=swiglu
    )
    # timm's ratio is that of the two halves.
    timm_name, ratio = ("giant", 64 * 2 / 24) if swiglu else ("small", 4)

    def build():
        sys.path.insert(0, str(repositories / "facebookresearch__dinov2"))
        from dinov2.models.vision_transformer import Block, DinoVisionTransformer, MemEffAttention

        return DinoVisionTransformer(
            **OTHER_SIZES,
            **{"init_values": 1.0, "block_chunks": 0, "num_register_tokens": registers},
            ffn_layer="swiglufused" if swiglu else "mlp",
            block_fn=partial(Block, attn_class=MemEffAttention),
        )

    def outputs(module, pictures):
        found = module.forward_features(pictures)
        cls = found["x_norm_clstoken"].unsqueeze(1)
        return torch.cat([cls, found["x_norm_regtokens"], found["x_norm_patchtokens"]], 1)

    timm = of_timm(f"vit_{timm_name}_patch14_dinov2", False, mlp_ratio=ratio, **OTHER_SIZES)
    return {
        **of_transformers(name, config, None),
        "facebookresearch": (loaded(build), outputs),
        **({} if registers else timm),
    }


def swin(head=True):
    common = {"image_size": 64, "patch_size": 4, "embed_dim": 12, "mlp_ratio": 2}
    config = transformers.SwinConfig(
        **common, depths=[2, 2, 2], num_heads=[2, 3, 4], window_size=4, num_labels=5
    )
    more = {
        **{"img_size": 64, "patch_size": 4, "embed_dim": 12, "mlp_ratio": 2},
        **{"depths": [2, 2, 2], "num_heads": [2, 3, 4], "window_size": 4},
    }

    def torchvision():
        from torchvision.models import SwinTransformer

        return SwinTransformer([4, 4], 12, [2, 2, 2], [2, 3, 4], [4, 4], mlp_ratio=2, num_classes=5)

    return {
        **of_transformers("Swin", config, head and "ForImageClassification"),
        **of_timm("swin_tiny_patch4_window7_224", head, **more),
        **({"torchvision": plain(torchvision)} if head else {}),
    }


def resnet(name):
    config = transformers.ResNetConfig(
        **{"num_labels": 5, "layer_type": "basic" if name == "resnet18" else "bottleneck"},
        **{"depths": [2, 2, 2, 2] if name == "resnet18" else [3, 4, 6, 3]},
        **({"hidden_sizes": [64, 128, 256, 512]} if name == "resnet18" else {}),
    )

    def torchvision():
        import torchvision

        return getattr(torchvision.models, name)(num_classes=5)

    return {
        FILES: of_transformers("ResNet", config, "ForImageClassification")[FILES],
        "timm, torchvision": of_timm(name, True)["timm"],
        "torchvision": plain(torchvision),
    }


def convnext():
    config = transformers.ConvNextConfig(
        hidden_sizes=[8, 16, 24, 32], depths=[2, 1, 1, 2], num_labels=5, layer_norm_eps=1e-6
    )
    return {
        FILES: of_transformers("ConvNext", config, "ForImageClassification")[FILES],
        **of_timm("convnext_tiny", True, depths=[2, 1, 1, 2], dims=[8, 16, 24, 32]),
    }


MODELS = {
    "ResNet-18": partial(resnet, "resnet18"),
    "ResNet-50": partial(resnet, "resnet50"),
    "ConvNeXt": convnext,
    "ViT": vit,
    "ViT without a head": partial(vit, head=False),
    "ViT without a bias": partial(vit, bias=False),
    "DeiT": deit,
    "DeiT without heads": partial(deit, head=False),
    "DINOv2": dinov2,
    "DINOv2 with SwiGLU": partial(dinov2, swiglu=True),
    "DINOv2 with registers": partial(dinov2, registers=4),
    "Swin": swin,
    "Swin without a head": partial(swin, head=False),
}


def pictures(model):
    size = 64 if model.startswith(("ResNet", "Swin", "ConvNeXt")) else 32
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


def randomise(module):
    """Other numbers in every parameter and statistic, or an error in one could not be seen."""
    generator = torch.Generator().manual_seed(2)
    for name, value in module.state_dict().items():
        if not value.is_floating_point():
            continue
        noise = torch.randn(value.shape, generator=generator)
        scale = max(value.shape[1:].numel(), 1) ** -0.5 if value.dim() > 1 else 0.3
        value.copy_(noise.abs() + 0.5 if name.endswith("running_var") else noise * scale)


@torch.no_grad()
def make(model, library, build, outputs):
    torch.manual_seed(0)
    module = build().eval()
    randomise(module)
    place = f"{model}: {library}"
    if library == FILES:
        module.save_pretrained(folder / place)
    else:
        torch.save(module.state_dict(), folder / f"{place}.pt")
    torch.save(outputs(module, pictures(model)), folder / f"{place}.outputs.pt")
    file = f"{place}/model.safetensors" if library == FILES else f"{place}.pt"
    return {"model": model, "library": library, "file": file}


@torch.no_grad()
def check(model, start, path, build, outputs):
    """The largest difference to the outputs of the model that was converted, over the largest."""
    torch.manual_seed(3)
    module = build(torch.load(path, weights_only=True)).eval()
    expected = torch.load(folder / f"{model}: {start}.outputs.pt")
    got = outputs(module, pictures(model))
    if got.shape != expected.shape:
        raise ValueError(f"outputs {list(got.shape)} for {list(expected.shape)}")
    return float((got - expected).abs().max() / expected.abs().max())


def main():
    for model, sides in MODELS.items():
        for library, side in sides().items():
            if sys.argv[1] == "make":
                print(json.dumps(make(model, library, *side)), flush=True)
                continue
            # What is torchvision's and timm's alike is loaded by both.
            for path in sorted(folder.glob(f"{model}: * → *{library}.pt")):
                start = path.stem.removeprefix(f"{model}: ").split(" → ")[0]
                line = {"way": path.stem, "by": library, "error": None}
                try:
                    line["error"] = check(model, start, path, *side)
                except Exception as error:  # the table goes on with the others
                    line["why"] = str(error)[:400]
                print(json.dumps(line), flush=True)


main()
