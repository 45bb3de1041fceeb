package universality.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/** SHA-256, as lower-case hexadecimal. */
public final class Digests {
    private Digests() {}

    /** A new SHA-256 state. */
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The digest of the UTF-8 bytes of {@code text}. */
    public static String ofText(String text) {
        return hex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The digest of a file's content, read as a stream. */
    public static String ofFile(Path file) throws IOException {
        return ofFile(file, bytes -> {});
    }

    /**
     * {@link #ofFile(Path)}.
     *
     * @param progress is told again and again how many more bytes were read
     */
    public static String ofFile(Path file, LongConsumer progress) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n; (n = in.read(buffer)) > 0; ) {
                digest.update(buffer, 0, n);
                progress.accept(n);
            }
        }
        return hex(digest.digest());
    }

    public static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /**
     * A 64-bit random seed that depends on nothing but {@code parts}: the first eight bytes of sha256 of the parts joined by
     * {@code |}.
     */
    public static long seed(Object... parts) {
        StringBuilder joined = new StringBuilder();
        for (int i = 0; i < parts.length; i++) {
            joined.append(i == 0 ? "" : "|").append(parts[i]);
        }
        byte[] digest = sha256().digest(joined.toString().getBytes(StandardCharsets.UTF_8));
        return java.nio.ByteBuffer.wrap(digest).getLong();
    }
}
