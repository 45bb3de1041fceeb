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
    step = self.step(x)
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

  def fine(self, x: Tensor) -> int:
    # half as many rows as elsewhere, for what is computed in F64 from more than one array
    return (self.step(x) + 1) // 2

  def powers(self, state: Tensor, x: Tensor, shift: Tensor) -> Tensor:
    # state F64 [4.., d] += sums of (x - shift)^1, ^2, ^3, ^4; modified
    y = x.double().sub_(shift)
    square = y * y
    state[0].add_(y.sum([0]))
    state[1].add_(square.sum([0]))
    state[2].add_(y.mul_(square).sum([0]))
    state[3].add_(square.mul_(square).sum([0]))
    return state

  def pre(self, state: Tensor, shift: Tensor, x: Tensor, kept: Tensor, ends: Tensor) -> Tensor:
    # x F32 [.., d], of which the rows kept I64 [n] count; ends I64, on the host: where in kept each unit of rows ends. Sums are
    # taken in an order that the units decide, not how many come at once. state F64 [5, d]: powers, number of x > 0; shift F64 [d]
    # -> the new state
    state = state.clone()
    step = self.fine(x)
    begin = 0
    for unit in range(ends.size(0)):
      end = int(ends[unit])
      while begin < end:
        stop = min(begin + step, end)
        some = x.index_select(0, kept[begin:stop])
        self.powers(state, some, shift)
        state[4].add_(some.sign_().clamp_(min=0.0).sum([0])) # F32 counts exactly below 2^24 rows
        begin = stop
    return state

  def post(self, state: Tensor, shift: Tensor, x: Tensor, kept: Tensor, ends: Tensor, least: Tensor, store: Tensor) -> List[Tensor]:
    # As pre; state F64 [7, d]: powers, least, largest, sum of |x|. least F32 [d]: what an example has to exceed. store I64: the type
    # to store the rows in, 5 F16, 6 F32, 15 bf16; -1 for none
    # -> the new state; the rows in that type [n, d] (or [0, d]); then of each value above least, row after row: its index in
    # kept I64, its column I64, the value F32
    state = state.clone()
    type = int(store)
    n = 0
    if type >= 0:
      n = kept.size(0)
    stored = torch.empty([n, x.size(1)], dtype=max(type, 5), device=x.device)
    none = torch.zeros([0], dtype=4, device=x.device)
    rows = [none]
    columns = [none]
    values = [none.float()]
    step = self.fine(x)
    begin = 0
    for unit in range(ends.size(0)):
      end = int(ends[unit])
      while begin < end:
        stop = min(begin + step, end)
        some = x.index_select(0, kept[begin:stop])
        if type >= 0:
          stored[begin:stop].copy_(some)
        low = torch.amin(some, [0])
        high = torch.amax(some, [0])
        state[4].copy_(torch.minimum(state[4], low.double()))
        state[5].copy_(torch.maximum(state[5], high.double()))
        self.powers(state, some, shift)
        at = torch.nonzero(high > least).view([-1])
        if at.size(0) > 0:
          few = some.index_select(1, at)
          flat = torch.nonzero((few > least.index_select(0, at)).view([-1])).view([-1])
          rows.append(torch.floor_divide(flat, at.size(0)) + begin)
          columns.append(at.index_select(0, torch.remainder(flat, at.size(0))))
          values.append(few.view([-1]).index_select(0, flat))
        state[6].add_(some.abs_().double().sum([0]))
        begin = stop
    return [state, stored, torch.cat(rows), torch.cat(columns), torch.cat(values)]

  def first(self, x: Tensor, kept: Tensor) -> Tensor:
    # -> the first row that counts, F64 [d]
    return x[int(kept[0])].double()

  def rows(self, x: Tensor, kept: Tensor) -> Tensor:
    return x.index_select(0, kept)
