# GPT-2. Weights come as one list: wte [vocabulary, d_model], wpe [context, d_model]; then for each layer
#   ln_1.weight, ln_1.bias, c_attn.weight [d_model, 3 d_model], c_attn.bias, c_proj.weight [d_model, d_model], c_proj.bias,
#   ln_2.weight, ln_2.bias, c_fc.weight [d_model, d_mlp], c_fc.bias, c_proj.weight [d_mlp, d_model], c_proj.bias;
# then ln_f.weight, ln_f.bias, and the unembedding [vocabulary, d_model].
# shape I64 [6]: layers, heads, activation (0 gelu_new, 1 gelu, 2 relu), scale by 1/sqrt(d_head), scale by 1/(layer + 1), -
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def activation(self, x: Tensor, kind: int) -> Tensor:
    if kind == 0:
      return torch.gelu(x, approximate="tanh")
    if kind == 1:
      return torch.gelu(x)
    return torch.relu(x)

  def attention(self, h: Tensor, w: List[Tensor], layer: int, shape: Tensor, eps: float) -> Tensor:
    # h [batch, pos, d_model] -> the attention's contribution to the residual stream, same shape
    at = 2 + 12 * layer
    batch = h.size(0)
    pos = h.size(1)
    width = h.size(2)
    heads = int(shape[1])
    size = width // heads
    x = torch.layer_norm(h, [width], w[at], w[at + 1], eps)
    qkv = torch.addmm(w[at + 3], x.reshape([-1, width]), w[at + 2])
    qkv = qkv.view([batch, pos, 3, heads, size]).permute([2, 0, 3, 1, 4])
    scale = 1.0
    if int(shape[3]) != 0:
      scale = scale / (float(size) ** 0.5)
    if int(shape[4]) != 0:
      scale = scale / float(layer + 1)
    z = torch.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], None, 0.0, True, scale=scale)
    z = z.permute([0, 2, 1, 3]).reshape([-1, width])
    return torch.addmm(w[at + 5], z, w[at + 4]).view([batch, pos, width])

  def pre(self, h: Tensor, w: List[Tensor], layer: int, eps: float) -> Tensor:
    # h [batch, pos, d_model] -> blocks.{layer}.mlp.hook_pre [batch * pos, d_mlp]
    at = 2 + 12 * layer
    width = h.size(2)
    x = torch.layer_norm(h, [width], w[at + 6], w[at + 7], eps)
    return torch.addmm(w[at + 9], x.reshape([-1, width]), w[at + 8])

  def write(self, h: Tensor, post: Tensor, w: List[Tensor], layer: int) -> Tensor:
    # adds the MLP's contribution of hook_post [batch * pos, d_mlp] to the residual stream
    at = 2 + 12 * layer
    return h + torch.addmm(w[at + 11], post, w[at + 10]).view(h.size())

  def embed(self, tokens: Tensor, w: List[Tensor]) -> Tensor:
    # tokens I64 [batch, pos] -> [batch, pos, d_model]
    return torch.embedding(w[0], tokens) + w[1][0:tokens.size(1)]

  def unembed(self, h: Tensor, w: List[Tensor], eps: float) -> Tensor:
    # h [.., d_model] -> logits [.., vocabulary]
    last = len(w) - 1
    x = torch.layer_norm(h, [h.size(-1)], w[last - 2], w[last - 1], eps)
    return torch.matmul(x, w[last].t())

  def residual(self, tokens: Tensor, w: List[Tensor], shape: Tensor, eps: float) -> Tensor:
    # tokens I64 [batch, pos] -> the last layer's hook_resid_post [batch, pos, d_model]
    h = self.embed(tokens, w)
    for layer in range(int(shape[0])):
      h = h + self.attention(h, w, layer, shape, eps)
      post = self.activation(self.pre(h, w, layer, eps), int(shape[2]))
      h = self.write(h, post, w, layer)
    return h

  def logits(self, tokens: Tensor, w: List[Tensor], shape: Tensor, epsilon: Tensor) -> Tensor:
    # tokens I64 [batch, pos] -> logits [batch, pos, vocabulary]
    eps = float(epsilon)
    return self.unembed(self.residual(tokens, w, shape, eps), w, eps)

  def capture(self, tokens: Tensor, kept: Tensor, w: List[Tensor], shape: Tensor, epsilon: Tensor) -> List[Tensor]:
    # tokens I64 [batch, pos], kept I64 [n] flat positions -> for each layer hook_pre [n, d_mlp], hook_post [n, d_mlp]
    eps = float(epsilon)
    out : List[Tensor] = []
    h = self.embed(tokens, w)
    layers = int(shape[0])
    for layer in range(layers):
      h = h + self.attention(h, w, layer, shape, eps)
      pre = self.pre(h, w, layer, eps)
      post = self.activation(pre, int(shape[2]))
      out.append(pre.index_select(0, kept))
      out.append(post.index_select(0, kept))
      if layer + 1 < layers:
        h = self.write(h, post, w, layer)
    return out

  def trace(self, tokens: Tensor, w: List[Tensor], shape: Tensor, epsilon: Tensor) -> List[Tensor]:
    # tokens I64 [batch, pos] -> for each layer blocks.{L}.hook_resid_post [batch, pos, d_model] and
    # blocks.{L}.mlp.hook_post [batch * pos, d_mlp]: all that a run which changes neurons can start from
    eps = float(epsilon)
    out : List[Tensor] = []
    h = self.embed(tokens, w)
    for layer in range(int(shape[0])):
      h = h + self.attention(h, w, layer, shape, eps)
      post = self.activation(self.pre(h, w, layer, eps), int(shape[2]))
      h = self.write(h, post, w, layer)
      out.append(h)
      out.append(post)
    return out

  def finish(self, h: Tensor, kept: Tensor, w: List[Tensor], epsilon: Tensor) -> Tensor:
    # h, the last layer's hook_resid_post; kept I64 [n] flat positions -> what the unembedding reads, [n, d_model]
    last = len(w) - 1
    width = h.size(2)
    x = h.reshape([-1, width]).index_select(0, kept)
    return torch.layer_norm(x, [width], w[last - 2], w[last - 1], float(epsilon))

  def change(self, h: Tensor, post: Tensor, neurons: Tensor, value: Tensor, w: List[Tensor], layer: int) -> Tensor:
    # The residual stream after a layer, when the post-activations of some neurons become value: h + (value - post) W_out,
    # over these neurons only. value [s], or [batch * pos, d_mlp] of which the neurons' columns are taken
    if value.dim() == 2:
      value = value.index_select(1, neurons)
    delta = value - post.index_select(1, neurons)
    return h + torch.mm(delta, w[2 + 12 * layer + 10].index_select(0, neurons)).view(h.size())

  def resume(self, h: Tensor, post: Tensor, kept: Tensor, layers: Tensor, neurons: List[Tensor], values: List[Tensor], w: List[Tensor], shape: Tensor, epsilon: Tensor) -> Tensor:
    # Runs on from an undisturbed trace with neurons replaced at every position. layers I64 [k], ascending: the layers that
    # have such neurons; neurons: k of I64 [s]; values: k, as in change; h, post: the trace at layers[0].
    # -> finish of the kept positions
    eps = float(epsilon)
    first = int(layers[0])
    h = self.change(h, post, neurons[0], values[0], w, first)
    next = 1
    for layer in range(first + 1, int(shape[0])):
      h = h + self.attention(h, w, layer, shape, eps)
      p = self.activation(self.pre(h, w, layer, eps), int(shape[2]))
      h = self.write(h, p, w, layer)
      if next < len(neurons):
        if int(layers[next]) == layer:
          h = self.change(h, p, neurons[next], values[next], w, layer)
          next = next + 1
    return self.finish(h, kept, w, epsilon)

  def adamw(self, tokens: Tensor, w: List[Tensor], m: List[Tensor], v: List[Tensor], shape: Tensor, hyper: Tensor) -> Tensor:
    # One training step on tokens I64 [batch, pos]; w, m, v modified.
    # hyper F64 [9]: layer norm epsilon, learning rate, beta1, beta2, adam epsilon, weight decay, clip norm, step (from 1), tied
    # -> F64 [2]: loss in nats per token before the step, gradient norm before clipping
    lr = float(hyper[1])
    beta1 = float(hyper[2])
    beta2 = float(hyper[3])
    step = float(hyper[7])
    torch.set_grad_enabled(True)
    p : List[Tensor] = []
    for x in w:
      p.append(x.detach().requires_grad_(True))
    used = p
    if float(hyper[8]) != 0.0:
      used = p + [p[0]]
    # the last position predicts nothing; left out before the unembedding, so that no logits are copied
    h = self.residual(tokens, used, shape, float(hyper[0]))[:, 0:-1]
    rows = self.unembed(h.reshape([-1, h.size(2)]), used, float(hyper[0]))
    loss = torch.cross_entropy_loss(rows, tokens[:, 1:].reshape([-1]))
    grads = torch.grad([loss], p)
    torch.set_grad_enabled(False)
    total = torch.zeros([], dtype=7)
    g : List[Tensor] = []
    for x in grads:
      if x is not None:
        g.append(x)
        total = total + x.double().pow(2).sum()
    norm = torch.sqrt(total)
    clip = float(hyper[6])
    scale = 1.0
    if float(norm) > clip:
      scale = clip / float(norm)
    for i in range(len(w)):
      d = g[i].mul_(scale)
      m[i].mul_(beta1).add_(d, alpha=1.0 - beta1)
      v[i].mul_(beta2).addcmul_(d, d, value=1.0 - beta2)
      if w[i].dim() > 1:
        w[i].mul_(1.0 - lr * float(hyper[5]))
      root = v[i].div(1.0 - beta2 ** step).sqrt_().add_(float(hyper[4]))
      w[i].addcdiv_(m[i], root, value=-lr / (1.0 - beta1 ** step))
    return torch.stack([loss.detach().double(), norm])
