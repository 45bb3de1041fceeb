  # In the place of products.py: F32 products on a processor by oneDNN's own kernels, whose vectors are as wide as the processor's.
  # They have no gradients, and take minutes for what lies in memory otherwise than here: then, and for other types, the
  # engine's library multiplies. Which of both does must not depend on the number of rows of x, which is that of a batch.

  def direct(self, x: Tensor, w: Tensor) -> bool:
    # whether w or its transpose lies densely, and is large enough for the time that a call takes. Of a transpose, columns beside
    # whole vectors would be summed in an order that depends on the rows of x
    if x.is_cuda or x.dtype != 6 or w.dtype != 6 or x.requires_grad or w.requires_grad:
      return False
    if x.numel() == 0 or w.numel() < 131072:
      return False
    return w.is_contiguous() or (w.t().is_contiguous() and w.size(0) % 16 == 0)

  def multiply(self, x: Tensor, w: Tensor, bias: Optional[Tensor]) -> Tensor:
    # Fewer than 16 rows would be summed in another order than the same rows among others
    none : List[Optional[number]] = []
    rows = x.size(0)
    if rows < 16:
      x = torch.cat([x, torch.zeros([16 - rows, x.size(1)], dtype=6)], 0)
    return ops.mkldnn._linear_pointwise(x, w, bias, "none", none, "")[0:rows]

  def linear(self, x: Tensor, w: Tensor) -> Tensor:
    # x [m, k], w [n, k] -> x w^T [m, n]
    if self.direct(x, w):
      return self.multiply(x, w, None)
    return torch.mm(x, w.t())

  def affine(self, x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
    # x [m, k], w [n, k], bias [n] -> x w^T + bias [m, n]
    if self.direct(x, w):
      return self.multiply(x, w, bias)
    return torch.addmm(bias, x, w.t())

  def product(self, x: Tensor, w: Tensor, room: Tensor) -> Tensor:
    # linear, in room, of the type of x and with m n elements at least, or elsewhere
    if self.direct(x, w):
      return self.multiply(x, w, None)
    out = room.view([-1])[0:x.size(0) * w.size(0)].view([x.size(0), w.size(0)])
    return torch.mm(x, w.t(), out=out)

  def crosswise(self, x: Tensor) -> Tensor:
    # x^T, whose rows, and parts of them one after the other, are going to be multiplied
    if x.dtype == 6:
      return x.t().contiguous()
    return x.t()

  def attending(self, v: Tensor) -> Tensor:
    # The engine's library has no bf16 products for this processor either, but by way of F32
    return v.float()
