# GPT-NeoX: where it differs from other families. transformer.py goes on inside the same class.
# Weights come as one list: embed_in [vocabulary, d_model]; then for each layer
#   input_layernorm.weight, .bias, query_key_value.weight [3 d_model, d_model], .bias, dense.weight [d_model, d_model], .bias,
#   post_attention_layernorm.weight, .bias, dense_h_to_4h.weight [d_mlp, d_model], .bias, dense_4h_to_h.weight [d_model, d_mlp],
#   .bias;
# then final_layer_norm.weight, .bias, and the unembedding [vocabulary, d_model].
class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def first(self, layer: int) -> int:
    # where a layer's weights begin
    return 1 + 12 * layer

  def embed(self, tokens: Tensor, w: List[Tensor], hooks: List[int], values: List[Tensor], out: List[Tensor]) -> Tensor:
    # tokens I64 [batch, pos] -> [batch, pos, d_model]
    return self.hook(torch.embedding(w[0], tokens), 0, hooks, values, out)

  def project(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    # x [n, in], weight [out, in] -> [n, out]
    return self.affine(torch.type_as(x, weight), weight, bias)

  def written(self, weight: Tensor, neurons: Tensor) -> Tensor:
    # the MLP's output weight, neurons I64 [s] -> what each of them writes [s, d_model]
    return weight.index_select(1, neurons).t()

  def split(self, x: Tensor, heads: int) -> Tensor:
    # x [batch, pos, 3 d_model]: query, key and value of the first head, of the second … -> view [3, batch, pos, heads, d_head]
    return x.view([x.size(0), x.size(1), heads, 3, x.size(2) // (3 * heads)]).permute([3, 0, 1, 2, 4])

  def rotate(self, x: Tensor, shape: Tensor, real: Tensor) -> Tensor:
    # x [batch, pos, heads, d_head]: of its first d dimensions, i and i + d/2 are turned together, by the angle
    # pos / base^(2i/d) (Su et al. 2021, section 3.4). Angles are F32, as in the training of such models
    d = int(shape[6])
    half = d // 2
    even = torch.arange(0, d, 2, dtype=6, device=x.device)
    frequency = torch.reciprocal(torch.pow(float(real[1]), even / d))
    angle = torch.outer(torch.arange(x.size(1), dtype=6, device=x.device), frequency)
    cos = torch.cos(angle).unsqueeze(1)
    sin = torch.sin(angle).unsqueeze(1)
    a = x.narrow(3, 0, half)
    b = x.narrow(3, half, half)
    return torch.cat([a * cos - b * sin, b * cos + a * sin, x.narrow(3, d, x.size(3) - d)], 3)

  def read(self, before: Tensor, mid: Tensor, shape: Tensor) -> Tensor:
    # what the MLP reads: beside the attention, or after it
    if int(shape[5]) != 0:
      return before
    return mid
