package universality.text;

import java.util.Optional;

/** Stands in where ids were made elsewhere: it knows their range and nothing about their text. */
final class UnknownTokenizer implements Tokenizer {
    private final int vocabulary;

    UnknownTokenizer(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    @Override
    public String name() {
        return Tokenizers.IDS;
    }

    @Override
    public int vocabulary() {
        return vocabulary;
    }

    /** Not known: −1. */
    @Override
    public int bos() {
        return -1;
    }

    @Override
    public int[] encode(String text) {
        throw new UnsupportedOperationException("the ids were made elsewhere: there is no encoder");
    }

    @Override
    public Encoded encodeWithPlaces(String text) {
        throw new UnsupportedOperationException("the ids were made elsewhere: there is no encoder");
    }

    @Override
    public String decode(int... ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(text.isEmpty() ? "" : " ").append(piece(id));
        }
        return text.toString();
    }

    @Override
    public String piece(int id) {
        return "#" + id;
    }

    @Override
    public boolean newlineOnly(int id) {
        return false;
    }

    @Override
    public Optional<String> json() {
        return Optional.empty();
    }

    @Override
    public Tokenizer twin() {
        return this; // it has no state
    }

    @Override
    public void close() {
        // nothing native
    }
}
