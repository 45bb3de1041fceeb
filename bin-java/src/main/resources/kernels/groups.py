# Sums over groups of positions for chosen pairs of neurons. z are blocks [n, d] of one layer, shifted and scaled as in
# correlate.py. Everything that is kept is F64.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def add_at(self, total: Tensor, at: Tensor, y: Tensor) -> Tensor:
    # total[at[i]] += y[i]; modified. On a GPU index_add_ adds in any order, and sums would not repeat
    if y.is_cuda:
      return torch.index_put_(total, annotate(List[Optional[Tensor]], [at]), y, True)
    return total.index_add_(0, at, y)

  def add_rows(self, total: Tensor, z: Tensor, at: Tensor) -> Tensor:
    # total F64 [keys, d], at I64 [n]: total[at[i]] += z[i], position after position, so that the cut into blocks does not
    # matter; modified. A few rows at a time, so that the F64 values stay in the processor's cache
    step = self.step(z)
    for i in range((z.size(0) + step - 1) // step):
      self.add_at(total, at[i * step:(i + 1) * step], z[i * step:(i + 1) * step].double())
    return total

  def add_all(self, sums: Tensor, z: Tensor, first: Tensor, first_at: Tensor, second: Tensor, second_at: Tensor) -> Tensor:
    # add_rows to first and to second, and sums F64 [2, d] += sum of z, sum of z^2; all modified
    step = self.step(z)
    for i in range((z.size(0) + step - 1) // step):
      y = z[i * step:(i + 1) * step].double()
      self.add_at(first, first_at[i * step:(i + 1) * step], y)
      self.add_at(second, second_at[i * step:(i + 1) * step], y)
      sums[0].add_(y.sum([0]))
      sums[1].add_(y.mul_(y).sum([0]))
    return sums

  def products(self, total: Tensor, blocks: List[Tensor], first: Tensor, second: Tensor, chunk: Tensor) -> Tensor:
    # blocks [n, d] of all layers of all models, side by side N columns; first, second I64 [wanted]: pairs of columns.
    # total F64 [wanted] += sum over positions of the product of the two columns; modified. Sums over at most `chunk` positions
    # are in the type of the blocks. The dot products of chosen rows of two matrices are what the gradient of a weighted sum
    # of rows with respect to its weights is, and the engine has a fast function for that. Some processors' libraries sum in
    # an order that depends on where in memory a row begins: so that it does not depend on the blocks before, zeros make rows whole
    step = int(chunk)
    n = blocks[0].size(0)
    if first.size(0) == 0:
      return total
    width = 0
    for z in blocks:
      width = width + z.size(1)
    for i in range((n + step - 1) // step):
      some = min(step, n - i * step)
      x = torch.zeros([width, (some + 15) // 16 * 16], dtype=blocks[0].dtype, device=blocks[0].device)
      row = 0
      for z in blocks:
        x[row:row + z.size(1), 0:some].copy_(z[i * step:i * step + some].t())
        row = row + z.size(1)
      total.add_(torch._embedding_bag_per_sample_weights_backward(x, x, second, first, first, 0, -1))
    return total

  def means(self, total: Tensor, roots: Tensor) -> Tensor:
    # total F64 [keys + 1, d], the last row being none of the keys; roots F64 [keys] -> total / root of each key, in total's own place:
    # a copy of all of them would take as much memory again. Modified
    return total[:roots.size(0)].div_(roots.unsqueeze(1))

  def gathered(self, totals: List[Tensor], at: Tensor) -> Tensor:
    # totals F64 [wanted] of each group, at I64 [m] -> [m, groups]
    parts = annotate(List[Tensor], [])
    for total in totals:
      parts.append(total.index_select(0, at))
    return torch.stack(parts, 1)
