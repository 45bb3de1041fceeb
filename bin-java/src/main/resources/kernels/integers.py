# Correlation in whole numbers: blocks z [n, d] of one layer, shifted and scaled as in correlate.py, are rounded at random to multiples
# of a step of each column, and products are sums of whole numbers, without error.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def noise(self, like: Tensor, count: Tensor) -> Tensor:
    # -> F32 [count], uniform in [0, 1)
    return torch.rand([int(count)], device=like.device)

  def fill(self, room: Tensor, column: Tensor, x: Tensor, shift: Tensor, scale: Tensor, step: Tensor, noise: Tensor, first: Tensor, sum: Tensor) -> List[Tensor]:
    # x F32 or F16 [n, d], shift and scale as in `standard` of correlate.py, step F32 [d], noise F32 [n d + first, at least], uniform
    # in [0, 1). Into the first n' rows of room I8 [.., columns], n' the next multiple of 8, from the given column on (modified): z /
    # step rounded up or down at random, so that the mean over the draws is z, and rows of zeros; values beyond 126 steps are cut off. Element i
    # of z takes noise[first + i]
    # -> those rows, all columns [n', columns]; then, if sum is not 0, F64: sum of z and of z^2 [2, d]; sum of squares of what was cut
    # off [d]; sum of squares of the whole numbers [d]
    n = x.size(0)
    d = x.size(1)
    padded = n + (-n % 8)
    begin = int(column)
    filled = room[0:padded]
    q = filled[:, begin:begin + d]
    q[n:].zero_()
    use = noise[int(first):int(first) + n * d].view([n, d])
    start = shift.float()
    by = scale.float()
    limit = step * 126.0
    sums = torch.zeros([2, d], dtype=7, device=x.device)
    cut = torch.zeros([d], dtype=7, device=x.device)
    squares = torch.zeros_like(cut)
    rows = self.step(x)
    z = torch.empty([min(n, rows), d], dtype=6, device=x.device)
    for i in range((n + rows - 1) // rows):
      a = i * rows
      b = min(n, a + rows)
      y = z[0:b - a]
      y.copy_(x[a:b]).sub_(start).mul_(by)
      if int(sum) != 0:
        exact = y.double()
        sums[0].add_(exact.sum([0]))
        sums[1].add_(exact.mul_(exact).sum([0]))
        size = y.abs()
        if bool((torch.amax(size, [0]) > limit).any()):
          e = size.sub_(limit).clamp_(min=0.0)
          cut.add_(e.mul_(e).sum([0], dtype=7))
      y.div_(step).clamp_(-126.0, 126.0).add_(use[a:b]).floor_()
      q[a:b].copy_(y)
      if int(sum) != 0:
        if rows > 1000: # 127^2 times as many is no longer exact in F32
          squares.add_(y.mul_(y).sum([0], dtype=7))
        else:
          squares.add_(y.mul_(y).sum([0]))
    out = [filled]
    if int(sum) != 0:
      out = out + [sums, cut, squares]
    return out

  def accumulate_whole(self, total: Tensor, x: Tensor, y: Tensor, room: Tensor) -> Tensor:
    # total I32 [da, db] += x^T y for I8 blocks; modified. room I32, with da db elements at least, is where products are put before
    part = room.view([-1])[0:total.numel()].view(total.size())
    torch._int_mm(x.t(), y, out=part)
    return total.add_(part)

  def accumulate_whole_within(self, total: Tensor, x: Tensor, room: Tensor) -> Tensor:
    # the same for each layer with itself: x [n, layers * d], total [layers * d, d]
    d = total.size(1)
    for layer in range(total.size(0) // d):
      y = x[:, layer * d:(layer + 1) * d].contiguous()
      self.accumulate_whole(total[layer * d:(layer + 1) * d], y, y, room)
    return total

  def flush(self, total: Tensor, pending: Tensor) -> Tensor:
    # total F32 += pending I32, which becomes 0; both modified. A few rows at a time, since what is added is made F32 before
    step = self.step(total)
    for i in range((total.size(0) + step - 1) // step):
      total[i * step:(i + 1) * step].add_(pending[i * step:(i + 1) * step])
    pending.zero_()
    return total

  def certain(self, rho: Tensor) -> Tensor:
    # rho F64 [d, d] of neurons with themselves -> with ones on the diagonal; modified
    rho.diagonal().fill_(1.0)
    return rho
