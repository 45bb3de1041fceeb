  # Products of matrices, by the library that the engine takes for them; goes on inside the class of other kernels. Where the processor
  # has another one that is faster, onednn.py stands in its place.

  def linear(self, x: Tensor, w: Tensor) -> Tensor:
    # x [m, k], w [n, k] -> x w^T [m, n]
    return torch.mm(x, w.t())

  def affine(self, x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
    # x [m, k], w [n, k], bias [n] -> x w^T + bias [m, n]
    return torch.addmm(bias, x, w.t())

  def product(self, x: Tensor, w: Tensor, room: Tensor) -> Tensor:
    # linear, in room, of the type of x and with m n elements at least, or elsewhere
    out = room.view([-1])[0:x.size(0) * w.size(0)].view([x.size(0), w.size(0)])
    return torch.mm(x, w.t(), out=out)

  def crosswise(self, x: Tensor) -> Tensor:
    # x^T, whose rows, and parts of them one after the other, are going to be multiplied
    return x.t()

  def attending(self, v: Tensor) -> Tensor:
    # values of an attention -> in the type that it is computed in
    return v
