# Plain matrix products, the ceiling that everything else is compared with.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def narrow(self, x: Tensor) -> Tensor:
    # -> BF16 (dtype 15)
    return x.to(15)

  def times(self, a: Tensor, b: Tensor, count: Tensor) -> Tensor:
    # a [n, k], b [k, m] -> one element of a b; the product is computed count times
    c = torch.mm(a, b)
    for i in range(int(count) - 1):
      c = torch.mm(a, b)
    return c[0:1, 0:1].float()
