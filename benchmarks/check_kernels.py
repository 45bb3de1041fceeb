#!/usr/bin/env python3
"""Checks and times the kernels that `universality kernels --out DIR` wrote, in any PyTorch, without a JVM.

    python3 check_kernels.py --kernels DIR [--device cpu|cuda|cuda:K] [--check] [--time] [--json FILE]

--check compares every method of every kernel with a computation of its own in float64 on the CPU (python/references.py);
--time measures speed, memory and repeatability on the device (python/timings.py). Without either, both. The exit status is 1 if
a check failed, 2 for wrong use. Needs Python 3.9 or newer, torch and numpy; kernels with attention need PyTorch 2.1 or newer
(on an older one they are skipped, and a line says so).
"""
import argparse
import json
import os
import platform
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
sys.dont_write_bytecode = True

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"check_kernels: {missing}: install PyTorch and numpy (Debian: python3-torch python3-numpy)", file=sys.stderr)
    sys.exit(2)

import archives
import checks
import timings


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", required=True, metavar="DIR", help="what `universality kernels --out DIR` wrote")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:K (default: cpu)")
    parser.add_argument("--check", action="store_true", help="compare results with float64")
    parser.add_argument("--time", action="store_true", help="measure speed, memory and repeatability")
    parser.add_argument("--strict", action="store_true", help="a method without a check, and a skipped kernel, is a failure")
    parser.add_argument(
        "--compose-attention",
        action="store_true",
        help="on a PyTorch before 2.1: put the formula of attention in the place of the function that is missing there",
    )
    parser.add_argument("--rows", type=int, metavar="N", help="rows of the timed forward pass (cpu: 2, cuda: 32)")
    parser.add_argument("--context", type=int, default=512, metavar="N", help="tokens in a row of it (default: 512)")
    parser.add_argument("--positions", type=int, metavar="N", help="positions of the timed products (cpu: 2048, cuda: 8192)")
    parser.add_argument("--seconds", type=float, default=1.0, help="time spent on each measurement, about (default: 1)")
    parser.add_argument("--json", metavar="FILE", help="write everything that was found")
    arguments = parser.parse_args()
    if not os.path.isdir(arguments.kernels) or not archives.names(arguments.kernels):
        parser.error(f"{arguments.kernels} holds no kernels: run 'universality kernels --out {arguments.kernels}'")
    if arguments.device != "cpu" and not (arguments.device.startswith("cuda") and torch.cuda.is_available()):
        parser.error(f"--device {arguments.device}: this PyTorch ({torch.__version__}) can use cpu" + cuda_too())
    return arguments


def cuda_too():
    return f", cuda:0 to cuda:{torch.cuda.device_count() - 1}" if torch.cuda.is_available() else " only"


def environment(device):
    """What the figures depend on."""
    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "tf32_override": os.environ.get("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", ""),
        "tf32": bool(torch.backends.cuda.matmul.allow_tf32),
    }
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        found.update(gpu=about.name, gpu_memory=about.total_memory, cuda=torch.version.cuda)
        found["compute_capability"] = f"{about.major}.{about.minor}"
    return found


def main():
    arguments = parse()
    device = torch.device(arguments.device)
    # as the tools run them: without the optimiser that specialises on shapes
    torch._C._set_graph_executor_optimize(False)
    torch.set_grad_enabled(False)
    result = {"environment": environment(device)}
    print("  ".join(f"{name} {value}" for name, value in result["environment"].items() if value != ""))
    kernels, skipped, broken = archives.load_all(arguments.kernels, device, arguments.compose_attention)
    result.update(skipped=skipped, broken=broken)
    for name, why in {**skipped, **broken}.items():
        print(f"{'SKIPPED' if name in skipped else 'FAILED '}  {name}: {why}")
    failed = len(broken)
    both = not arguments.check and not arguments.time
    if arguments.check or both:
        found = checks.run(kernels, device)
        result["checks"] = found
        failed += sum(1 for line in found if line["result"] == "FAILED")
        if arguments.strict:
            failed += len(skipped) + sum(1 for line in found if line["result"] == "UNCHECKED")
    if arguments.time or both:
        result["timings"] = timings.run(kernels, device, arguments)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump(result, out, indent=1)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
