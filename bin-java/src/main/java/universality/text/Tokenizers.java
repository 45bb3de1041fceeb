package universality.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import universality.data.CheckpointFolder;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.TokenRows;
import universality.data.ToolException;

/** Makes tokenizers: from a folder that has one, from a file, by name, or by training. */
public final class Tokenizers {
    /** Name of the tokenizer of rows whose ids were made elsewhere. */
    public static final String IDS = "ids";

    private Tokenizers() {}

    /**
     * The tokenizer of a token folder or checkpoint: its {@code tokenizer.json}, else the one that the parameter {@code
     * tokenizer} of its manifest names. Where ids were made elsewhere and nothing tells what they mean, pieces are {@code #ID}.
     *
     * @throws ToolException if the folder has neither
     */
    public static Tokenizer load(Path folder) {
        Path file = folder.resolve(TokenRows.TOKENIZER);
        if (Files.isRegularFile(file)) {
            Path manifest = folder.resolve(Manifest.NAME);
            String name = Files.isRegularFile(manifest)
                    ? Manifest.readAny(folder).parameterOr("tokenizer", TokenRows.TOKENIZER)
                    : TokenRows.TOKENIZER;
            return new FileTokenizer(name, read(file), file.toString());
        }
        Manifest manifest = Manifest.readAny(folder);
        String name = manifest.parameterOr("tokenizer", "");
        return switch (name) {
            case R50kTokenizer.NAME -> new R50kTokenizer();
            case IDS -> unknown(Math.toIntExact(manifest.integer("vocabulary")));
            default -> throw ToolException.missing(
                    "%s has no %s, and its manifest names no tokenizer", folder, TokenRows.TOKENIZER);
        };
    }

    /**
     * A tokenizer by its name on the command line: {@code r50k}, {@code byte}, or a file in Hugging Face's format.
     *
     * @throws ToolException (usage, missing) if there is none of that name
     */
    public static Tokenizer named(String name) {
        if (name.equals(R50kTokenizer.NAME)) {
            return new R50kTokenizer();
        }
        if (name.equals("byte")) {
            return new FileTokenizer("byte", TokenizerJson.of(BpeTrainer.Encoding.bytes()), "byte");
        }
        Path file = Path.of(name);
        if (!Files.isRegularFile(file)) {
            throw ToolException.missing(
                    "--tokenizer '%s' is neither r50k, byte, bpe:V nor a file in Hugging Face's format", name);
        }
        return new FileTokenizer(String.valueOf(file.getFileName()), read(file), name);
    }

    /**
     * Whether the ids of {@code tokens} are those that the tokenizer of {@code checkpoint} gives; empty where one of the two
     * does not tell.
     *
     * @throws ToolException if a file of a tokenizer cannot be read
     */
    public static Optional<Boolean> agree(CheckpointFolder checkpoint, TokenRows tokens) {
        Optional<String> own = checkpoint.tokenizerDigest();
        if (own.isPresent() && own.equals(tokens.tokenizerDigest())) {
            return Optional.of(true);
        }
        Optional<TokenizerIdentity> used = TokenizerIdentity.of(tokens.folder(), tokens.manifest());
        return used.flatMap(identity ->
                TokenizerIdentity.of(checkpoint.folder(), checkpoint.manifest()).map(identity::agrees));
    }

    /** Stands in for the tokenizer of ids made elsewhere: pieces are {@code #ID}, nothing can be encoded. */
    public static Tokenizer unknown(int vocabulary) {
        return new UnknownTokenizer(vocabulary);
    }

    /**
     * A lower bound for the tokens that {@code text} has with the tokenizer of this name, known before one is trained: its
     * bytes, or its words, which no byte-level tokenizer joins.
     */
    public static long leastTokens(String tokenizer, String text) {
        return tokenizer.equals("byte") ? text.getBytes(StandardCharsets.UTF_8).length : PreTokens.count(text);
    }

    /** A source of training text: hands its documents to the consumer for as long as {@link TrainingText#wanted}. */
    public interface TrainingText {
        /** Calls {@code add} for document after document until there is none left or {@code wanted} is false. */
        void feed(Consumer<String> add, BooleanSupplier wanted);
    }

    /**
     * Trains a byte-level encoding of {@code vocabulary} tokens on the first 2,000 · {@code vocabulary} characters of a text.
     *
     * @throws ToolException (usage) for a vocabulary below 257, (bad data) if the text is too small for it
     */
    public static Tokenizer train(int vocabulary, TrainingText text) {
        if (vocabulary < 257) {
            throw ToolException.usage(
                    "--tokenizer bpe:%d is too small: 256 bytes and the separator need bpe:257 or more", vocabulary);
        }
        BpeTrainer trainer = new BpeTrainer(vocabulary);
        text.feed(trainer::add, trainer::wantsMore);
        String name = "bpe:" + vocabulary;
        return new FileTokenizer(name, TokenizerJson.of(trainer.train()), name);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (java.nio.charset.CharacterCodingException e) {
            throw ToolException.badData("%s is not UTF-8", file);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
