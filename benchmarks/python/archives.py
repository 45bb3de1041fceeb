"""Kernels from the folder that `universality kernels` wrote."""
import io
import os
import re
import zipfile

import torch

# Causal attention as transformer.py calls it; torch.scaled_dot_product_attention has `scale` from PyTorch 2.1 on
CALL = re.compile(r"torch\.scaled_dot_product_attention\((.*), None, 0\.0, True, scale=scale\)")
FUNCTION = "scaled_dot_product_attention"
# Products of 8-bit integers came with the same version
WHOLE = "torch._int_mm("
WHOLE_COMPOSED = """
  def whole(self, x: Tensor, y: Tensor, out: Tensor) -> Tensor:
    return out.copy_(torch.mm(x.double(), y.double()))
"""
COMPOSED = """
  def composed(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    later = torch.triu(torch.ones([q.size(2), q.size(2)], dtype=11, device=q.device), 1)
    scores = torch.matmul(q, k.transpose(2, 3)).mul(scale).masked_fill(later, float("-inf"))
    return torch.matmul(torch.softmax(scores, -1), v)
"""


def names(folder):
    return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".pt"))


def version():
    return tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2])


def source(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read(next(n for n in archive.namelist() if n.endswith("/code/__torch__.py"))).decode()


def composed(path):
    """The archive with attention and whole products by their formulas, in memory."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as changed:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith("/code/__torch__.py"):
                code, count = CALL.subn(r"self.composed(\1, scale)", content.decode())
                if count > 1 or FUNCTION in code:
                    raise RuntimeError(f"{path} calls {FUNCTION} in a way that --compose-attention does not know")
                code += COMPOSED if count else ""
                if WHOLE in code:
                    code = code.replace(WHOLE, "self.whole(") + WHOLE_COMPOSED
                content = code.encode()
            changed.writestr(name, content)
    out.seek(0)
    return out


def load_all(folder, device, compose):
    """-> loaded modules by name; why others were skipped; why others failed."""
    loaded, skipped, broken = {}, {}, {}
    for name in names(folder):
        path = os.path.join(folder, name + ".pt")
        needed = [function for function in (FUNCTION, WHOLE) if function in source(path)]
        old = version() < (2, 1) and needed
        if old and not compose:
            skipped[name] = f"needs PyTorch 2.1 or newer, for {needed[0]}; this is {torch.__version__}"
            continue
        try:
            loaded[name] = torch.jit.load(composed(path) if old else path, map_location=device)
            if old:
                print(f"NOTE     {name}: attention by its formula, since this is PyTorch {torch.__version__}")
        except Exception as error:  # whatever this version of PyTorch has against it
            broken[name] = "does not load: " + " ".join(str(error).split())[:500]
    return loaded, skipped, broken


def methods(module):
    return sorted(name for name in module._c._method_names() if name != "forward")


def arguments(module, method):
    """Names of a method's arguments, without self."""
    return [a.name for a in module._c._get_method(method).schema.arguments][1:]
