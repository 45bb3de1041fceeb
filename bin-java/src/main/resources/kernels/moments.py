# Moments of a block of activations x [n, d] (F32), column by column, in F64.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def central(self, x: Tensor) -> List[Tensor]:
    # mean, then the sums over the block of (x - mean)^2, ^3, ^4
    y = x.double()
    mean = y.mean([0])
    c = y.sub_(mean)
    c2 = c * c
    m2 = c2.sum([0])
    m3 = (c2 * c).sum([0])
    m4 = c2.pow_(2).sum([0])
    return [mean, m2, m3, m4]

  def post(self, x: Tensor) -> Tensor:
    # -> [8, d]: mean, m2, m3, m4, least, largest, sum of |x|, sum of x^2
    out = self.central(x)
    least = torch.amin(x, [0]).double()
    largest = torch.amax(x, [0]).double()
    magnitude = torch.abs(x).sum([0], dtype=7)
    square = x.double().pow_(2).sum([0])
    return torch.stack(out + [least, largest, magnitude, square])

  def pre(self, x: Tensor) -> Tensor:
    # -> [5, d]: mean, m2, m3, m4, number of x > 0
    out = self.central(x)
    positive = (x > 0).sum([0]).double()
    return torch.stack(out + [positive])

  def half(self, x: Tensor) -> Tensor:
    return x.half()
