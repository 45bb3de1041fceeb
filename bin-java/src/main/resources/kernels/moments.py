# Moments of a block of activations x [n, d] (F32), column by column, in F64. Rows are taken a few at a time, so that what is
# computed from them stays in the processor's cache.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def central(self, x: Tensor) -> List[Tensor]:
    # mean, then the sums over the block of (x - mean)^2, ^3, ^4. Powers are summed about the mean of the first rows, and then
    # moved to the mean of all
    n = x.size(0)
    step = 1 + 98304 // x.size(1)
    shift = x[0:step].double().mean([0])
    s1 = torch.zeros_like(shift)
    s2 = torch.zeros_like(shift)
    s3 = torch.zeros_like(shift)
    s4 = torch.zeros_like(shift)
    for i in range((n + step - 1) // step):
      y = x[i * step:(i + 1) * step].double().sub_(shift)
      square = y * y
      s1.add_(y.sum([0]))
      s2.add_(square.sum([0]))
      s3.add_(y.mul_(square).sum([0]))
      s4.add_(square.pow_(2).sum([0]))
    d = s1 / n
    m2 = (s2 - d * s1).clamp_(min=0.0)
    m3 = s3 - d * s2 * 3 + d * d * s1 * 2
    m4 = (s4 - d * s3 * 4 + d * d * s2 * 6 - d * d * d * s1 * 3).clamp_(min=0.0)
    return [shift + d, m2, m3, m4]

  def post(self, x: Tensor) -> Tensor:
    # -> [7, d]: mean, m2, m3, m4, least, largest, sum of |x|
    out = self.central(x)
    least = torch.amin(x, [0]).double()
    largest = torch.amax(x, [0]).double()
    n = x.size(0)
    step = 1 + 98304 // x.size(1)
    magnitude = torch.zeros_like(least)
    for i in range((n + step - 1) // step):
      magnitude.add_(torch.abs(x[i * step:(i + 1) * step]).double().sum([0]))
    return torch.stack(out + [least, largest, magnitude])

  def pre(self, x: Tensor) -> Tensor:
    # -> [5, d]: mean, m2, m3, m4, number of x > 0
    out = self.central(x)
    positive = (x > 0).sum([0]).double()
    return torch.stack(out + [positive])

  def half(self, x: Tensor) -> Tensor:
    return x.half()
