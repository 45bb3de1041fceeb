package universality.text;

/**
 * Token ids of a text and where each token lies in it.
 *
 * @param ids token ids
 * @param starts first UTF-16 unit of each token
 * @param ends UTF-16 unit after the last of each token; tokens that share a character (a letter of several bytes cut in
 *     two) overlap
 */
public record Encoded(int[] ids, int[] starts, int[] ends) {}
