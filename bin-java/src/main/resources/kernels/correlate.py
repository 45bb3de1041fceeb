# Correlation of two models' activations from blocks of token positions. x, y are blocks [n, d] of one layer; z are blocks
# shifted and scaled to about zero mean and unit variance (F32). Sums and everything derived from them are F64.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def standard(self, x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    # x F32 or F16 [n, d]; shift F64 [d], of values that F32 holds (`center`'s are); scale F64 [d] -> z F32 [n, d]. So the difference
    # is as exact in F32, however large shift is. A few rows at a time, which stay in the processor's cache
    z = torch.empty([x.size(0), x.size(1)], dtype=6, device=x.device)
    start = shift.float()
    by = scale.float()
    step = self.step(x)
    for i in range((x.size(0) + step - 1) // step):
      z[i * step:(i + 1) * step].copy_(x[i * step:(i + 1) * step]).sub_(start).mul_(by)
    return z

  def room(self, rows: Tensor, columns: Tensor, type: Tensor, like: Tensor) -> Tensor:
    # -> [rows, columns] with any values, on the device of like; type I64: 1 I8, 3 I32, 6 F32, 15 BF16
    return torch.empty([int(rows), int(columns)], dtype=int(type), device=like.device)

  def fill(self, room: Tensor, column: Tensor, x: Tensor, shift: Tensor, scale: Tensor, sum: Tensor) -> List[Tensor]:
    # `standard` into the first rows of room [.., columns], F32 or BF16, from the given column on; modified. The room is used again
    # for every block: memory that is asked for anew has to be cleared by the system each time
    # -> those rows, all columns [n, columns]; then, if sum is not 0, F64: sum of z and of z^2 [2, d], and of BF16 sum of squares of
    # what rounding changed [d] and the sums of what is left [2, d]
    n = x.size(0)
    begin = int(column)
    filled = room[0:n]
    z = filled[:, begin:begin + x.size(1)]
    narrow = room.dtype == 15
    start = shift.float()
    by = scale.float()
    sums = torch.zeros([2, x.size(1)], dtype=7, device=x.device)
    rounded = torch.zeros_like(sums)
    changed = torch.zeros_like(sums[0])
    step = self.step(x)
    for i in range((n + step - 1) // step):
      part = z[i * step:(i + 1) * step]
      y = part
      if narrow:
        y = torch.empty(part.size(), dtype=6, device=x.device)
      y.copy_(x[i * step:(i + 1) * step]).sub_(start).mul_(by)
      if narrow:
        part.copy_(y)
      if int(sum) != 0:
        self.add_sums(sums, y)
        if narrow:
          self.add_sums(rounded, part)
          e = y.sub_(part)
          changed.add_(e.mul_(e).sum([0], dtype=7))
    out = [filled]
    if int(sum) != 0:
      out.append(sums)
      if narrow:
        out.append(changed)
        out.append(rounded)
    return out

  def rotated(self, x: Tensor, shift: Tensor, rotation: Tensor, scale: Tensor) -> Tensor:
    # as above for R (x - shift); scale F64 [1]
    c = x.double().sub_(shift).mul_(scale).float()
    return self.linear(c, rotation)

  def sums(self, z: Tensor) -> Tensor:
    # -> [2, d]: sum of z, sum of z^2, in F64
    sums = torch.zeros([2, z.size(1)], dtype=7, device=z.device)
    step = self.step(z)
    for i in range((z.size(0) + step - 1) // step):
      self.add_sums(sums, z[i * step:(i + 1) * step])
    return sums

  def add_sums(self, sums: Tensor, z: Tensor) -> Tensor:
    # a few rows' sums; sums modified
    y = z.double()
    sums[0].add_(y.sum([0]))
    sums[1].add_(y.mul_(y).sum([0]))
    return sums

  def center(self, x: Tensor) -> Tensor:
    # x [n, d]: some rows -> of each column, F64 [d], the value that it has most often, if it has that in an eighth of the rows, else the
    # median. As a shift it makes the many resting values of a sparse neuron (nearly) 0, so that they do not lose their last bits to
    # the few large products in an F32 sum, and, where they are all equal, do not move every sum to the same side as it is rounded
    columns = x.float().t().contiguous()
    often = torch.mode(columns, 1)[0]
    times = (columns == often.unsqueeze(1)).sum([1])
    rests = torch.logical_and(times > 1, times * 8 >= x.size(0))
    return torch.where(rests, often, torch.median(columns, 1)[0]).double()

  def spread(self, x: Tensor) -> Tensor:
    # x [n, d]: some rows -> standard deviation of each column, F64 [d]
    c = x.double()
    return c.sub_(c.mean([0])).pow_(2).mean([0]).sqrt_()

  def accumulate(self, total: Tensor, x: Tensor, y: Tensor, chunk: Tensor, room: Tensor) -> Tensor:
    # total F64 [da, db] += x^T y; modified. F32 products of at most `chunk` positions are summed in F64; room, of the type of x and with
    # da db elements at least, is where they may be put before
    step = self.positions(chunk, x, y)
    for i in range((x.size(0) + step - 1) // step):
      part = self.product(x[i * step:(i + 1) * step].t(), y[i * step:(i + 1) * step].t(), room)
      self.add(total, part[0:total.size(0)])
    return total

  def positions(self, chunk: Tensor, x: Tensor, y: Tensor) -> int:
    # how many are summed in F32: fewer where the narrower matrix is one that some processors' libraries sum one by one, while they
    # sum wider ones in parts of some hundreds
    if x.dtype == 6 and min(x.size(1), y.size(1)) < 16:
      return min(int(chunk), 128)
    return int(chunk)

  def add(self, total: Tensor, part: Tensor) -> Tensor:
    # total += part, of another type; modified. A few rows at a time, so that what is converted stays in the processor's cache
    step = self.step(part)
    for i in range((part.size(0) + step - 1) // step):
      total[i * step:(i + 1) * step].add_(part[i * step:(i + 1) * step].type_as(total))
    return total

  def accumulate_side_by_side(self, total: Tensor, x: Tensor, blocks: List[Tensor], chunk: Tensor, room: Tensor) -> Tensor:
    # `accumulate` for blocks y [n, d] of several layers: total [da, layers * d]; room with 16 d and da d elements at least. Few columns
    # of x are multiplied among zeros, so that how they are summed does not depend on how many come at once
    if x.size(1) < 16:
      x = torch.cat([x, torch.zeros([x.size(0), 16 - x.size(1)], dtype=x.dtype, device=x.device)], 1)
    first = 0
    for y in blocks:
      self.accumulate(total[:, first:first + y.size(1)], x, y, chunk, room)
      first = first + y.size(1)
    return total

  def accumulate_within(self, total: Tensor, x: Tensor, chunk: Tensor, room: Tensor) -> Tensor:
    # x [n, layers * d], total [layers * d, d] += x^T x of each layer; modified; room as above. x is F32 and total F64, or x is BF16 and total
    # F32. Of wide layers only blocks on and above the diagonal: `mirror` does the rest
    d = total.size(1)
    parts = 1
    if d >= 1536:
      parts = 4
    width = (d + parts - 1) // parts
    step = self.positions(chunk, x[:, 0:d], x)
    for layer in range(total.size(0) // d):
      first = layer * d
      for i in range((x.size(0) + step - 1) // step):
        y = self.crosswise(x[i * step:(i + 1) * step, first:first + d])
        for p in range(parts):
          low = p * width
          high = min(d, low + width)
          self.add(total[first + low:first + high, low:d], self.product(y[low:high], y[low:d], room))
    return total

  def mirror(self, total: Tensor) -> Tensor:
    # total [layers * d, d], of which each layer's upper triangle is right -> the same with the lower one; modified
    d = total.size(1)
    for layer in range(total.size(0) // d):
      c = total[layer * d:(layer + 1) * d]
      upper = torch.triu(c)
      c.copy_(upper + torch.triu(c, 1).t())
    return total

  def peak(self, x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    # x [n, d]: some rows -> largest |z| of each column, F64 [d]
    return x.double().sub_(shift).abs_().amax([0]).mul_(scale)

  def sketch(self, total: Tensor, z: Tensor, bucket: Tensor, sign: Tensor) -> Tensor:
    # total F32 [buckets, d], z [n, d], bucket I64 [r, n] (no bucket twice in a row), sign F32 [r, n]:
    # total[bucket[k, i]] += sign[k, i] z[i]; modified
    for k in range(bucket.size(0)):
      total.index_add_(0, bucket[k], z * sign[k].unsqueeze(1))
    return total

  def settle(self, total: Tensor, ones: Tensor, mean: Tensor) -> Tensor:
    # total F32 [buckets, d], a sketch; ones F32 [buckets, 1], the sketch of a column of ones; mean F64 [d]
    # -> the sketch of what is left without the means; total modified
    return total.sub_(torch.mm(ones, mean.float().unsqueeze(0)))

  def rows(self, x: Tensor, at: Tensor) -> Tensor:
    # x [n, d], at I64 [r] -> [r, d]
    return x.index_select(0, at)

  def stack(self, blocks: List[Tensor]) -> Tensor:
    # [n, d] each -> one below the other
    return torch.cat(blocks, 0)

  def join(self, blocks: List[Tensor]) -> Tensor:
    # [n, d] of each layer -> [n, layers * d]
    return torch.cat(blocks, 1)

  def diagonal(self, x: Tensor, y: Tensor) -> Tensor:
    # -> [d]: sum of x y for each column, in F64
    total = torch.zeros([x.size(1)], dtype=7, device=x.device)
    step = self.step(x)
    for i in range((x.size(0) + step - 1) // step):
      total.add_((x[i * step:(i + 1) * step] * y[i * step:(i + 1) * step]).double().sum([0]))
    return total

  def inverse(self, sums: Tensor, count: float) -> Tensor:
    # sums F64 [2, d]: of x, of x^2 -> 1 / the root of the sum of squares about the mean [d]; 0 where that is 0
    v = (sums[1] - sums[0] * sums[0] / count).clamp_(min=0.0)
    return torch.where(v > 0, v.rsqrt(), torch.zeros([1], dtype=7, device=sums.device))

  def some_rows(self, r: Tensor, totals: List[Tensor], row: int, column: int, left: Tensor, right: Tensor, count: float, sx: Tensor, sy: Tensor, rx: Tensor, ry: Tensor) -> Tensor:
    # as many rows as r F64 [rows, db] has of `correlation`, where sx, rx and left are theirs; r modified
    first = True
    for total in totals:
      part = total[row:row + r.size(0), column:column + r.size(1)].to(7, False, True)
      if right.size(0) > 0:
        part.mul_(left.unsqueeze(1)).mul_(right)
      if first:
        r.copy_(part)
      else:
        r.add_(part)
      first = False
    r.sub_(torch.outer(sx[0], sy[0]).div_(count))
    return r.mul_(rx.unsqueeze(1)).mul_(ry).clamp_(-1.0, 1.0)

  def correlation(self, totals: List[Tensor], row: Tensor, column: Tensor, left: Tensor, right: Tensor, n: Tensor, sx: Tensor, sy: Tensor) -> Tensor:
    # totals F64, F32 or I32: sums of x y, which are added up, where those of [da, db] begin at row and column; in steps left F64
    # [da] and right F64 [db], where these are not empty; sx [2, da], sy [2, db] -> rho F64 [da, db]; 0 where a variance is 0. A few
    # rows at a time, as above
    count = float(n)
    rx = self.inverse(sx, count)
    ry = self.inverse(sy, count)
    rho = torch.empty([sx.size(1), sy.size(1)], dtype=7, device=sx.device)
    step = self.step(rho)
    for i in range((rho.size(0) + step - 1) // step):
      a = i * step
      b = min(rho.size(0), a + step)
      self.some_rows(rho[a:b], totals, int(row) + a, int(column), left[a:b], right, count, sx[:, a:b], sy, rx[a:b], ry)
    return rho

  def turned(self, rho: Tensor) -> Tensor:
    return rho.t().contiguous()

  def extremes(self, rho: Tensor, columns: Tensor) -> List[Tensor]:
    # rho [da, db], columns I64 [c]: those to look at, ascending
    # -> largest [da], its column (of equal ones the first), least [da], its column
    index = torch.arange(columns.size(0), device=rho.device)
    high : List[Tensor] = []
    low : List[Tensor] = []
    at_high : List[Tensor] = []
    at_low : List[Tensor] = []
    step = self.step(rho)
    for i in range((rho.size(0) + step - 1) // step):
      r = self.chosen(rho[i * step:(i + 1) * step], columns)
      most = torch.amax(r, [1])
      least = torch.amin(r, [1])
      high.append(most)
      low.append(least)
      at_high.append(torch.where(r == most.unsqueeze(1), index, index.size(0)).amin([1]))
      at_low.append(torch.where(r == least.unsqueeze(1), index, index.size(0)).amin([1]))
    return [torch.cat(high), columns.index_select(0, torch.cat(at_high)), torch.cat(low), columns.index_select(0, torch.cat(at_low))]

  def chosen(self, x: Tensor, columns: Tensor) -> Tensor:
    # the columns, ascending and without repetition, of x; x itself where that is all of them
    if columns.size(0) == x.size(1):
      return x
    return x.index_select(1, columns)

  def top(self, rho: Tensor, columns: Tensor, k: Tensor) -> List[Tensor]:
    # -> the k largest of each row [da, k], of equal ones the first, their columns [da, k]
    count = min(int(k), columns.size(0))
    more = min(count + 1, columns.size(0))
    values : List[Tensor] = []
    at : List[Tensor] = []
    step = self.step(rho)
    for i in range((rho.size(0) + step - 1) // step):
      r = self.chosen(rho[i * step:(i + 1) * step], columns)
      v, j = torch.topk(r, more, 1)
      if more > count:
        # which of equal ones it takes is the engine's choice: where one that was left out equals the last, the first are looked for
        tied = torch.nonzero(v[:, count - 1] == v[:, count]).view([-1])
        if tied.size(0) > 0:
          some = r.index_select(0, tied)
          first = self.first(some, v.index_select(0, tied)[:, count - 1:count], count)
          j.index_copy_(0, tied, torch.cat([first, first[:, 0:1]], 1))
          v.index_copy_(0, tied, torch.cat([some.gather(1, first), v.index_select(0, tied)[:, count:more]], 1))
      values.append(v[:, 0:count])
      at.append(j[:, 0:count])
    return [torch.cat(values), self.named(columns, torch.cat(at))]

  def first(self, x: Tensor, least: Tensor, count: int) -> Tensor:
    # x [n, d], least [n, 1]: the count-th largest of each row -> columns of the largest, of equal ones the first, best first [n, count]
    above = x > least
    equal = x == least
    wanted = torch.sub(torch.full_like(least, count), above.sum([1], True))
    taken = torch.logical_or(above, torch.logical_and(equal, equal.cumsum(1) <= wanted))
    columns = torch.nonzero(taken)[:, 1].view([-1, count])
    _, order = torch.sort(x.gather(1, columns), stable=True, dim=1, descending=True)
    return columns.gather(1, order)

  def named(self, columns: Tensor, at: Tensor) -> Tensor:
    # at I64 [da, k]: places in columns -> the columns
    return columns.index_select(0, at.reshape([-1])).view(at.size())

  def bounds(self, rho: Tensor, columns: Tensor, left: Tensor, right: Tensor, k: Tensor) -> List[Tensor]:
    # What may still be the largest or least correlation of a row, when rho [da, db] is uncertain by left right; left F64
    # [da, 2], right F64 [2, db].
    # -> the k largest upper bounds of rho [da, k], their columns, the largest lower bound [da]; the same of -rho
    count = min(int(k), columns.size(0))
    beside = self.chosen(right, columns)
    out : List[Tensor] = []
    step = self.step(rho)
    for sign in [1.0, -1.0]:
      values : List[Tensor] = []
      at : List[Tensor] = []
      lower : List[Tensor] = []
      for i in range((rho.size(0) + step - 1) // step):
        r = self.chosen(rho[i * step:(i + 1) * step], columns)
        e = torch.mm(left[i * step:(i + 1) * step], beside)
        upper = torch.add(e, r, alpha=sign)
        v, j = torch.topk(upper, count, 1)
        values.append(v)
        at.append(j)
        lower.append(torch.amax(upper.sub_(e, alpha=2.0), [1]))
      out = out + [torch.cat(values), self.named(columns, torch.cat(at)), torch.cat(lower)]
    return out

  def distribution(self, rho: Tensor, columns: Tensor, edges: Tensor) -> List[Tensor]:
    # edges F64 [100], ascending -> central moments of each row [4, da] (mean, m2, m3, m4 as sums), counts I64 [da, 101]
    # A few rows at a time, so that the values stay in the processor's cache
    bins = edges.size(0) + 1
    step = self.step(rho)
    moments : List[Tensor] = []
    counts : List[Tensor] = []
    for i in range((rho.size(0) + step - 1) // step):
      r = self.chosen(rho[i * step:(i + 1) * step], columns)
      at = torch.bucketize(r, edges)
      at.add_(torch.arange(r.size(0), device=r.device).unsqueeze(1), alpha=bins)
      counts.append(torch.bincount(at.view([-1]), None, r.size(0) * bins).view([r.size(0), bins]))
      mean = r.mean([1])
      c = r - mean.unsqueeze(1)
      c2 = c * c
      moments.append(torch.stack([mean, c2.sum([1]), c.mul_(c2).sum([1]), c2.mul_(c2).sum([1])]))
    return [torch.cat(moments, 1), torch.cat(counts)]

  def largest(self, rho: Tensor, columns: Tensor) -> Tensor:
    # -> [da]: largest of each row
    return torch.amax(self.chosen(rho, columns), [1])

  def haar(self, gaussian: Tensor) -> Tensor:
    # gaussian F32 [.., d, d] -> Haar-distributed rotations: QR with the signs of R's diagonal (Mezzadri 2007)
    q, r = torch.linalg_qr(gaussian)
    sign = torch.sign(torch.diagonal(r, 0, -2, -1))
    sign = torch.where(sign == 0, torch.ones_like(sign), sign)
    return q * sign.unsqueeze(-2)

  def mixed(self, x: Tensor, outer: Tensor, inner: Tensor) -> Tensor:
    # x [n, q p], outer [q, q], inner [p, p] -> x S^T with the Kronecker product S = outer (x) inner, [n, q p]
    if inner.size(0) == 1:
      return self.linear(x, outer * inner)
    y = torch.mm(x.reshape([-1, inner.size(0)]), inner.t()).view([x.size(0), outer.size(0), inner.size(0)])
    return torch.bmm(outer.unsqueeze(0).expand([x.size(0), outer.size(0), outer.size(0)]), y).view([x.size(0), -1])

  def covariance(self, rho: Tensor, sigma: Tensor) -> Tensor:
    # rho F64 [d, d], sigma F64 [d] -> F32
    out = torch.empty([rho.size(0), rho.size(1)], dtype=6, device=rho.device)
    step = self.step(rho)
    for i in range((rho.size(0) + step - 1) // step):
      a = i * step
      b = min(rho.size(0), a + step)
      out[a:b].copy_((rho[a:b] * sigma).mul_(sigma[a:b].unsqueeze(1)))
    return out

  def drawn(self, x: Tensor, outer: Tensor, inner: Tensor, draw: int, draws: int) -> Tensor:
    # x S^T of a draw. outer and inner hold S of the last draws; where they are one fewer than `draws`, the first is R itself, without S
    at = draw - draws + outer.size(0)
    if at < 0:
      return x
    return self.mixed(x, outer[at], inner[at])

  def rotated_variances(self, rotation: Tensor, outer: Tensor, inner: Tensor, draws: Tensor, wanted: Tensor, covariance: Tensor) -> Tensor:
    # variance of each rotated neuron of the first `wanted` draws, diag(S R cov R^T S^T), from the layer's own covariance F32 [d, d];
    # rotation R [d, d], outer [draws, q, q] and inner [draws, p, p] of S as of `drawn` -> F64 [wanted, d]. Where a half has few positions, some
    # rotated neurons hardly vary, and F32 errs by more than that, below 0 too: none is taken to vary less than a hundred thousandth of
    # their mean. Such a one then correlates less than it does, instead of with whatever the error is
    all = int(draws)
    count = int(wanted)
    least = covariance.diagonal().double().mean() * 1e-5
    across = self.linear(covariance, rotation)
    out = torch.zeros([count, rotation.size(0)], dtype=7, device=rotation.device)
    step = self.step(across)
    for i in range((across.size(0) + step - 1) // step):
      x = across[i * step:(i + 1) * step]
      r = rotation[:, i * step:i * step + x.size(0)].t().contiguous()
      for k in range(count):
        out[k].add_((self.drawn(x, outer, inner, k, all) * self.drawn(r, outer, inner, k, all)).double().sum([0]))
    return torch.maximum(out, least)

  def scaled(self, totals: List[Tensor], row: Tensor, column: Tensor, left: Tensor, right: Tensor, n: Tensor, sx: Tensor, sy: Tensor, sigma: Tensor) -> Tensor:
    # `correlation` times sigma F64 [db] -> cov(x, y) in units of the standard deviation of x, F32 [da, db]
    return self.scaled_by(totals, int(row), int(column), left, right, float(n), sx, sy, torch.ones_like(sx[0]), sigma)

  def scaled_turned(self, totals: List[Tensor], row: Tensor, column: Tensor, left: Tensor, right: Tensor, n: Tensor, sx: Tensor, sy: Tensor, sigma: Tensor) -> Tensor:
    # the same of rho^T: sigma F64 [da] -> cov(y, x) in units of the standard deviation of y, F32 [db, da], in the order of rho
    return self.scaled_by(totals, int(row), int(column), left, right, float(n), sx, sy, sigma, torch.ones_like(sy[0])).t()

  def scaled_by(self, totals: List[Tensor], row: int, column: int, left: Tensor, right: Tensor, count: float, sx: Tensor, sy: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    # `correlation` times rows [da] and columns [db] -> F32
    rx = self.inverse(sx, count)
    ry = self.inverse(sy, count)
    out = torch.empty([sx.size(1), sy.size(1)], dtype=6, device=sx.device)
    step = self.step(out)
    rho = torch.empty([min(out.size(0), step), out.size(1)], dtype=7, device=sx.device)
    for i in range((out.size(0) + step - 1) // step):
      a = i * step
      b = min(out.size(0), a + step)
      r = self.some_rows(rho[0:b - a], totals, row + a, column, left[a:b], right, count, sx[:, a:b], sy, rx[a:b], ry)
      out[a:b].copy_(r.mul_(columns).mul_(rows[a:b].unsqueeze(1)))
    return out

  def baseline(self, scaled: List[Tensor], rotation: Tensor, outer: Tensor, inner: Tensor, variances: Tensor, room: Tensor) -> Tensor:
    # scaled F32 [da, db] each, rotation R F32 [db, db], outer [draws, q, q] and inner [draws, p, p] of S as of `drawn`, variances of
    # the rotated neurons F64 [draws, db]; room F32, with da db elements at least
    # -> largest correlation of each neuron (row, of all one after the other) with any rotated neuron, in each draw:
    #    cov(x, S R y) / sd(S R y) = cov(x, y) R^T S^T / sd(S R y), at most 1; F64 [draws, sum of da]
    inverse = variances.rsqrt().float()
    out : List[Tensor] = []
    for x in scaled:
      product = self.product(x, rotation, room)
      step = self.step(product)
      for i in range((x.size(0) + step - 1) // step):
        out.append(self.peaks(product[i * step:(i + 1) * step], outer, inner, inverse, inverse.size(0)))
    return torch.cat(out, 1).double().clamp_(max=1.0)

  def peaks(self, x: Tensor, outer: Tensor, inner: Tensor, inverse: Tensor, draws: int) -> Tensor:
    # x [n, d] -> [k, n]: largest of each row of x S^T times inverse [k, d], of the first k draws
    out : List[Tensor] = []
    for k in range(inverse.size(0)):
      out.append(torch.amax(self.drawn(x, outer, inner, k, draws) * inverse[k], [1]))
    return torch.stack(out)

  def baselines(self, first: List[Tensor], second: List[Tensor], rotation: Tensor, outer: Tensor, inner: Tensor, variances: Tensor, halves: Tensor, rows: Tensor, between: Tensor, room: Tensor) -> Tensor:
    # `baseline` of the whole, whose products follow from those of its halves, first and second: the covariances of x with y are
    #    n cov(x, y) = sum over halves h of n_h cov_h(x, y) + n_1 n_2 / n (m_1(x) - m_2(x)) (m_1(y) - m_2(y)), m_h their means
    # and of the halves themselves in the first draws, of which halves F64 [2, drawn, db] has the variances, drawn 0 or more. rows F64
    # [3, sum of da]: n_h sd_h(x) / (n sd(x)) of each half, and n_1 n_2 (m_1(x) - m_2(x)) / (n^2 sd(x)). between F64 [db]: m_1(y) -
    # m_2(y). room F32, with 2 da db elements at least -> F64 [draws + 2 drawn, sum of da]
    inverse = variances.rsqrt().float()
    apart = halves.rsqrt().float()
    moved = torch.mv(rotation, between.float())
    weights = rows.float().unsqueeze(2)
    out : List[Tensor] = []
    begin = 0
    for j in range(len(first)):
      x = first[j]
      size = x.size(0) * rotation.size(0)
      one = self.product(x, rotation, room)
      two = self.product(second[j], rotation, room.view([-1])[size:2 * size])
      step = self.step(one)
      for i in range((x.size(0) + step - 1) // step):
        a = one[i * step:(i + 1) * step]
        b = two[i * step:(i + 1) * step]
        w = weights[:, begin + i * step:begin + i * step + a.size(0)]
        found : List[Tensor] = []
        if apart.size(1) > 0:
          found = [self.peaks(a, outer, inner, apart[0], inverse.size(0)), self.peaks(b, outer, inner, apart[1], inverse.size(0))]
        whole = (a * w[0]).addcmul_(b, w[1]).addcmul_(w[2], moved)
        out.append(torch.cat([self.peaks(whole, outer, inner, inverse, inverse.size(0))] + found))
      begin = begin + x.size(0)
    return torch.cat(out, 1).double().clamp_(max=1.0)

  def columns(self, blocks: List[Tensor], at: Tensor) -> Tensor:
    # blocks [n, d] of some layers, at I64 [r]: columns of all side by side, ascending -> [n, r]
    parts : List[Tensor] = []
    first = 0
    for z in blocks:
      inside = at.masked_select(torch.logical_and(at >= first, at < first + z.size(1)))
      parts.append(z.index_select(1, inside - first))
      first = first + z.size(1)
    return torch.cat(parts, 1)
