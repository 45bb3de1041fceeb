# Correlation in whole numbers: blocks z [n, d] of one layer, shifted and scaled as in correlate.py, are rounded at random to multiples
# of a step of each column, and products are sums of whole numbers, without error.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def noise(self, like: Tensor, count: Tensor) -> Tensor:
    # -> F32 [count], uniform in [0, 1)
    return torch.rand([int(count)], device=like.device)

  def quantise(self, z: Tensor, step: Tensor, noise: Tensor, first: Tensor) -> Tensor:
    # z F32 [n, d], step F32 [d], noise F32 [n d + first, at least], uniform in [0, 1) -> I8 [n', d], n' the next multiple of 8, rows of
    # zeros appended: z / step rounded up or down at random, so that the mean over the draws is z; values beyond 126 steps are cut
    # off. Element i of z takes noise[first + i]
    n = z.size(0)
    d = z.size(1)
    q = torch.empty([n + (-n % 8), d], dtype=1, device=z.device)
    q[n:].zero_()
    use = noise[int(first):int(first) + n * d].view([n, d])
    rows = self.step(z)
    for i in range((n + rows - 1) // rows):
      a = i * rows
      b = min(n, a + rows)
      x = torch.div(z[a:b], step).clamp_(-126.0, 126.0)
      q[a:b].copy_(x.add_(use[a:b]).floor_())
    return q

  def cut(self, z: Tensor, step: Tensor) -> Tensor:
    # -> F64 [d]: sum of squares of what quantise cuts off
    limit = step * 126.0
    total = torch.zeros([z.size(1)], dtype=7, device=z.device)
    rows = self.step(z)
    for i in range((z.size(0) + rows - 1) // rows):
      size = z[i * rows:(i + 1) * rows].abs()
      if bool((torch.amax(size, [0]) > limit).any()):
        e = size.sub_(limit).clamp_(min=0.0)
        total.add_(e.mul_(e).sum([0], dtype=7))
    return total

  def squares(self, q: Tensor) -> Tensor:
    # q I8 [n, d] -> F64 [d]: sum of q^2; below 2^24 for a thousand rows, so that sums of some are exact in F32
    total = torch.zeros([q.size(1)], dtype=7, device=q.device)
    rows = min(self.step(q), 1000)
    for i in range((q.size(0) + rows - 1) // rows):
      e = q[i * rows:(i + 1) * rows].float()
      total.add_(e.mul_(e).sum([0]))
    return total

  def accumulate_whole(self, total: Tensor, x: Tensor, y: Tensor) -> Tensor:
    # total I32 [da, db] += x^T y for I8 blocks; modified
    return total.add_(torch._int_mm(x.t(), y))

  def accumulate_whole_within(self, total: Tensor, x: Tensor) -> Tensor:
    # the same for each layer with itself: x [n, layers * d], total [layers * d, d]
    d = total.size(1)
    for layer in range(total.size(0) // d):
      y = x[:, layer * d:(layer + 1) * d].contiguous()
      total[layer * d:(layer + 1) * d].add_(torch._int_mm(y.t(), y))
    return total

  def flush(self, total: Tensor, pending: Tensor) -> Tensor:
    # total += pending, which becomes 0; both modified
    total.add_(pending)
    pending.zero_()
    return total

  def unscaled(self, total: Tensor, left: Tensor, right: Tensor) -> Tensor:
    # total F64 [da, db] in steps left F64 [da] and right F64 [db] -> in units of z; modified
    return total.mul_(left.unsqueeze(1)).mul_(right)

  def certain(self, rho: Tensor) -> Tensor:
    # rho F64 [d, d] of neurons with themselves -> with ones on the diagonal; modified
    rho.diagonal().fill_(1.0)
    return rho
