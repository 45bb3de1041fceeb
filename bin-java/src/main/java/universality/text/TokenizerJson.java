package universality.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import universality.data.Json;

/** Writes byte-level encodings in Hugging Face's format, {@code tokenizer.json}. */
final class TokenizerJson {
    /** The special token that starts rows and separates documents. */
    static final String END_OF_TEXT = "<|endoftext|>";

    private TokenizerJson() {}

    /**
     * A byte-level encoding: ids 0–255 are the bytes, then come the merged symbols, then {@link #END_OF_TEXT}.
     *
     * @param encoding as {@link BpeTrainer#train} gives it, or {@link BpeTrainer.Encoding#bytes}
     */
    static String of(BpeTrainer.Encoding encoding) {
        List<String> pieces = encoding.pieces();
        ObjectNode root = Json.mapper().createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        ObjectNode special = root.putArray("added_tokens").addObject();
        special.put("id", pieces.size()).put("content", END_OF_TEXT);
        special.put("single_word", false).put("lstrip", false).put("rstrip", false);
        special.put("normalized", false).put("special", true);
        root.putNull("normalizer");
        byteLevel(root.putObject("pre_tokenizer"));
        root.putNull("post_processor");
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE").putNull("dropout").putNull("unk_token");
        model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
        model.put("fuse_unk", false).put("byte_fallback", false);
        ObjectNode vocabulary = model.putObject("vocab");
        var pairs = model.putArray("merges");
        for (int[] merge : encoding.merges()) {
            pairs.add(pieces.get(merge[0]) + " " + pieces.get(merge[1]));
        }
        for (int id = 0; id < pieces.size(); id++) {
            vocabulary.put(pieces.get(id), id);
        }
        vocabulary.put(END_OF_TEXT, pieces.size());
        return Json.pretty(root);
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel").put("add_prefix_space", false);
        node.put("trim_offsets", true).put("use_regex", true);
    }
}
