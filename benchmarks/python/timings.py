"""Speed, memory and repeatability of the kernels on a device, beside plain matrix products of the same run."""
import time

import torch

import archives
from checks import bf16 as narrowed
from checks import Kernel
from references import Model



class Clock:
    """Measures calls on a device, whose work it waits for."""

    def __init__(self, device, seconds):
        self.device, self.limit = device, seconds
        self.lines = []

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, call):
        """Median of as many calls as fit the time, at least three, after one that does not count."""
        call()
        self.wait()
        spent = []
        while len(spent) < 3 or sum(spent) < self.limit and len(spent) < 1000:
            start = time.perf_counter()
            call()
            self.wait()
            spent.append(time.perf_counter() - start)
        return sorted(spent)[len(spent) // 2]

    def peak(self, call):
        """Bytes that a call takes on the device beside what was there; None on a CPU, where nobody counts."""
        if self.device.type != "cuda":
            call()
            return None
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        call()
        self.wait()
        return torch.cuda.max_memory_allocated(self.device) - before

    def measure(self, name, flops, call, beside=None, **more):
        """One line: seconds, rate and share of the rate of a plain product, which is returned."""
        peak = self.peak(call)
        took = self.seconds(call)
        rate = flops / took
        line = dict(name=name, seconds=took, **{k: v / took for k, v in more.items()})
        if flops:
            line["tflops"] = rate / 1e12
        if beside:
            line["share"] = rate / beside
        if peak is not None:
            line["peak_bytes"] = peak
        self.lines.append(line)
        print("time      " + name + ": " + "  ".join(f"{k} {v:.4g}" for k, v in line.items() if k != "name"), flush=True)
        return rate

    def failed(self, name, problem):
        text = " ".join(str(problem).split())[-300:]
        self.lines.append(dict(name=name, failed=text))
        print(f"time      {name}: not measured: {text}", flush=True)


def random(device, *size, dtype=torch.float32):
    return torch.randn(*size, device=device).to(dtype)


def product(clock, rows, inner, columns, dtype):
    """Rate of a plain product [rows, inner] x [inner, columns]."""
    a, b = random(clock.device, rows, inner, dtype=dtype), random(clock.device, inner, columns, dtype=dtype)
    name = f"plain product {rows} x {inner} x {columns}, {str(dtype)[6:]}"
    return clock.measure(name, 2 * rows * inner * columns, lambda: torch.mm(a, b))


def gpt2_small():
    return Model("gpt2", 1, layers=12, heads=12, width=768, mlp=3072, vocabulary=50257, context=1024)


def forward_flops(model, rows, context):
    """Products of a pass that ends with the last layer's neurons, and half of the square of scores, which causality leaves."""
    d, mlp = model.width, model.mlp
    projections = model.layers * (2 * 4 * d * d + 2 * 2 * d * mlp) - 2 * d * mlp
    return rows * context * (projections + model.layers * 2 * 2 * d * (context + 1) / 2)


def forward(clock, kernels, arguments):
    """`capture` of all layers of GPT-2 small."""
    if "gpt2" not in kernels:
        return clock.failed("forward", "the kernel gpt2 was not loaded")
    kernel, model = Kernel(kernels["gpt2"], clock.device), gpt2_small()
    rows, context = arguments.rows or (32 if clock.device.type == "cuda" else 2), arguments.context
    tokens = kernel.to(model.tokens(rows, context))
    kept = torch.arange(rows * context, device=clock.device)
    names = archives.arguments(kernel.module, "capture")
    span = [] if "span" not in names else [torch.tensor([0, model.layers] + ([0, 1] if names[0] == "start" else [1]))]
    for dtype in (torch.float32, torch.bfloat16):
        if dtype == torch.bfloat16 and "place" not in archives.methods(kernel.module):
            clock.failed("forward, bfloat16", "these kernels have no bf16 weights")
            continue
        weights = kernel.to(narrowed(kernel, model) if dtype == torch.bfloat16 else model.weights)
        plain = product(clock, rows * context, model.width, model.mlp, dtype)
        flops = forward_flops(model, rows, context)

        def call():
            kernel.module.capture(tokens, kept, *span, weights, model.shape(), model.real())

        name = f"forward, GPT-2 small, {rows} x {context} tokens, all hook_pre and hook_post, {str(dtype)[6:]}"
        clock.measure(name, flops, call, plain, tokens_per_second=rows * context)


def accumulate(clock, kernels, arguments):
    """One layer pair of GPT-2 small: total F64 [3072, 3072] += x^T y over a block of positions."""
    n = arguments.positions or (8192 if clock.device.type == "cuda" else 2048)
    kernel, d = kernels["correlate"], 3072
    for dtype in (torch.float32, torch.bfloat16):
        # bf16 products are the filter's: summed in F32
        sums = torch.float64 if dtype == torch.float32 else torch.float32
        total = torch.zeros(d, d, dtype=sums, device=clock.device)
        x, y = (random(clock.device, n, d, dtype=dtype) for _ in range(2))
        room = torch.empty(d * d, dtype=dtype, device=clock.device)
        plain = product(clock, d, n, d, dtype)
        for chunk in sorted({min(n, 4096), n}):
            name = f"accumulate {d} x {n} x {d}, chunks of {chunk}, {str(dtype)[6:]}"
            if dtype == torch.bfloat16:
                name += " (products rounded to bf16)"
            clock.measure(name, 2 * d * d * n, lambda: kernel.accumulate(total, x, y, torch.tensor(chunk), room), plain)


def whole(clock, kernels, arguments):
    """The same in 8-bit integers, and what rounding a block costs, beside plain products in F32 and BF16."""
    n, d = arguments.positions or (8192 if clock.device.type == "cuda" else 2048), 3072
    kernel = kernels["integers"]
    z, step = random(clock.device, n, d), torch.full((d,), 0.03, device=clock.device)
    noise, first = kernel.noise(z, torch.tensor(n * d)), torch.tensor(0)
    zero, one = (torch.full((d,), float(value), dtype=torch.float64, device=clock.device) for value in (0, 1))
    blocks = [torch.empty(n, d, dtype=torch.int8, device=clock.device) for _ in range(2)]

    def rounded(block, sums):
        return kernel.fill(block, first, z, zero, one, step, noise, first, torch.tensor(sums))[0]

    x, y = (rounded(block, 1) for block in blocks)
    total, room = (torch.zeros(d, d, dtype=torch.int32, device=clock.device) for _ in range(2))
    for dtype in (torch.float32, torch.bfloat16):
        plain = product(clock, d, n, d, dtype)
        name = f"accumulate_whole {d} x {n} x {d}, beside {str(dtype)[6:]}"
        clock.measure(name, 2 * d * d * n, lambda: kernel.accumulate_whole(total.zero_(), x, y, room), plain)
    for sums in (1, 0):
        name = f"fill {n} x {d} in whole numbers, {'with' if sums else 'without'} sums"
        clock.measure(name, 0, lambda: rounded(blocks[0], sums))


def around(clock, kernels, arguments):
    """What a block costs beside its product."""
    n, d = arguments.positions or (8192 if clock.device.type == "cuda" else 2048), 3072
    kernel = kernels["correlate"]
    x, rho = random(clock.device, n, d), torch.rand(d, d, dtype=torch.float64, device=clock.device) * 2 - 1
    shift, scale = (torch.rand(d, dtype=torch.float64, device=clock.device) for _ in range(2))
    columns, edges = torch.arange(d, device=clock.device), torch.linspace(-1, 1, 100, dtype=torch.float64, device=clock.device)
    square = d if clock.device.type == "cuda" else 768  # on a processor the whole takes minutes
    gaussian = random(clock.device, square, square)
    calls = {
        f"standard {n} x {d}": lambda: kernel.standard(x, shift, scale),
        f"sums {n} x {d}": lambda: kernel.sums(x),
        f"extremes {d} x {d}": lambda: kernel.extremes(rho, columns),
        f"top 10 of {d} x {d}": lambda: kernel.top(rho, columns, torch.tensor(10)),
        f"distribution {d} x {d}": lambda: kernel.distribution(rho, columns, edges),
        f"haar {square} x {square}": lambda: kernel.haar(gaussian),
        f"host to device, {n} x {d} F32, pageable": copied(x.cpu(), clock.device),
        f"device to host, {n} x {d} F32, pageable": copied(x, torch.device("cpu")),
    }
    for name, call in calls.items():
        attempt(clock, name, lambda: clock.measure(name, 0, call))


def copied(x, device):
    return lambda: torch.empty_like(x, device=device).copy_(x)


# Repeatability


def twice(call):
    """Whether two calls give the same bytes, and the largest difference as a share of the largest value."""
    first, second = (list(result) if isinstance(result, (list, tuple)) else [result] for result in (call(), call()))
    same, worst = True, 0.0
    for a, b in zip(first, second):
        if not torch.equal(a, b):
            a, b = a.double(), b.double()
            same, worst = False, max(worst, float((a - b).abs().max() / a.abs().max().clamp_min(1e-300)))
    return same, worst


def trained(kernel, model, tokens):
    """The weights after one step of training."""
    w = kernel.to([x.clone() for x in model.weights])
    moments = [[torch.zeros_like(x) for x in w] for _ in range(2)]
    hyper = torch.tensor([0.01, 0.9, 0.95, 1e-8, 0.1, 1.0, 1, 0], dtype=torch.float64)
    kernel.module.adamw(tokens, w, *moments, model.shape(), model.real(), hyper)
    return w


def repeats(clock, kernels):
    """Calls whose order of additions, or order of equal values, a device may choose anew every time."""
    device = clock.device
    x, y = random(device, 20000, 512), random(device, 20000, 512)
    at = torch.randint(0, 50, (20000,), device=device)
    ties = torch.randint(0, 9, (512, 512), device=device).double() / 9
    columns, edges = torch.arange(512, device=device), torch.linspace(-1, 1, 100, dtype=torch.float64, device=device)
    zeros, cell = (lambda *size: torch.zeros(*size, dtype=torch.float64, device=device)), torch.tensor
    pairs = torch.randint(0, 512, (2, 5000), device=device)
    group, correlate = kernels["groups"], kernels["correlate"]
    calls = {
        "accumulate": lambda: correlate.accumulate(zeros(512, 512), x, y, cell(4096), torch.empty(512 * 512, device=device)),
        "index_add_ of F64 (groups.add_rows)": lambda: group.add_rows(zeros(50, 512), x, at),
        "index_put_ with accumulation, in its place": lambda: zeros(50, 512).index_put_((at,), x.double(), accumulate=True),
        "products": lambda: group.products(zeros(5000), [x], pairs[0], pairs[1], cell(256)),
        "distribution": lambda: correlate.distribution(ties, columns, edges),
        "extremes of ties": lambda: correlate.extremes(ties, columns),
        "top of ties": lambda: correlate.top(ties, columns, cell(10)),
        "haar": lambda: correlate.haar(x[:512]),
        "moments": lambda: kernels["moments"].central(x),
    }
    if "gpt2" in kernels:
        kernel, model = Kernel(kernels["gpt2"], device), Model("gpt2", 3, layers=2, heads=4, width=64, mlp=256, context=128)
        tokens = kernel.to(model.tokens(16, 128))
        weights = kernel.to(model.weights)
        calls["forward to the logits"] = lambda: kernel.module.logits(tokens, weights, model.shape(), model.real())
        calls["a step of training"] = lambda: trained(kernel, model, tokens)
    for name, call in calls.items():
        attempt(clock, name, lambda: repeated(clock, name, call))
    attempt(clock, "order of ties", lambda: order(clock, correlate, ties, columns))


def repeated(clock, name, call):
    same, worst = twice(call)
    clock.lines.append(dict(name=f"repeats: {name}", same_bytes=same, difference=worst))
    print(f"repeats   {name}: {'the same bytes' if same else f'NOT the same bytes, {worst:.2g} apart'}", flush=True)


def order(clock, correlate, ties, columns):
    """Whether, of equal values, `top` lists the lowest columns, and those in order."""
    values, at = correlate.top(ties, columns, torch.tensor(10))
    ordered = torch.sort(ties, dim=1, descending=True, stable=True)
    first = torch.equal(at, ordered.indices[:, :10])
    clock.lines.append(dict(name="order of ties in top", lowest_column_first=first))
    print(f"repeats   ties in top: {'the lowest column first' if first else 'in no particular order'}", flush=True)


def attempt(clock, name, call):
    try:
        call()
    except Exception as problem:  # say it, and measure the rest
        clock.failed(name, problem)


def run(kernels, device, arguments):
    """Measures everything, prints a line each, and returns the lines."""
    clock = Clock(device, arguments.seconds)
    torch.manual_seed(1)
    for part in (forward, accumulate, whole, around):
        attempt(clock, part.__name__, lambda: part(clock, kernels, arguments))
        if device.type == "cuda":
            torch.cuda.empty_cache()
    attempt(clock, "repeats", lambda: repeats(clock, kernels))
    return clock.lines
