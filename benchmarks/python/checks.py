"""Every method of every kernel against a computation of its own in float64."""
import torch

import archives
from references import Model, Reference

# Parts that only other methods call: checked through these (integers.whole: archives.py puts it there)
INNER = {
    "transformer": {"first", "embed", "project", "written", "split", "rotate", "read", "hook", "activation", "norm", "attend",
                    "attending", "attention", "pre", "crosswise", "write", "through", "unembed", "change", "composed", "gelu_by_sigmoid"},
    "ablate": {"attending", "summarise", "crosswise"},
    "correlate": {"attending", "chosen", "add", "add_sums", "drawn", "first", "inverse", "named", "peaks", "positions", "scaled_by",
                  "some_rows", "step", "crosswise"},
    "groups": {"add_at", "step"},
    "integers": {"step", "whole"},
    "moments": {"step", "fine", "powers"},
}
# Methods that not every version of the kernels has
COMING_AND_GOING = {"zeros", "place", "predict", "layer", "half", "first", "rows"}
F32 = 3e-5  # of the largest value: some hundred roundings of 2^-24
F64 = 1e-12
BF16 = 6e-2

CHECKS = {}


def check(kernel, *methods):
    """Registers a function that yields (what was looked at, error, the most that it may be)."""

    def register(function):
        for method in methods:
            CHECKS[kernel, method] = function
        return function

    return register


class Kernel:
    """A module on a device: copies of the arguments go there unless they are a Host; results come back to the CPU."""

    def __init__(self, module, device):
        self.module, self.device = module, device

    def to(self, x):
        return [y.to(self.device) for y in x] if isinstance(x, list) else x.to(self.device)

    def __call__(self, method, *arguments):
        def placed(x):
            if isinstance(x, list):
                return [placed(y) for y in x]
            if isinstance(x, torch.Tensor):
                return x.clone().to(self.device)  # some methods change what they are given
            return x.value if isinstance(x, Host) else torch.tensor(x)

        # not as an attribute: a module has methods of its own, such as half
        result = self.module._c._get_method(method)(*[placed(a) for a in arguments])
        return [x.cpu() for x in result] if isinstance(result, (list, tuple)) else result.cpu()


class Host:
    """An argument that stays where it is, such as sizes, which kernels read on the host."""

    def __init__(self, value):
        self.value = value


def error(found, expected):
    """Largest difference as a share of the largest expected value; infinite if shapes differ or finiteness does."""
    if tuple(found.shape) != tuple(expected.shape):
        return float("inf")
    a, b = found.double().flatten(), expected.double().flatten()
    finite = torch.isfinite(b)
    if not torch.equal(torch.isfinite(a), finite) or not torch.equal(a[~finite], b[~finite]):
        return float("inf")
    if not finite.any():
        return 0.0
    return float((a - b)[finite].abs().max() / max(float(b[finite].abs().max()), 1e-300))


def same(found, expected):
    return 0.0 if found.dtype == expected.dtype and torch.equal(found, expected) else float("inf")


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def normal(*size, seed=1):
    return torch.randn(*size, generator=generator(seed))


def blocks(seed=1, n=5000, d=30):
    """Two blocks of positions that have something to do with each other, of about zero mean and unit variance."""
    x = normal(n, d, seed=seed)
    y = 0.6 * x[:, torch.randperm(d, generator=generator(seed))] + 0.8 * normal(n, d, seed=seed + 1)
    return x, y


def correlations(da=40, db=60, ties=False):
    rho = torch.rand(da, db, generator=generator(), dtype=torch.float64) * 2 - 1
    return (rho * 8).round() / 8 if ties else rho


# correlate


@check("correlate", "standard")
def standard(k):
    x, shift, scale = normal(5000, 30) + 1000, (normal(30, seed=2) + 1000).double(), normal(30, seed=3).double().abs()
    yield "F32", error(k("standard", x, shift, scale), (x.double() - shift) * scale), 2e-7
    half, near = normal(5000, 30).half(), normal(30, seed=2).half().double()
    yield "F16", error(k("standard", half, near, scale), (half.double() - near) * scale), 2e-7


@check("correlate", "room")
def room(k):
    for number, dtype in ((1, torch.int8), (3, torch.int32), (6, torch.float32), (15, torch.bfloat16)):
        made = k("room", 3, 5, number, torch.zeros(1))
        yield str(dtype)[6:], 0.0 if made.dtype == dtype and tuple(made.shape) == (3, 5) else float("inf"), 0


@check("correlate", "fill")
def fill(k):
    x, shift, scale = normal(5000, 30) + 1000, (normal(30, seed=2) + 1000).double(), normal(30, seed=3).double().abs()
    z = k("standard", x, shift, scale)
    for dtype in (torch.float32, torch.bfloat16):
        name, room = str(dtype)[6:], torch.full((6000, 70), 7).to(dtype)
        filled, *sums = k("fill", room, 25, x, shift, scale, 1)
        narrow = z.to(dtype)
        yield f"{name}, in its place", same(filled[:, 25:55], narrow), 0
        around = torch.cat([filled[:, :25], filled[:, 55:]], 1)
        yield f"{name}, nothing beside it", same(around, torch.full_like(around, 7)), 0
        yield f"{name}, sums", same(sums[0], k("sums", z)), 0
        yield f"{name}, no sums", 0.0 if len(k("fill", room, 25, x, shift, scale, 0)) == 1 else float("inf"), 0
        if dtype == torch.bfloat16:
            yield "what rounding changed", error(sums[1], (z.double() - narrow.double()).pow(2).sum(0)), 1e-6
            yield "sums of what is left", same(sums[2], k("sums", narrow)), 0


@check("correlate", "rotated")
def rotated(k):
    x, shift, scale = normal(500, 30), normal(30, seed=2).double(), torch.tensor([0.7], dtype=torch.float64)
    rotation = normal(30, 30, seed=3)
    yield "", error(k("rotated", x, shift, rotation, scale), (x.double() - shift) * scale @ rotation.double().T), F32


@check("correlate", "sums")
def sums(k):
    z = normal(9000, 30).double()
    yield "", error(k("sums", z.float()), torch.stack([z.float().double().sum(0), z.float().double().pow(2).sum(0)])), F64


@check("correlate", "center")
def center(k):
    x = normal(1023, 30)
    x[:128, 3] = 0.25  # an eighth, and as many again, of columns that rest
    x[200:600, 5] = 1.5
    x[:127, 7] = 0.25  # too few
    expected = x.sort(0).values[511].double()
    expected[3], expected[5] = 0.25, 1.5
    yield "", same(k("center", x), expected), 0
    few = normal(5, 3)
    yield "of few rows", same(k("center", few), few.sort(0).values[2].double()), 0


@check("correlate", "accumulate")
def accumulate(k):
    x, y = blocks()
    start = normal(30, 30, seed=9).double() * 100
    expected = start + x.double().T @ y.double()
    for chunk in (4096, 128):
        yield f"chunks of {chunk}", error(k("accumulate", start.clone(), x, y, chunk, torch.empty(1000)), expected), 3e-6
    total = start.to(k.device).clone()
    k.module.accumulate(total, k.to(x), k.to(y), torch.tensor(512), k.to(torch.empty(30, 30)))
    yield "in place", error(total.cpu(), expected), 3e-6


@check("correlate", "accumulate_side_by_side")
def accumulate_side_by_side(k):
    x, y = blocks()
    start = normal(30, 60, seed=9).double() * 100
    expected = start + x.double().T @ torch.cat([y, x], 1).double()
    total = k("accumulate_side_by_side", start.clone(), x, [y, x], 512, torch.empty(900))
    yield "", error(total, expected), 3e-6
    few = k("accumulate_side_by_side", start[:5].clone(), x[:, :5], [y, x], 512, torch.empty(480))
    yield "few columns", error(few, expected[:5]), 3e-6


@check("correlate", "accumulate_within")
def accumulate_within(k):
    x, _ = blocks(d=60)
    expected = torch.cat([part.double().T @ part.double() for part in x.split(20, 1)])
    yield "", error(k("accumulate_within", torch.zeros(60, 20, dtype=torch.float64), x, 1024, torch.empty(400)), expected), 3e-6


@check("correlate", "join")
def join(k):
    x, y = blocks(n=100)
    yield "", same(k("join", [x, y]), torch.cat([x, y], 1)), 0


@check("correlate", "diagonal")
def diagonal(k):
    x, y = blocks()
    yield "", error(k("diagonal", x, y), (x.double() * y.double()).sum(0)), 1e-6


@check("correlate", "correlation")
def correlation(k):
    x, y = (b.double() for b in blocks())
    x[:, 4] = 0.25  # a column without variance
    sx, sy = (torch.stack([b.sum(0), b.pow(2).sum(0)]) for b in (x, y))
    a, b = (z - z.mean(0) for z in (x, y))
    norms = torch.outer(a.norm(dim=0), b.norm(dim=0))
    expected = torch.where(norms > 1e-9, a.T @ b / norms, torch.zeros(1, dtype=torch.float64))
    n = Host(torch.tensor(float(len(x)), dtype=torch.float64))
    none = torch.empty(0, dtype=torch.float64)
    total = normal(50, 90, seed=9).double()
    da, db = expected.shape
    total[20:20 + da, 30:30 + db] = x.T @ y
    yield "", error(k("correlation", [total], 20, 30, none, none, n, sx, sy), expected), 1e-10
    half = normal(da, db, seed=8).double()
    left, right = normal(da, seed=6).double(), normal(db, seed=7).double()
    rest = x.T @ y / left[:, None] / right - half
    yield "of two sums in steps", error(k("correlation", [half, rest], 0, 0, left, right, n, sx, sy), expected), 1e-10
    wide = y[:, torch.arange(20000) % db]
    sw = torch.stack([wide.sum(0), wide.pow(2).sum(0)])
    found = k("correlation", [x.T @ wide], 0, 0, none, none, n, sx, sw)
    yield "a few rows at a time", error(found, expected[:, torch.arange(20000) % db]), 1e-10


@check("correlate", "extremes")
def extremes(k):
    for what, rho in (("", correlations()), ("ties", correlations(ties=True)), ("wide", correlations(20, 20000))):
        columns = torch.arange(1, rho.shape[1], 2)
        seen = rho[:, columns]
        high, low = seen.max(1).values, seen.min(1).values
        first = [torch.stack([columns[(row == value).nonzero()[0, 0]] for row, value in zip(seen, best)]) for best in (high, low)]
        for name, found, expected in zip(("largest", "its column", "least", "its column"), k("extremes", rho, columns),
                                         (high, first[0], low, first[1])):
            yield f"{what} {name}", same(found, expected), 0


@check("correlate", "top")
def top(k):
    for what, rho in (("", correlations()), ("ties", correlations(ties=True)), ("wide", correlations(20, 20000))):
        columns = torch.arange(1, rho.shape[1], 2)
        values, at = k("top", rho, columns, 7)
        yield f"{what} values", same(values, rho[:, columns].sort(1, descending=True).values[:, :7].contiguous()), 0
        yield f"{what} columns", same(rho.gather(1, at), values), 0
        first = columns[rho[:, columns].sort(stable=True, dim=1, descending=True).indices[:, :7]]
        yield f"{what} of equal ones the first", same(at.sort(1).values, first.sort(1).values), 0
        distinct = all(len(set(row.tolist())) == 7 and set(row.tolist()) <= set(columns.tolist()) for row in at)
        yield f"{what} each column once", 0.0 if distinct else float("inf"), 0
    yield "fewer than asked for", 0.0 if k("top", correlations(), torch.tensor([3, 5]), 7)[0].shape[1] == 2 else float("inf"), 0


@check("correlate", "distribution")
def distribution(k):
    rho, columns = correlations(), torch.arange(0, 60, 2)
    edges = torch.linspace(-1, 1, 100, dtype=torch.float64)
    rho[0, 0] = edges[50]  # on an edge: the bin below it
    moments, counts = k("distribution", rho, columns, edges)
    seen = rho[:, columns]
    central = seen - seen.mean(1, keepdim=True)
    yield "moments", error(moments, torch.stack([seen.mean(1)] + [central.pow(p).sum(1) for p in (2, 3, 4)])), 1e-11
    expected = torch.zeros(40, 101, dtype=torch.int64)
    for row in range(40):
        for value in seen[row]:
            expected[row, int((edges < value).sum())] += 1
    yield "counts", same(counts, expected), 0


@check("correlate", "largest")
def largest(k):
    rho, columns = correlations(), torch.arange(0, 60, 3)
    yield "", same(k("largest", rho, columns), rho[:, columns].max(1).values), 0


@check("correlate", "haar")
def haar(k):
    gaussian = normal(64, 64)
    rotation = k("haar", gaussian)
    yield "orthogonal", error(rotation.double() @ rotation.double().T, torch.eye(64)), F32
    upper = rotation.double().T @ gaussian.double()
    yield "R is upper triangular", float(upper.tril(-1).abs().max() / upper.abs().max()), F32
    yield "with a positive diagonal", 0.0 if (upper.diagonal() > 0).all() else float("inf"), 0
    several = torch.stack([gaussian, -gaussian, torch.eye(64)])
    yield "of several", error(k("haar", several), torch.stack([rotation, -rotation, torch.eye(64)])), F32


def orthogonal(*size, seed):
    return torch.linalg.qr(normal(*size, seed=seed).double())[0]


def drawn(d, p, draws, seed):
    """A rotation, small ones of each draw after the first, and the rotations of all draws."""
    sizes = (d, d), (draws - 1, d // p, d // p), (draws - 1, p, p)
    rotation, outer, inner = (orthogonal(*size, seed=seed + i) for i, size in enumerate(sizes))
    return rotation, outer, inner, torch.stack([rotation] + [torch.kron(v, u) @ rotation for v, u in zip(outer, inner)])


@check("correlate", "mixed")
def mixed(k):
    for p in (8, 1):
        rotation, outer, inner, all = drawn(40, p, 2, 7)
        found = k("mixed", rotation.T.float(), outer[0].float(), inner[0].float())
        yield f"{p} x {40 // p}", error(found, all[1].T), F32


@check("correlate", "baselines")
def baselines(k):
    """Of two halves of different sizes and means, of which the first has a neuron that does not vary, in 2 and 3 chunks of rows."""
    da, db, sizes = 700, 500, (1300, 1500)
    x, y = (torch.cat([normal(n, d, seed=s + n).double() * (1 + h) + normal(d, seed=s + 7 * h).double() for h, n in enumerate(sizes)]) for d, s in ((da, 1), (db, 2)))
    x[:, 3] += y[:, 5]
    x[:1300, 9] = 2.0
    rotation, outer, inner, all = drawn(db, 20, 3, 5)
    sets = [slice(0, 2800), slice(0, 1300), slice(1300, 2800)]
    scaled, variances, expected, spread, means = [], [], [], [], []
    for rows in sets:
        u, v = (z[rows] - z[rows].mean(0) for z in (x, y))
        deviation = u.pow(2).mean(0).sqrt()
        covariance = u.T @ v / u.size(0) / deviation.unsqueeze(1)
        scaled.append(torch.nan_to_num(covariance, nan=0.0).float())
        variances.append(torch.stack([(v @ r.T).pow(2).mean(0) for r in all]))
        expected.append(torch.stack([(scaled[-1].double() @ r.T / s.sqrt()).max(1).values for r, s in zip(all, variances[-1])]))
        spread.append(deviation)
        means.append((x[rows].mean(0), y[rows].mean(0)))
    apart = [a - b for a, b in zip(means[1], means[2])]
    one, two = (n / sum(sizes) for n in sizes)
    weights = [one * spread[1] / spread[0], two * spread[2] / spread[0], one * two * apart[0] / spread[0]]
    (first, second), room = ([z[:200], z[200:]] for z in scaled[1:]), torch.empty(2 * da * db)
    turns = [m.float() for m in (rotation, outer, inner)]
    for halves in (2, 0):  # draws that are of the halves as well
        of_halves = torch.stack([v[:halves] for v in variances[1:]])
        found = k("baselines", first, second, *turns, variances[0], of_halves, torch.stack(weights), apart[1], room)
        yield f"{halves} draws of the halves", error(found, torch.cat([expected[0]] + [e[:halves] for e in expected[1:]])), F32


@check("correlate", "covariance", "rotated_variances", "scaled", "scaled_turned", "baseline")
def baseline(k):
    a, b = (normal(500, 40, seed=s).double() for s in (1, 2))
    b = b @ normal(40, 40, seed=3).double()  # correlated within
    a, b = ((x - x.mean(0)) / (x - x.mean(0)).norm(dim=0) for x in (a, b))
    sigma = normal(40, seed=4).double().abs() + 0.5
    rotation, outer, inner, all = drawn(40, 5, 3, 5)
    turned = torch.stack([(b * sigma) @ r.T for r in all])
    covariance = k("covariance", b.T @ b, sigma)
    yield "covariance", error(covariance, (b * sigma).T @ (b * sigma)), 2e-7
    turns = [m.float() for m in (rotation, outer, inner)]
    variances = k("rotated_variances", *turns, Host(torch.tensor(3)), Host(torch.tensor(3)), covariance)
    yield "rotated_variances", error(variances, turned.pow(2).sum(1)), F32
    n, none = Host(torch.tensor(500.0, dtype=torch.float64)), torch.empty(0, dtype=torch.float64)
    unit = torch.stack([torch.zeros(40), torch.ones(40)]).double()  # what has mean 0 and norm 1 has these sums
    scaled = k("scaled", [a.T @ b], 0, 0, none, none, n, unit, unit, sigma)
    yield "scaled", error(scaled, (a.T @ b) * sigma), 2e-7
    there = b.T @ a
    turned_back = k("scaled_turned", [there], 0, 0, none, none, n, unit, unit, sigma)
    yield "scaled_turned", same(turned_back, k("scaled", [there.T.contiguous()], 0, 0, none, none, n, unit, unit, sigma)), 0
    yield from scaled_in_steps(k)
    expected = (a.T @ (turned / turned.norm(dim=1, keepdim=True))).max(2).values
    yield "baseline", error(k("baseline", [scaled[:15], scaled[15:]], *turns, variances, torch.empty(2000)), expected), F32


def scaled_in_steps(k):
    """`scaled` of two sums that begin somewhere, in steps, about means, several chunks of rows of which the last is shorter."""
    da, db, n = 22, 20000, 700.0
    half, rest = (normal(30, 20010, seed=s).double() for s in (1, 2))
    left, right = normal(da, seed=3).double(), normal(db, seed=4).double()
    (x1, x2), (y1, y2) = (torch.stack([normal(d, seed=s).double() * 5, 1e5 + normal(d, seed=s + 9).double().abs()]) for d, s in ((da, 5), (db, 6)))
    total = (half + rest)[8:, 10:] * left[:, None] * right
    rho = (total - torch.outer(x1, y1) / n) / torch.outer((x2 - x1 * x1 / n).sqrt(), (y2 - y1 * y1 / n).sqrt())
    known = [half, rest], 8, 10, left, right, Host(torch.tensor(n, dtype=torch.float64)), torch.stack([x1, x2]), torch.stack([y1, y2])
    columns, rows = normal(db, seed=7).double().abs(), normal(da, seed=8).double().abs()
    yield "scaled in steps", error(k("scaled", *known, columns), rho * columns), 2e-7
    yield "scaled_turned in steps", error(k("scaled_turned", *known, rows), (rho * rows[:, None]).T), 2e-7


@check("correlate", "spread", "turned", "rows", "stack", "columns")
def small(k):
    x, y = blocks(n=900)
    yield "spread", error(k("spread", x), x.double().std(0, unbiased=False)), F64
    yield "turned", same(k("turned", x), x.T.contiguous()), 0
    at = torch.tensor([3, 0, 3, 29])
    yield "rows", same(k("rows", x, at), x[at]), 0
    yield "stack", same(k("stack", [x, y]), torch.cat([x, y])), 0
    at = torch.tensor([0, 7, 29, 30, 59])
    yield "columns", same(k("columns", [x, y], at), torch.cat([x, y], 1)[:, at]), 0


@check("correlate", "peak")
def peak(k):
    x, _ = blocks(n=900)
    shift, scale = normal(30, seed=3).double(), normal(30, seed=4).double().abs()
    yield "", error(k("peak", x, shift, scale), ((x.double() - shift).abs() * scale).amax(0)), F64


@check("integers", "noise")
def noise(k):
    u = k("noise", torch.zeros(1), 90000).double()
    yield "in [0, 1)", 0.0 if tuple(u.shape) == (90000,) and bool(((u >= 0) & (u < 1)).all()) else float("inf"), 0
    yield "uniform", abs(float(u.mean()) - 0.5) + abs(float(u.var()) - 1 / 12), 8 / 90000 ** 0.5


@check("integers", "fill")
def whole_numbers(k):
    for d in (32, 300):  # more than a thousand rows at a time, and fewer
        x, shift, scale = normal(3001, d) + 5, normal(d, seed=2).double() + 5, normal(d, seed=3).double().abs() + 0.5
        step = normal(d, seed=5).abs() * 0.01 + 0.02
        u = torch.rand(3001 * d + 7, generator=generator(6))
        room = torch.full((4000, d + 9), 7, dtype=torch.int8)
        parts = k("fill", room, 4, x, shift.float().double(), scale.float().double(), step, u, 7, 1)
        z = (x - shift.float()) * scale.float()
        q = parts[0][:, 4:d + 4]
        wanted = torch.floor(torch.clamp(z / step, -126, 126) + u[7:].view(3001, d))
        yield f"{d}: numbers of its own", same(q[:3001].float(), wanted), 0
        yield f"{d}: rows appended", 0.0 if tuple(parts[0].shape) == (3008, d + 9) and int(q[3001:].abs().sum()) == 0 else float("inf"), 0
        yield f"{d}: nothing beside it", 0.0 if bool((parts[0][:, :4] == 7).all() and (parts[0][:, d + 4:] == 7).all()) else float("inf"), 0
        inside = (z.double().abs() <= 126 * step.double())
        rest = (q[:3001].double() * step.double() - z.double()) * inside
        yield f"{d}: within a step", float((rest.abs() / step.double()).max()), 1 + 1e-4
        # a mean of 3,001 errors, each within a step, of variance step^2 / 4 at most: 8 standard deviations
        yield f"{d}: no bias", float((rest.mean(0).abs() / step.double()).max()), 8 * 0.5 / 3001 ** 0.5
        yield f"{d}: sums", error(parts[1], torch.stack([z.double().sum(0), z.double().pow(2).sum(0)])), F64
        cut = (z.double().abs() - 126 * step.double()).clamp(min=0).pow(2).sum(0)
        yield f"{d}: cut", error(parts[2], cut), 1e-5
        yield f"{d}: squares", same(parts[3], q.double().pow(2).sum(0)), 0
        yield f"{d}: no sums", 0.0 if len(k("fill", room, 4, x, shift, scale, step, u, 7, 0)) == 1 else float("inf"), 0


@check("integers", "accumulate_whole", "accumulate_whole_within", "flush", "certain")
def whole(k):
    x, y = [torch.randint(-127, 128, (4096, 64), dtype=torch.int8, generator=generator(s)) for s in (1, 2)]
    start = torch.randint(-9, 9, (64, 64), dtype=torch.int32, generator=generator(3))
    room = torch.empty(5000, dtype=torch.int32)
    exact = (x.double().T @ y.double()).to(torch.int32)
    yield "product", same(k("accumulate_whole", start, x, y, room), start + exact), 0
    own = torch.cat([part.double().T @ part.double() for part in x.split(32, 1)]).to(torch.int32)
    yield "within", same(k("accumulate_whole_within", torch.zeros(64, 32, dtype=torch.int32), x, room), own), 0
    total = normal(64, 64)
    pending, summed = k.to(start.clone()), k.to(total.clone())
    k.module.flush(summed, pending)
    yield "flush", error(summed.cpu(), total.double() + start.double()), F32
    yield "what was pending", same(pending.cpu(), torch.zeros_like(start)), 0
    rho = correlations(30, 30)
    yield "certain", same(k("certain", rho), rho - torch.diag(rho.diag()) + torch.eye(30, dtype=torch.float64)), 0


@check("correlate", "mirror")
def mirror(k):
    upper = correlations(30, 30)
    expected = upper.triu() + upper.triu(1).T
    yield "", same(k("mirror", torch.cat([upper, upper])), torch.cat([expected, expected])), 0


@check("correlate", "sketch", "settle")
def sketch(k):
    z = normal(700, 30) + 3
    bucket = torch.stack([torch.randperm(700, generator=generator(s)) for s in (1, 2)])  # no bucket twice in a row
    sign = torch.randint(0, 2, (2, 700), generator=generator(3)).float() * 2 - 1
    made = {}
    for name, values in (("z", z), ("ones", torch.ones(700, 1))):
        expected = torch.zeros(800, values.shape[1], dtype=torch.float64)
        for row in range(2):
            for i in range(700):
                expected[bucket[row, i]] += sign[row, i].double() * values[i].double()
        found = k("sketch", torch.zeros(800, values.shape[1]), values, bucket, sign)
        made[name] = found, expected
        yield f"sketch of {name}", error(found, expected), 3e-7
    mean = z.double().mean(0)
    settled = k("settle", made["z"][0], made["ones"][0], mean)
    yield "settle", error(settled, made["z"][1] - made["ones"][1] @ mean.unsqueeze(0)), 1e-6


@check("correlate", "bounds")
def bounds(k):
    for rho in (correlations(), correlations(20, 20000)):
        yield from bounds_of(k, rho)


def bounds_of(k, rho):
    rows, all = rho.shape
    columns = torch.arange(0, all, 2)
    left, right = (torch.rand(*size, generator=generator(2), dtype=torch.float64) * 0.1 for size in ((rows, 2), (2, all)))
    found = k("bounds", rho, columns, left, right, 5)
    width = (left @ right)[:, columns]
    for i, sign in enumerate((1, -1)):
        seen = sign * rho[:, columns]
        values, at, lower = found[3 * i: 3 * i + 3]
        yield "upper", error(values, (seen + width).sort(1, descending=True).values[:, :5]), F64
        back = torch.searchsorted(columns, at)
        yield "their columns", error((seen + width).gather(1, back), values), F64
        yield "largest lower", error(lower, (seen - width).max(1).values), F64


# groups


@check("groups", "add_rows")
def add_rows(k):
    z, at = normal(9000, 30), torch.randint(0, 12, (9000,), generator=generator())
    start = normal(13, 30, seed=3).double()
    expected = start.clone()
    for key in range(12):
        expected[key] += z[at == key].double().sum(0)
    yield "", error(k("add_rows", start, z, at), expected), F64


@check("groups", "add_all")
def add_all(k):
    z = normal(9000, 30)
    at = [torch.randint(0, keys, (9000,), generator=generator(keys)) for keys in (12, 5)]
    totals = [torch.zeros(keys, 30, dtype=torch.float64) for keys in (12, 5)]
    placed = [k.to(x) for x in (torch.zeros(2, 30, dtype=torch.float64), z, totals[0].clone(), at[0], totals[1].clone(), at[1])]
    sums = k.module.add_all(*placed).cpu()
    yield "sums", error(sums, torch.stack([z.double().sum(0), z.double().pow(2).sum(0)])), F64
    for which in (0, 1):
        expected = torch.stack([z[at[which] == key].double().sum(0) for key in range(len(totals[which]))])
        yield "by key", error(placed[2 + 2 * which].cpu(), expected), F64


@check("groups", "products")
def products(k):
    layers = [normal(700, 20, seed=s) for s in (1, 2, 3)]
    wide = torch.cat(layers, 1).double()
    first, second = (torch.randint(0, 60, (200,), generator=generator(s)) for s in (4, 5))
    start = normal(200, seed=6).double()
    expected = start + (wide[:, first] * wide[:, second]).sum(0)
    yield "", error(k("products", start, layers, first, second, 256), expected), 3e-6
    exact = k("products", start, [x.double() for x in layers], first, second, 256)
    yield "F64", error(exact, expected), F64
    none = torch.zeros(0, dtype=torch.int64)
    yield "none wanted", same(k("products", start[:0], layers, none, none, 256), start[:0]), 0


@check("groups", "means", "gathered")
def means(k):
    total, roots = normal(9, 20).double(), torch.arange(1, 9).double().sqrt()
    yield "means", error(k("means", total.clone(), roots), total[:8] / roots.unsqueeze(1)), F64
    totals, at = [normal(50, seed=s).double() for s in (1, 2)], torch.tensor([3, 0, 3, 49])
    yield "gathered", same(k("gathered", totals, at), torch.stack([t[at] for t in totals], 1)), 0


# moments


def spread_out():
    x = normal(7000, 30) * 2 + 30
    x[:, 3] = 0  # a neuron at rest
    return x


@check("moments", "central")
def central(k):
    x = spread_out()
    middle = x.double() - x.double().mean(0)
    expected = [x.double().mean(0)] + [middle.pow(p).sum(0) for p in (2, 3, 4)]
    for name, found, exact in zip(("mean", "m2", "m3", "m4"), k("central", x), expected):
        yield name, error(found, exact), 1e-9


@check("moments", "first", "rows")
def some_rows(k):
    x, kept = spread_out(), torch.tensor([5, 2, 6999])
    yield "first", same(k("first", x, kept), x[5].double()), 0
    yield "rows", same(k("rows", x, kept), x[kept]), 0


@check("moments", "pre", "post")
def moments(k):
    x = spread_out()
    if "state" not in archives.arguments(k.module, "post"):
        middle = x.double() - x.double().mean(0)
        powers = torch.stack([x.double().mean(0)] + [middle.pow(p).sum(0) for p in (2, 3, 4)])
        post, pre = k("post", x), k("pre", x)
        yield "moments", max(error(post[:4], powers), error(pre[:4], powers)), 1e-9
        yield "least, largest", same(post[4:6], torch.stack([x.min(0).values, x.max(0).values]).double()), 0
        yield "sum of |x|, positive", max(error(post[6], x.double().abs().sum(0)), same(pre[4], (x > 0).sum(0).double())), F64
        return
    kept = torch.arange(0, 7000, 3)
    ends, shift, seen = Host(torch.tensor([5, 900, len(kept)])), x[0].double() * 0.9, x[kept]
    moved = seen.double() - shift
    powers = torch.stack([moved.pow(p).sum(0) for p in (1, 2, 3, 4)])
    state = normal(5, 30, seed=2).double()
    pre = k("pre", state, shift, x, kept, ends)
    yield "pre: powers", error(pre[:4] - state[:4], powers), 1e-10
    yield "pre: positive", error(pre[4] - state[4], (seen > 0).sum(0)), 1e-12
    state = torch.zeros(7, 30, dtype=torch.float64)
    state[4:6] = torch.tensor([[float("inf")], [-float("inf")]])
    least = seen.sort(0).values[-4] * 1.0
    for code, dtype in ((6, torch.float32), (5, torch.float16), (15, torch.bfloat16), (-1, None)):
        post, stored, rows, columns, values = k("post", state, shift, x, kept, ends, least, Host(torch.tensor(code)))
        yield f"post, type {code}: powers", error(post[:4], powers), 1e-10
        yield "post: least, largest", same(post[4:6], torch.stack([seen.min(0).values, seen.max(0).values]).double()), 0
        yield "post: sum of |x|", error(post[6], seen.double().abs().sum(0)), F64
        yield "post: stored", 0.0 if dtype is None and len(stored) == 0 else same(stored, seen.to(dtype)), 0
        above = (seen > least).nonzero()
        # the rows come unit by unit, within one row after row
        order = torch.argsort(rows * 30 + columns)
        yield "post: examples", same(torch.stack([rows, columns], 1)[order], above), 0
        yield "post: their values", same(values[order], seen[above[:, 0], above[:, 1]]), 0


@check("moments", "half")
def half(k):
    x = normal(700, 30)
    yield "", same(k("half", x), x.half()), 0


# ablate


@check("ablate", "clean", "compare")
def ablate(k):
    clean_x, u = normal(70, 16), normal(90, 16, seed=2)
    changed = clean_x + 0.3 * normal(70, 16, seed=3)
    target = torch.randint(0, 90, (70,), generator=generator())
    z, zc = (x.double() @ u.double().T for x in (clean_x, changed))
    p, pc = (torch.log_softmax(x, 1) for x in (z, zc))
    rows = torch.arange(70)

    def entropy(log):
        return -(log.exp() * log).sum(1)

    reference, pick, mean = k("clean", clean_x, target, u, 32)
    exact = torch.stack([-p[rows, target], torch.logsumexp(z, 1), entropy(p)])
    yield "clean", error(reference, exact), F32
    yield "clean: tokens", same(pick, torch.stack([target, z.argmax(1)], 1)), 0
    yield "clean: mean of the unembedding", error(mean, p.exp() @ u.double()), F32
    found = k("compare", changed, clean_x, reference, pick, mean, u, 32)
    best = (zc.max(1).values > zc[rows, z.argmax(1)]).double()
    expected = torch.stack([-pc[rows, target], (p.exp() * (p - pc)).sum(1), entropy(pc) - entropy(p), best])
    for name, a, b in zip(("loss", "KL", "change of entropy", "another token"), found, expected):
        yield f"compare: {name}", error(a, b), F32 if name == "loss" else 3e-4


# gpt2, neox


def models(family):
    """Every switch of the architecture in some model."""
    for kind in (0, 1, 2):
        model = Model(family, seed=10 + kind, kind=kind, parallel=kind != 1, scaled=kind != 2, by_layer=kind == 1)
        yield f"model {kind + 1}", model


def forward(k, model, method, *before, end=()):
    return k(method, *before, model.weights, Host(model.shape()), Host(model.real()), *end)


def everything(model, tokens):
    """A reference that has run to its logits."""
    reference = Reference(model)
    logits = reference.logits(tokens)
    return reference, logits


def point(layer, which):
    return 2 + 19 * layer + which


def logits(k, family):
    for name, model in models(family):
        tokens = model.tokens(3, 20)
        expected = everything(model, tokens)[1]
        yield f"{name}: logits", error(forward(k, model, "logits", tokens), expected), F32
        if "predict" in archives.methods(k.module):
            fewer = k.module.predict(k.to(tokens), 7, k.to(model.weights), model.shape(), model.real()).cpu()
            yield f"{name}: of the first positions", error(fewer, expected[:, :7]), F32


def run(k, family):
    for name, model in models(family):
        tokens = model.tokens(2, 17)
        reference, expected = everything(model, tokens)
        count = 2 + 19 * model.layers + 2
        table = torch.tensor([int(i in reference.hooks) for i in range(count)])
        found = start(k, model, tokens, (0, model.layers + 1), table)
        yield f"{name}: logits", error(found[0], expected), F32
        worst = max(error(a, reference.hooks[i]) for a, i in zip(found[1:], sorted(reference.hooks)))
        yield f"{name}: all {len(found) - 1} hooks", worst, F32
        yield from replaced(k, model, tokens, name)
        yield from cut(k, model, reference, name)


def start(k, model, begin, span, table, values=None):
    return forward_run(k, model, begin, torch.tensor(span), table, values or [model.weights[0]])


def forward_run(k, model, begin, span, table, values):
    return k("run", begin, Host(span), Host(table), values, model.weights, Host(model.shape()), Host(model.real()))


def replaced(k, model, tokens, name):
    """Some values put in the place of what is computed: whole arrays, and one number for a whole hook."""
    size = (*tokens.shape, model.mlp)
    values = [normal(*size, seed=7), torch.tensor(0.25), normal(model.width, seed=8)]
    places = [point(0, 16), point(1, 11), point(1, 14)]
    table = torch.zeros(2 + 19 * model.layers + 2, dtype=torch.int64)
    for i, at in enumerate(places):
        table[at] = 2 * (i + 1)
    table[point(0, 16)] += 1
    reference = Reference(model, instead={at: v.double() for at, v in zip(places, values)})
    expected = reference.logits(tokens)
    found = start(k, model, tokens, (0, model.layers + 1), table, values)
    yield f"{name}: hooks replaced", error(found[0], expected), F32
    yield f"{name}: captured where replaced", same(found[1], values[0]), 0


def cut(k, model, reference, name):
    """From a layer's residual stream to another's."""
    none = torch.zeros(0, dtype=torch.int64)
    h = reference.hooks[point(1, 0)]
    found = start(k, model, h.float(), (1, 2), none)
    yield f"{name}: layer 1 alone", error(found[0], Reference(model).through(h, 1, 2)), F32


def capture(k, family):
    for name, model in models(family):
        tokens = model.tokens(3, 15)
        kept = torch.tensor([0, 3, 14, 15, 30, 44])
        reference, _ = everything(model, tokens)
        posts, pres = ([reference.hooks[point(l, i)].reshape(-1, model.mlp)[kept] for l in range(model.layers)] for i in (16, 15))
        both = [x for pair in zip(pres, posts) for x in pair]
        if "span" not in archives.arguments(k.module, "capture"):
            found = forward(k, model, "capture", tokens, kept)
            yield f"{name}: all layers", max(map(error, found, both)), F32
            continue
        if "layer" in archives.methods(k.module):
            yield from by_span(k, model, reference, tokens, kept, name, both, posts)


def by_span(k, model, reference, tokens, kept, name, both, posts):
    """span: the first layer to capture, the layer to stop before, 1 if hook_pre is wanted too."""
    found = forward(k, model, "capture", tokens, kept, Host(torch.tensor([0, model.layers, 1])))
    yield f"{name}: all layers", max(map(error, found, both)) if len(found) == len(both) else float("inf"), F32
    found = forward(k, model, "capture", tokens, kept, Host(torch.tensor([1, 2, 0])))
    yield f"{name}: posts of layer 1", error(found[0], posts[1]) if len(found) == 1 else float("inf"), F32
    h = tokens
    for layer in range(model.layers):
        result = forward(k, model, "layer", h, Host(torch.tensor(layer)))
        h = result[-1]
        expected = [reference.hooks[point(layer, i)].reshape(-1, model.mlp) for i in (15, 16)]
        if layer + 1 < model.layers:
            expected.append(reference.hooks[point(layer, 18)])
        worst = max(map(error, result, expected)) if len(result) == len(expected) else float("inf")
        yield f"{name}: layer {layer} by itself", worst, F32


def trace(k, family):
    for name, model in models(family):
        tokens = model.tokens(3, 15)
        reference, _ = everything(model, tokens)
        expected = []
        for layer in range(model.layers):
            expected += [reference.hooks[point(layer, 18)], reference.hooks[point(layer, 16)].reshape(-1, model.mlp)]
        found = forward(k, model, "trace", tokens)
        yield f"{name}: trace", max(map(error, found, expected)), F32
        kept = torch.tensor([0, 3, 14, 44])
        last = k("finish", found[-2], kept, model.weights, Host(model.real()))
        final = reference.hooks[point(model.layers, 1)].reshape(-1, model.width)
        yield f"{name}: finish", error(last, final[kept]), F32
        yield from resumed(k, model, tokens, found, kept, name)


def resumed(k, model, tokens, found, kept, name):
    """Neurons of layers 0 and 2 replaced, by constants and by another run's activations."""
    neurons = [torch.tensor([1, 5, 39]), torch.tensor([0, 7])]
    other = Reference(model)
    other.logits(model.tokens(*tokens.shape))
    for what in ("constants", "another run"):
        instead, values = {}, []
        undisturbed = Reference(model)
        undisturbed.logits(tokens)
        for which, layer in zip(neurons, (0, 2)):
            post = (undisturbed if layer == 0 else partly).hooks[point(layer, 16)].clone()
            if what == "constants":
                value = normal(len(which), seed=layer + 3)
                post[:, :, which] = value.double()
            else:
                value = other.hooks[point(layer, 16)].reshape(-1, model.mlp).float()
                post[:, :, which] = value.double().reshape(post.shape)[:, :, which]
            values.append(value)
            instead[point(layer, 16)] = post
            partly = Reference(model, instead=dict(instead))
            partly.logits(tokens)
        expected = partly.hooks[point(model.layers, 1)].reshape(-1, model.width)[kept]
        if "runs" not in archives.arguments(k.module, "resume"):
            result = forward(k, model, "resume", found[0], found[1], kept, Host(torch.tensor([0, 2])), neurons, values)
            yield f"{name}: resume with {what}", error(result, expected), F32
            continue
        # a second run beside it, with neurons of layer 0 alone
        layers, runs = Host(torch.tensor([0, 0, 2])), Host(torch.tensor([0, 1, 0]))
        constant = normal(2, seed=9)
        post = undisturbed.hooks[point(0, 16)].clone()
        post[:, :, neurons[1]] = constant.double()
        second = Reference(model, instead={point(0, 16): post})
        second.logits(tokens)
        expected = torch.cat([expected, second.hooks[point(model.layers, 1)].reshape(-1, model.width)[kept]])
        result = forward(k, model, "resume", found[0], found[1], kept, layers, runs, [neurons[0], neurons[1], neurons[1]],
                         [values[0], constant, values[1]])
        yield f"{name}: two runs with {what}", error(result, expected), F32


def adamw(k, family):
    for tied in (False, True):
        model = Model(family, seed=5)
        tokens = model.tokens(4, 12)
        lr, beta1, beta2, epsilon, decay, clip, step = 0.01, 0.9, 0.95, 1e-8, 0.1, 0.5, 3
        w = model.weights[:-1] if tied else model.weights
        m, v = [normal(*x.shape, seed=2) * 0.01 for x in w], [normal(*x.shape, seed=3).pow(2) * 1e-3 for x in w]
        exact = updated([x.double() for x in w], m, v, model, tokens, tied, (lr, beta1, beta2, epsilon, decay, clip, step))
        placed = [k.to([x.clone() for x in part]) for part in (w, m, v)]
        hyper = torch.tensor([lr, beta1, beta2, epsilon, decay, clip, step, float(tied)], dtype=torch.float64)
        result = k.module.adamw(k.to(tokens), *placed, model.shape(), model.real(), hyper).cpu()
        name = "tied" if tied else "untied"
        yield f"{name}: loss and gradient norm", error(result, exact[0]), F32
        for what, found, expected in zip(("weights", "m", "v"), placed, exact[1:]):
            yield f"{name}: {what}", max(error(a.cpu(), b) for a, b in zip(found, expected)), 1e-3


def updated(w, m, v, model, tokens, tied, hyper):
    """AdamW with decoupled decay of matrices, in float64 by autograd."""
    lr, beta1, beta2, epsilon, decay, clip, step = hyper
    with torch.enable_grad():
        leaves = [x.clone().requires_grad_(True) for x in w]
        z = Reference(model, weights=leaves + [leaves[0]] if tied else leaves).logits(tokens)[:, :-1]
        loss = torch.nn.functional.cross_entropy(z.reshape(-1, z.shape[2]), tokens[:, 1:].reshape(-1))
        loss.backward()
    norm = torch.stack([x.grad.pow(2).sum() for x in leaves]).sum().sqrt()
    result = [torch.stack([loss.detach(), norm]), [], [], []]
    for x, first, second in zip(leaves, m, v):
        g = x.grad * min(1.0, clip / float(norm))
        first, second = beta1 * first.double() + (1 - beta1) * g, beta2 * second.double() + (1 - beta2) * g * g
        y = x.detach() * (1 - lr * decay if x.dim() > 1 else 1)
        y = y - lr * (first / (1 - beta1 ** step)) / ((second / (1 - beta2 ** step)).sqrt() + epsilon)
        for part, value in zip(result[1:], (y, first, second)):
            part.append(value)
    return result


def bf16_weights(k, family):
    """The forward pass with bf16 projections: near the float64 one, as near as seven bits of mantissa allow."""
    model = Model(family, seed=12)
    some = normal(20, 30)
    for number, dtype in ((6, torch.float32), (15, torch.bfloat16)):
        made = k("zeros", Host(torch.tensor([20, 30])), number, some)
        yield f"zeros {dtype}", same(made, torch.zeros(20, 30, dtype=dtype)), 0
        parts = [k("place", made, some.flatten()[:250], 0), None]
        parts[1] = k("place", parts[0], some.flatten()[250:], 250)
        yield f"placed {dtype}", same(parts[1], some.to(dtype)), 0
        made.flatten()[:250] = some.flatten()[:250].to(dtype)
        yield f"a part placed {dtype}", same(parts[0], made), 0
    tokens = model.tokens(3, 15)
    expected = everything(model, tokens)[1]
    exact = model.weights
    model.weights = bf16(k, model)
    yield "logits", error(forward(k, model, "logits", tokens), expected), BF16
    model.weights = exact


def bf16(k, model):
    weights = list(model.weights)
    for layer in range(model.layers):
        for i in (2, 3, 4, 5, 8, 9, 10, 11):
            at = model.first(layer) + i
            weights[at] = k("place", torch.zeros(weights[at].shape, dtype=torch.bfloat16), weights[at].flatten(), 0)
    return weights


def multiplied(k):
    x, w, bias = normal(50, 40, seed=1), normal(30, 40, seed=2), normal(30, seed=3)
    for how, given in (("", w), ("transposed ", w.T.contiguous().T), ("a part of ", normal(30, 60, seed=2)[:, 7:47])):
        expected = x.double() @ given.double().T
        yield how + "w", error(k("linear", x, given), expected), 3e-6
        yield how + "w and a bias", error(k("affine", x, given, bias), expected + bias), 3e-6
        for which, left in (("", x), (" and x transposed", x.T.contiguous().T)):
            yield how + "w in a room" + which, error(k("product", left, given, torch.empty(2000)), expected), 3e-6


for _kernel in ("ablate", "correlate", "gpt2", "neox"):
    check(_kernel, "linear", "affine", "product")(multiplied)


for _family in ("gpt2", "neox"):
    for _methods, _function in ((("logits", "predict"), logits), (("run",), run), (("capture", "layer"), capture),
                                (("trace", "finish", "resume"), trace), (("adamw",), adamw), (("zeros", "place"), bf16_weights)):
        check(_family, *_methods)(lambda k, f=_function, family=_family: f(k, family))


def inner(kernel):
    return INNER["transformer"] if kernel in ("gpt2", "neox") else INNER.get(kernel, set())


def outcomes(kernel, function):
    """What a check found, as lines; one that breaks off is a failure."""
    try:
        for what, seen, most in function(kernel):
            yield what.strip(), seen, most, "passed" if seen <= most else "FAILED"
    except Exception as problem:  # say it, and go on with the other checks
        yield " ".join(str(problem).split())[-400:], None, None, "FAILED"


def run_method(name, method, kernel, seen):
    function = CHECKS.get((name, method))
    if function is None:
        return [] if method in inner(name) else [dict(kernel=name, method=method, result="UNCHECKED")]
    if function in seen:
        return []
    seen.add(function)
    return [dict(kernel=name, method=method, what=what, error=e, allowed=most, result=result)
            for what, e, most, result in outcomes(kernel, function)]


def run_all(kernels, device):
    for name, module in kernels.items():
        kernel, seen = Kernel(module, device), set()
        for method in archives.methods(module):
            yield from run_method(name, method, kernel, seen)
        for known, method in CHECKS:
            if known == name and method not in archives.methods(module) and method not in COMING_AND_GOING:
                yield dict(kernel=name, method=method, what="there is no such method any more", result="FAILED")


def run_checks(kernels, device):
    """Checks everything, prints a line each, and returns the lines."""
    lines = []
    for line in run_all(kernels, device):
        lines.append(line)
        told = f"{line['result']:9} {line['kernel']}.{line['method']} {line.get('what', '')}"
        if line.get("error") is not None:
            told += f": {line['error']:.2g} (at most {line['allowed']:.2g})"
        print(told, flush=True)
    return lines
