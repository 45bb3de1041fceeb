#!/usr/bin/env python3
"""Makes the files beside it with PyTorch (2.13.0) and safetensors (0.8.0), and expected.json: what those two read back.

Tests need neither; run this only to change the files: python make.py, in an environment with torch, numpy and safetensors.
For each tensor expected.json has the element type by its safetensors name, the shape, and the sha256 of its values in
row-major order, little-endian: floating-point numbers as F32, everything else as I64.
"""

import hashlib
import json
import pathlib
import sys

import numpy
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent
CHECKPOINTS = HERE.parent / "checkpoints"
NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def described(tensor):
    tensor = tensor.detach()
    values = tensor.to(torch.float32 if tensor.is_floating_point() else torch.int64).contiguous().numpy()
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "sha256": hashlib.sha256(data).hexdigest()}


def every_kind():
    """Every element type, layout and size that a state dictionary may hold; extremes of each type among the values."""
    random = torch.Generator().manual_seed(1)
    tensors = {}
    for dtype, name in NAMES.items():
        if dtype.is_floating_point:
            info = torch.finfo(dtype)
            values = torch.randn(12, generator=random, dtype=torch.float64).to(dtype)
            values[:6] = torch.tensor([info.max, info.min, info.tiny, -0.0, 0.0, info.tiny / 2], dtype=torch.float64).to(dtype)
        elif dtype == torch.bool:
            values = torch.randint(0, 2, (12,), generator=random).to(dtype)
        else:
            info = torch.iinfo(dtype)
            values = torch.randint(0, 100, (12,), generator=random).to(dtype)
            values[0], values[1] = info.max, info.min
        tensors["kind." + name] = values.reshape(3, 4)
    base = torch.arange(60, dtype=torch.float32) / 7
    tensors["shared.whole"] = base
    tensors["shared.part"] = base[10:34].view(4, 6)
    tensors["shared.transposed"] = base[:20].view(4, 5).t()
    tensors["shared.cube"] = base.view(3, 4, 5).permute(2, 0, 1)
    tensors["shared.every_third"] = base[1::3]
    tensors["half.transposed"] = torch.randn(5, 7, generator=random).to(torch.float16).t()
    tensors["brain.rows"] = torch.randn(6, 8, generator=random).to(torch.bfloat16)[::2, 1:7]
    tensors["whole.transposed"] = torch.arange(-6, 6, dtype=torch.int32).view(3, 4).t()
    tensors["mask.lower"] = torch.tril(torch.ones(5, 5, dtype=torch.bool)).view(1, 1, 5, 5)
    tensors["mask.columns"] = torch.eye(4, dtype=torch.uint8)[:, 1:3]
    tensors["number"] = torch.tensor(-1e4)
    tensors["empty"] = torch.empty(0, 3)
    tensors["empty.strided"] = torch.empty(4, 0, 2).transpose(0, 2)
    tensors["ones"] = torch.full((1, 1, 3, 1), 2.5)
    tensors["näme \u4e2d.ключ"] = torch.tensor([1.5])
    return tensors


class Small(torch.nn.Module):
    """Parameters, buffers and a module inside a module: its state dictionary has the attribute _metadata."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.inner = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.tied = self.inner.weight
        self.register_buffer("bias", torch.tril(torch.ones(4, 4, dtype=torch.uint8)).view(1, 1, 4, 4))


def pickles(expected):
    tensors = every_kind()
    for protocol in (2, 3, 4, 5):
        for name, zipped in (("zip", True), ("legacy", False)):
            save(expected, f"{name}-protocol-{protocol}.bin", tensors, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    for name, zipped in (("zip", True), ("legacy", False)):
        module = Small()
        save(expected, f"{name}-module.bin", module.state_dict(), _use_new_zipfile_serialization=zipped)
        save(expected, f"{name}-parameters.bin", module.state_dict(keep_vars=True), _use_new_zipfile_serialization=zipped)
    torch.serialization.set_crc32_options(False)
    save(expected, "zip-wrong-checksums.bin", {"x": torch.arange(4.0)})
    torch.serialization.set_crc32_options(True)


def save(expected, name, tensors, **how):
    torch.save(tensors, HERE / name, **how)
    read = torch.load(HERE / name, weights_only=False)
    expected[name] = {key: described(value) for key, value in read.items()}


def refused():
    """Files that PyTorch reads and this project refuses, by the text that its message must contain."""
    x = torch.arange(4.0)
    torch.save({"epoch": 3, "state_dict": {"w": x}, "optimizer": {"param_groups": [{"lr": 0.1}]}}, HERE / "refused-nested.bin")
    torch.save({"w": x.to(torch.uint16)}, HERE / "refused-u16.bin")
    torch.save({"w": x.to(torch.float8_e4m3fn)}, HERE / "refused-f8.bin")
    torch.save({"w": torch.complex(x, x)}, HERE / "refused-complex.bin")
    torch.save({"w": x.to_sparse()}, HERE / "refused-sparse.bin")
    torch.save({"w": torch.complex(x, x).conj().imag}, HERE / "refused-negated.bin")
    torch.save({"w": x, "arguments": numpy.float64(3)}, HERE / "refused-numpy.bin")
    torch.save(torch.nn.Linear(2, 2), HERE / "refused-module.bin")
    torch.save([x], HERE / "refused-list.bin")
    torch.save({"w": x[:1].expand(1000), "v": x}, HERE / "expanded.bin")
    return {
        "refused-nested.bin": "'state_dict'",
        "refused-u16.bin": "'torch._utils._rebuild_tensor_v3'",
        "refused-f8.bin": "'torch._utils._rebuild_tensor_v3'",
        "refused-complex.bin": "'torch.ComplexFloatStorage'",
        "refused-sparse.bin": "'torch._utils._rebuild_sparse_tensor'",
        "refused-negated.bin": "resolve_neg",
        "refused-numpy.bin": "multiarray.scalar'",
        "refused-module.bin": "'torch.nn.modules.linear.Linear'",
        "refused-list.bin": "a dictionary of tensors by name was expected",
    }


def safetensors_files(expected):
    tensors = {name: tensor.contiguous().clone() for name, tensor in every_kind().items()}
    name = "every-kind.safetensors"
    safetensors.torch.save_file(tensors, HERE / name, {"format": "pt"})
    expected[name] = {key: described(value) for key, value in safetensors.torch.load_file(HERE / name).items()}
    (HERE / "empty.safetensors").write_bytes(safetensors.torch.save({}))
    expected["empty.safetensors"] = {}


def checkpoints(expected):
    for folder in sorted(path for path in CHECKPOINTS.iterdir() if path.is_dir()):
        pickle = folder / "pytorch_model.bin"
        tensors = torch.load(pickle, weights_only=False) if pickle.exists() else safetensors.torch.load_file(folder / "model.safetensors")
        expected[folder.name] = {key: described(value) for key, value in tensors.items()}


def main():
    print("torch", torch.__version__, "safetensors", safetensors.__version__, file=sys.stderr)
    files, fixtures = {}, {}
    pickles(files)
    safetensors_files(files)
    checkpoints(fixtures)
    document = {"files": files, "checkpoints": fixtures, "refused": refused()}
    (HERE / "expected.json").write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
