# GPT-2: where it differs from other families. transformer.py goes on inside the same class.
# Weights come as one list: wte [vocabulary, d_model], wpe [context, d_model]; then for each layer
#   ln_1.weight, ln_1.bias, c_attn.weight [d_model, 3 d_model], c_attn.bias, c_proj.weight [d_model, d_model], c_proj.bias,
#   ln_2.weight, ln_2.bias, c_fc.weight [d_model, d_mlp], c_fc.bias, c_proj.weight [d_mlp, d_model], c_proj.bias;
# then ln_f.weight, ln_f.bias, and the unembedding [vocabulary, d_model].
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def first(self, layer: int) -> int:
    # where a layer's weights begin
    return 2 + 12 * layer

  def embed(self, tokens: Tensor, w: List[Tensor], hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # tokens I64 [batch, pos] -> [batch, pos, d_model]
    token = self.hook(torch.embedding(w[0], tokens), 0, hooks, values, out)
    place = self.hook(w[1][0:tokens.size(1)].unsqueeze(0).expand(token.size()), 1, hooks, values, out)
    return token + place

  def project(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    # x [n, in], weight [in, out] -> [n, out]
    return self.affine(torch.type_as(x, weight), weight.t(), bias)

  def written(self, weight: Tensor, neurons: Tensor) -> Tensor:
    # the MLP's output weight, neurons I64 [s] -> what each of them writes [s, d_model]
    return weight.index_select(0, neurons)

  def split(self, x: Tensor, heads: int) -> Tensor:
    # x [batch, pos, 3 d_model]: all queries, all keys, all values -> view [3, batch, pos, heads, d_head]
    return x.view([x.size(0), x.size(1), 3, heads, x.size(2) // (3 * heads)]).permute([2, 0, 1, 3, 4])

  def rotate(self, x: Tensor, shape: Tensor, real: Tensor) -> Tensor:
    # positions were added to the residual stream
    return x

  def read(self, before: Tensor, mid: Tensor, shape: Tensor) -> Tensor:
    # what the MLP reads: the residual stream after the attention
    return mid
