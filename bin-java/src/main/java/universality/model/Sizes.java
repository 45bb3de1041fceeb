package universality.model;

/**
 * Sizes of a model.
 *
 * @param dModel width of the residual stream
 * @param dMlp neurons per layer
 * @param vocabulary rows of the embedding; may exceed the tokenizer's ids
 * @param context most positions
 */
public record Sizes(int layers, int heads, int dModel, int dMlp, int vocabulary, int context) {}
