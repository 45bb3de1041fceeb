# What a changed model says beside the undisturbed one, position by position. x [n, d_model] is what the unembedding
# u [vocabulary, d_model] reads; logits z = x u^T are made for `block` positions at a time and never kept. F32 throughout but
# for the results. All results are in nats.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def summarise(self, z: Tensor, pick: Tensor) -> Tensor:
    # z [b, vocabulary], modified; pick I64 [b, p] token ids
    # -> F64 [3 + p, b]: largest logit m; log of the sum of exp(z - m); entropy; z - m of the picked tokens
    m = torch.amax(z, [1], True)
    z.sub_(m)
    picked = z.gather(1, pick)
    e = torch.exp(z)
    s = e.sum([1]).double()
    t = e.mul_(z).sum([1]).double()
    log = torch.log(s)
    return torch.cat([torch.stack([m.squeeze(1).double(), log, log - t / s]), picked.t().double()])

  def clean(self, x: Tensor, target: Tensor, u: Tensor, block: Tensor) -> List[Tensor]:
    # target I64 [n]: the token whose loss is asked for
    # -> F64 [3, n]: loss of target; log-normaliser; entropy.  I64 [n, 2]: target and the likeliest token.
    #    [n, d_model]: the unembedding's mean under P_clean, so that E_P[z'] = x' . mean for the logits z' of any x'
    rows = int(block)
    out : List[Tensor] = []
    means : List[Tensor] = []
    picks : List[Tensor] = []
    for at in range(0, x.size(0), rows):
      size = min(rows, x.size(0) - at)
      z = self.linear(x.narrow(0, at, size), u)
      means.append(self.linear(torch.softmax(z, 1), u.t()))
      pick = torch.stack([target.narrow(0, at, size), torch.argmax(z, 1)], 1)
      picks.append(pick)
      s = self.summarise(z, pick)
      out.append(torch.stack([s[1] - s[3], s[0] + s[1], s[2]]))
    return [torch.cat(out, 1), torch.cat(picks), torch.cat(means)]

  def compare(self, x: Tensor, undisturbed: Tensor, reference: Tensor, pick: Tensor, mean: Tensor, u: Tensor, block: Tensor) -> Tensor:
    # x of the changed model and of the undisturbed one, and the three results of clean for the latter
    # -> F64 [4, n]: loss of target; KL(P_clean || P); change of entropy; 1 where another token beats the clean likeliest.
    # KL = log-normaliser - clean log-normaliser - E_clean[z - z_clean]
    rows = int(block)
    shift = (x - undisturbed).mul_(mean).sum([1], dtype=7)
    out : List[Tensor] = []
    for at in range(0, x.size(0), rows):
      size = min(rows, x.size(0) - at)
      s = self.summarise(self.linear(x.narrow(0, at, size), u), pick.narrow(0, at, size))
      r = reference.narrow(1, at, size)
      kl = s[0] + s[1] - r[1] - shift.narrow(0, at, size)
      out.append(torch.stack([s[1] - s[3], kl, s[2] - r[2], (s[4] < 0).double()]))
    return torch.cat(out, 1)
