package universality.fetch;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import universality.data.Digests;

/** The digest of a file's content by which the hub names it: sha256, or git's SHA-1 of {@code "blob " + bytes + "\0" + content}. */
final class ContentDigest {
    private final RemoteFile file;
    private MessageDigest digest;

    ContentDigest(RemoteFile file) {
        this.file = file;
        reset();
    }

    /** Forgets all bytes so far. */
    void reset() {
        if (file.sha256() != null) {
            digest = Digests.sha256();
            return;
        }
        try {
            digest = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
        digest.update(("blob " + file.bytes() + "\0").getBytes(StandardCharsets.UTF_8));
    }

    /** Adds the remaining bytes of {@code bytes}, which end up consumed. */
    void update(ByteBuffer bytes) {
        digest.update(bytes);
    }

    /** The digest of the bytes so far; ends it. */
    String value() {
        String value = Digests.hex(digest.digest());
        reset();
        return value;
    }
}
