  # What all families have in common; goes on inside the class of gpt2.py or neox.py, which says how weights are laid out.
  # w: the weights. shape I64 [7], on the host: layers, heads, activation (0 GELU by tanh, 1 exact GELU, 2 ReLU), scale scores by
  # 1/sqrt(d_head), scale scores by 1/(layer + 1), MLP beside the attention, rotated dimensions of a head.
  # real F64 [2], on the host: epsilon of the LayerNorms, base of the rotation.
  #
  # Hooks are numbered in the order of the forward pass: 0 hook_embed, 1 hook_pos_embed; then 19 of each layer:
  #   0 hook_resid_pre, 1 ln1.hook_scale, 2 ln1.hook_normalized, 3 attn.hook_q, 4 attn.hook_k, 5 attn.hook_v, 6 attn.hook_rot_q,
  #   7 attn.hook_rot_k, 8 attn.hook_attn_scores, 9 attn.hook_pattern, 10 attn.hook_z, 11 hook_attn_out, 12 hook_resid_mid,
  #   13 ln2.hook_scale, 14 ln2.hook_normalized, 15 mlp.hook_pre, 16 mlp.hook_post, 17 hook_mlp_out, 18 hook_resid_post;
  # then ln_final.hook_scale, ln_final.hook_normalized. hooks: for each of them 0, or the sum of 1 if it is to be captured and
  # 2 (i + 1) if values[i] takes its place (which is what is captured then); empty if nothing is asked for. Captured arrays are
  # appended to out, as F32.
  #
  # Where the projections of the layers are bf16 (weights and biases), so are what they multiply, what they give,
  # and q, k, v. All else stays F32: the residual stream, LayerNorms, the softmax, the neurons' non-linearity, embedding and
  # unembedding. Nothing of this changes an F32 model: type_as and float then return what they are given.

  def zeros(self, size: Tensor, type: Tensor, like: Tensor) -> Tensor:
    # size I64, on the host; type I64: 6 F32, 15 bf16. On the device of like
    lengths : List[int] = []
    for i in range(size.size(0)):
      lengths.append(int(size[i]))
    return torch.zeros(lengths, dtype=int(type), device=like.device)

  def place(self, target: Tensor, part: Tensor, at: Tensor) -> Tensor:
    # part F32 [n] becomes, in the type of target, its elements from number at on, row after row; modified
    target.view([-1]).narrow(0, int(at), part.size(0)).copy_(part)
    return target

  def hook(self, x: Tensor, at: int, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    if len(hooks) == 0:
      return x
    action = hooks[at]
    if action > 1:
      x = values[action // 2 - 1].expand(x.size())
    if action % 2 == 1:
      out.append(x.float().contiguous())
    return x

  def gelu_by_sigmoid(self, x: Tensor) -> Tensor:
    # GELU by tanh, x (1 + tanh u) / 2 = x sigmoid(2 u), which a processor computes faster and, below 0, with more correct digits. A
    # few rows at a time, so that they stay in its cache
    y = torch.empty_like(x)
    flat = x.view([-1, x.size(-1)])
    out = y.view(flat.size())
    step = 1 + 49152 // flat.size(1)
    for i in range((flat.size(0) + step - 1) // step):
      part = flat[i * step:(i + 1) * step]
      u = part * part
      u.mul_(0.07135481282553).add_(1.5957691216057308).mul_(part).sigmoid_()
      torch.mul(u, part, out=out[i * step:(i + 1) * step])
    return y

  def activation(self, x: Tensor, kind: int) -> Tensor:
    if kind == 0:
      if x.is_cuda or x.requires_grad:
        return torch.gelu(x, approximate="tanh")
      return self.gelu_by_sigmoid(x.contiguous())
    if kind == 1:
      return torch.gelu(x)
    return torch.relu(x)

  def norm(self, h: Tensor, at: int, point: int, w: List[Tensor], real: Tensor, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # LayerNorm of h [.., d_model] with the weights at, at + 1; point is its hook_scale, point + 1 its hook_normalized
    scaled = False
    if len(hooks) > 0:
      scaled = hooks[point] != 0
    if scaled:
      centred = h - h.mean([-1], True)
      scale = torch.sqrt(centred.pow(2).mean([-1], True) + float(real[0]))
      y = centred / self.hook(scale, point, hooks, values, out) * w[at] + w[at + 1]
    else:
      y = torch.layer_norm(h, [h.size(-1)], w[at], w[at + 1], float(real[0]))
    return self.hook(y, point + 1, hooks, values, out)

  def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, point: int, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # q, k, v [batch, heads, pos, d_head] -> the same of the weighted values, softmax(scale q k^T) v over earlier positions.
    # Scores are F32, whatever reorder_and_upcast_attn says
    shown = False
    if len(hooks) > 0:
      shown = hooks[point + 8] != 0 or hooks[point + 9] != 0
    if not shown:
      u = self.attending(v)
      z = torch.scaled_dot_product_attention(torch.type_as(q, u), torch.type_as(k, u), u, None, 0.0, True, scale=scale)
      return torch.type_as(z, v)
    later = torch.triu(torch.ones([q.size(2), q.size(2)], dtype=11, device=q.device), 1)
    scores = torch.matmul(q.float(), k.float().transpose(2, 3)).mul(scale).masked_fill(later, float("-inf"))
    scores = self.hook(scores, point + 8, hooks, values, out)
    return torch.matmul(self.hook(torch.softmax(scores, -1), point + 9, hooks, values, out), v.float())

  def attention(self, h: Tensor, layer: int, w: List[Tensor], shape: Tensor, real: Tensor, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # h [batch, pos, d_model] -> hook_attn_out, the attention's contribution to the residual stream, same shape
    at = self.first(layer)
    point = 2 + 19 * layer
    width = h.size(2)
    heads = int(shape[1])
    x = self.norm(h, at, point + 1, w, real, hooks, values, out)
    x = self.project(x.reshape([-1, width]), w[at + 2], w[at + 3])
    qkv = self.split(x.view([h.size(0), h.size(1), 3 * width]), heads)
    q = self.hook(qkv[0], point + 3, hooks, values, out)
    k = self.hook(qkv[1], point + 4, hooks, values, out)
    v = self.hook(qkv[2], point + 5, hooks, values, out)
    q = self.hook(self.rotate(q, shape, real), point + 6, hooks, values, out)
    k = self.hook(self.rotate(k, shape, real), point + 7, hooks, values, out)
    scale = 1.0
    if int(shape[3]) != 0:
      scale = scale / (float(width // heads) ** 0.5)
    if int(shape[4]) != 0:
      scale = scale / float(layer + 1)
    z = self.attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), scale, point, hooks, values, out)
    z = self.hook(z.transpose(1, 2), point + 10, hooks, values, out)
    z = self.project(z.reshape([-1, width]), w[at + 4], w[at + 5]).view(h.size())
    return self.hook(z, point + 11, hooks, values, out)

  def pre(self, h: Tensor, layer: int, w: List[Tensor], real: Tensor, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # h [batch, pos, d_model], what the MLP reads -> hook_pre [batch * pos, d_mlp]
    at = self.first(layer)
    x = self.norm(h, at + 6, 2 + 19 * layer + 13, w, real, hooks, values, out)
    return self.project(x.reshape([-1, h.size(2)]), w[at + 8], w[at + 9]).float()

  def write(self, post: Tensor, like: Tensor, layer: int, w: List[Tensor]) -> Tensor:
    # hook_post [batch * pos, d_mlp] -> hook_mlp_out, the MLP's contribution to the residual stream, of the shape of like
    at = self.first(layer)
    return self.project(post, w[at + 10], w[at + 11]).view(like.size())

  def through(self, h: Tensor, begin: int, end: int, w: List[Tensor], shape: Tensor, real: Tensor, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # h, hook_resid_pre of layer begin -> hook_resid_post of layer end - 1; both [batch, pos, d_model]
    for layer in range(begin, end):
      point = 2 + 19 * layer
      h = self.hook(h, point, hooks, values, out)
      mid = self.hook(h + self.attention(h, layer, w, shape, real, hooks, values, out), point + 12, hooks, values, out)
      pre = self.pre(self.read(h, mid, shape), layer, w, real, hooks, values, out)
      pre = self.hook(pre.view([h.size(0), h.size(1), -1]), point + 15, hooks, values, out)
      post = self.hook(self.activation(pre, int(shape[2])), point + 16, hooks, values, out)
      written = self.write(post.reshape([-1, post.size(2)]), h, layer, w)
      h = mid + self.hook(written, point + 17, hooks, values, out)
      h = self.hook(h, point + 18, hooks, values, out)
    return h

  def unembed(self, h: Tensor, w: List[Tensor], shape: Tensor, real: Tensor, hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # h [.., d_model] -> logits [.., vocabulary]
    last = len(w) - 1
    x = self.norm(h, last - 2, 2 + 19 * int(shape[0]), w, real, hooks, values, out)
    return self.linear(x.reshape([-1, x.size(-1)]), w[last]).view(x.size()[0:-1] + [w[last].size(0)])

  def logits(self, tokens: Tensor, w: List[Tensor], shape: Tensor, real: Tensor) -> Tensor:
    # tokens I64 [batch, pos] -> logits [batch, pos, vocabulary]
    return self.predict(tokens, tokens.size(1), w, shape, real)

  def predict(self, tokens: Tensor, positions: int, w: List[Tensor], shape: Tensor, real: Tensor) -> Tensor:
    # tokens I64 [batch, pos] -> logits of the first positions, [batch, positions, vocabulary]. Fewer are cut off before the
    # unembedding, so that no logits are copied
    hooks : List[int] = []
    none : List[Tensor] = []
    h = self.embed(tokens, w, hooks, none, none)
    h = self.through(h, 0, int(shape[0]), w, shape, real, hooks, none, none)
    if positions < tokens.size(1):
      h = h[:, 0:positions].contiguous()
    return self.unembed(h, w, shape, real, hooks, none, none)

  def run(self, start: Tensor, span: Tensor, table: Tensor, values: List[Tensor], w: List[Tensor], shape: Tensor, real: Tensor) -> List[Tensor]:
    # The forward pass with hooks. start: tokens I64 [batch, pos], or hook_resid_pre of the layer span[0], [batch, pos, d_model].
    # span I64 [2], on the host: the layer to begin with; the layer to stop before, or layers + 1 to go on to the logits.
    # table I64, on the host: hooks. -> the residual stream there, or the logits; then what was captured, in order
    hooks : List[int] = []
    for i in range(table.size(0)):
      hooks.append(int(table[i]))
    out : List[Tensor] = []
    h = start
    if start.dim() == 2:
      h = self.embed(start, w, hooks, values, out)
    layers = int(shape[0])
    end = int(span[1])
    h = self.through(h, int(span[0]), min(end, layers), w, shape, real, hooks, values, out)
    if end > layers:
      h = self.unembed(h, w, shape, real, hooks, values, out)
    return [h] + out

  def capture(self, tokens: Tensor, kept: Tensor, span: Tensor, w: List[Tensor], shape: Tensor, real: Tensor) -> List[Tensor]:
    # tokens I64 [batch, pos], kept I64 [n] flat positions. span I64 [3], on the host: the first layer to capture, the layer to stop
    # before, 1 if hook_pre is wanted too. -> for each layer that is captured hook_pre if wanted, hook_post, F32 [n, d_mlp]
    hooks : List[int] = []
    none : List[Tensor] = []
    out : List[Tensor] = []
    h = self.embed(tokens, w, hooks, none, none)
    end = int(span[1])
    for layer in range(end):
      mid = h + self.attention(h, layer, w, shape, real, hooks, none, none)
      pre = self.pre(self.read(h, mid, shape), layer, w, real, hooks, none, none)
      post = self.activation(pre, int(shape[2]))
      if layer >= int(span[0]):
        if int(span[2]) != 0:
          out.append(pre.index_select(0, kept))
        out.append(post.index_select(0, kept))
      if layer + 1 < end:
        h = mid + self.write(post, h, layer, w)
    return out

  def layer(self, start: Tensor, at: Tensor, w: List[Tensor], shape: Tensor, real: Tensor) -> List[Tensor]:
    # One layer, whose number is at. start: tokens I64 [batch, pos] for the first one, or its hook_resid_pre [batch, pos, d_model].
    # -> hook_pre, hook_post [batch * pos, d_mlp], and unless it is the last one hook_resid_post [batch, pos, d_model]
    hooks : List[int] = []
    none : List[Tensor] = []
    h = start
    if start.dim() == 2:
      h = self.embed(start, w, hooks, none, none)
    layer = int(at)
    mid = h + self.attention(h, layer, w, shape, real, hooks, none, none)
    pre = self.pre(self.read(h, mid, shape), layer, w, real, hooks, none, none)
    post = self.activation(pre, int(shape[2]))
    out = [pre, post]
    if layer + 1 < int(shape[0]):
      out.append(mid + self.write(post, h, layer, w))
    return out

  def trace(self, tokens: Tensor, w: List[Tensor], shape: Tensor, real: Tensor) -> List[Tensor]:
    # tokens I64 [batch, pos] -> for each layer hook_resid_post [batch, pos, d_model] and hook_post [batch * pos, d_mlp]: all that
    # a run which changes neurons can start from
    hooks : List[int] = []
    none : List[Tensor] = []
    out : List[Tensor] = []
    h = self.embed(tokens, w, hooks, none, none)
    for layer in range(int(shape[0])):
      mid = h + self.attention(h, layer, w, shape, real, hooks, none, none)
      post = self.activation(self.pre(self.read(h, mid, shape), layer, w, real, hooks, none, none), int(shape[2]))
      h = mid + self.write(post, h, layer, w)
      out.append(h)
      out.append(post)
    return out

  def finish(self, h: Tensor, kept: Tensor, w: List[Tensor], real: Tensor) -> Tensor:
    # h, the last layer's hook_resid_post; kept I64 [n] flat positions -> what the unembedding reads, [n, d_model]
    last = len(w) - 1
    width = h.size(2)
    x = h.reshape([-1, width]).index_select(0, kept)
    return torch.layer_norm(x, [width], w[last - 2], w[last - 1], float(real[0]))

  def change(self, h: Tensor, post: Tensor, neurons: Tensor, value: Tensor, layer: int, w: List[Tensor]) -> Tensor:
    # The residual stream after a layer, when the post-activations of some neurons become value: h + (value - post) W_out,
    # over these neurons only. value [s], or [batch * pos, d_mlp] of which the neurons' columns are taken
    if value.dim() == 2:
      value = value.index_select(1, neurons)
    delta = value - post.index_select(1, neurons)
    return h + torch.mm(delta, self.written(w[self.first(layer) + 10], neurons).float()).view(h.size())

  def resume(self, h: Tensor, post: Tensor, kept: Tensor, layers: Tensor, runs: Tensor, neurons: List[Tensor], replaced: List[Tensor], w: List[Tensor], shape: Tensor, real: Tensor) -> Tensor:
    # Several runs on from one undisturbed trace, side by side along the batch, each with neurons replaced at every position.
    # layers I64 [k], ascending: the layers that have such neurons in some run; runs I64 [k]: in which; neurons: k of I64 [s];
    # replaced: k, as in change. All runs begin with the same layer, in order; h, post: the trace at it.
    # -> finish of the kept positions, run by run: [runs * n, d_model]
    hooks : List[int] = []
    none : List[Tensor] = []
    begin = int(layers[0])
    rows = h.size(0)
    positions = rows * h.size(1)
    changed : List[Tensor] = []
    next = 0
    for i in range(len(neurons)):
      if int(layers[i]) == begin:
        changed.append(self.change(h, post, neurons[i], replaced[i], begin, w))
        next = i + 1
    count = len(changed)
    h = changed[0]
    if count > 1:
      h = torch.cat(changed, 0)
    for layer in range(begin + 1, int(shape[0])):
      mid = h + self.attention(h, layer, w, shape, real, hooks, none, none)
      p = self.activation(self.pre(self.read(h, mid, shape), layer, w, real, hooks, none, none), int(shape[2]))
      h = mid + self.write(p, h, layer, w)
      for i in range(next, len(neurons)):
        if int(layers[i]) == layer:
          run = int(runs[i])
          part = h.narrow(0, run * rows, rows)
          part.copy_(self.change(part, p.narrow(0, run * positions, positions), neurons[i], replaced[i], layer, w))
          next = i + 1
    if count > 1:
      first = torch.arange(count, device=h.device).unsqueeze(1) * positions
      kept = (first + kept).reshape([-1])
    return self.finish(h, kept, w, real)

  def adamw(self, tokens: Tensor, w: List[Tensor], m: List[Tensor], v: List[Tensor], shape: Tensor, real: Tensor, hyper: Tensor) -> Tensor:
    # One training step on tokens I64 [batch, pos]; w, m, v modified. hyper F64 [8], on the host: learning rate, beta1, beta2, adam
    # epsilon, weight decay, clip norm, step (from 1), 1 where the unembedding is the token embedding (and not in w)
    # -> F64 [2]: loss in nats per token before the step, gradient norm before clipping
    lr = float(hyper[0])
    beta1 = float(hyper[1])
    beta2 = float(hyper[2])
    step = float(hyper[6])
    torch.set_grad_enabled(True)
    p : List[Tensor] = []
    for x in w:
      p.append(x.detach().requires_grad_(True))
    used = p
    if float(hyper[7]) != 0.0:
      used = p + [p[0]]
    rows = self.predict(tokens, tokens.size(1) - 1, used, shape, real) # the last position predicts nothing
    loss = torch.cross_entropy_loss(rows.view([-1, rows.size(2)]), tokens[:, 1:].reshape([-1]))
    grads = torch.grad([loss], p)
    torch.set_grad_enabled(False)
    total = torch.zeros([], dtype=7, device=tokens.device)
    g : List[Tensor] = []
    for x in grads:
      if x is not None:
        g.append(x)
        total = total + x.double().pow(2).sum()
    assert len(g) == len(w), "a weight without a gradient: moments and weights would no longer belong together"
    norm = torch.sqrt(total)
    clip = float(hyper[5])
    scale = 1.0
    if float(norm) > clip:
      scale = clip / float(norm)
    for i in range(len(w)):
      d = g[i].mul_(scale)
      m[i].mul_(beta1).add_(d, alpha=1.0 - beta1)
      v[i].mul_(beta2).addcmul_(d, d, value=1.0 - beta2)
      if w[i].dim() > 1:
        w[i].mul_(1.0 - lr * float(hyper[4]))
      root = v[i].div(1.0 - beta2 ** step).sqrt_().add_(float(hyper[3]))
      w[i].addcdiv_(m[i], root, value=-lr / (1.0 - beta1 ** step))
    return torch.stack([loss.detach().double(), norm])
