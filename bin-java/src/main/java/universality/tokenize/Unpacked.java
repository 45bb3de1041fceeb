package universality.tokenize;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.zip.GZIPInputStream;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The bytes of a file, unpacked as they are read. What is on disk is digested on the way. */
final class Unpacked implements AutoCloseable {
    /** The largest window of the format, 2 GiB; memory for it is taken as far as the data fill it. */
    private static final int LONGEST_WINDOW = 31;

    private final TextFile file;
    private final MessageDigest digest = Digests.sha256();
    private final InputStream raw;
    private final InputStream unpacked;

    /**
     * Opens a file.
     *
     * @throws ToolException (missing) if it cannot be read, (bad data) if it is not packed as its name says
     */
    Unpacked(TextFile file) {
        this.file = file;
        try {
            raw = new DigestInputStream(new Named(Files.newInputStream(file.path())), digest);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file.path() + " cannot be read: " + e.getMessage(), e);
        }
        InputStream opened = null;
        try {
            opened = switch (file.packing()) {
                case NONE -> raw;
                case GZIP -> new GZIPInputStream(new BufferedInputStream(raw, 1 << 16), 1 << 16);
                case ZSTD -> new ZstdInputStream(new BufferedInputStream(raw, 1 << 16)).setLongMax(LONGEST_WINDOW);
            };
        } catch (IOException e) {
            throw damaged(e);
        } finally {
            if (opened == null) {
                closeRaw();
            }
        }
        unpacked = opened;
    }

    /** A failure to read is told apart from data that cannot be unpacked. */
    private final class Named extends FilterInputStream {
        Named(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] buffer, int from, int length) {
            try {
                return super.read(buffer, from, length);
            } catch (IOException e) {
                throw new ToolException(ExitCode.MISSING_INPUT, file.path() + " cannot be read: " + e.getMessage(), e);
            }
        }
    }

    /** Reads up to {@code length} bytes; −1 at the end. */
    int read(byte[] buffer, int from, int length) {
        try {
            return unpacked.read(buffer, from, length);
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    private ToolException damaged(IOException e) {
        String packing = file.packing() == TextFile.Packing.GZIP ? "gzip" : "zstd";
        return new ToolException(
                ExitCode.BAD_DATA,
                file.path() + " is cut short or no " + packing + " data (" + e.getMessage() + "): fetch it again",
                e);
    }

    /** The digest of the file as it is on disk; what was not read yet is read now. */
    String digest() {
        byte[] buffer = new byte[1 << 16];
        try {
            while (raw.read(buffer) >= 0) {
                // the stream keeps the digest
            }
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file.path() + " cannot be read: " + e.getMessage(), e);
        }
        return Digests.hex(digest.digest());
    }

    private void closeRaw() {
        try {
            raw.close();
        } catch (IOException e) {
            // nothing was written, so nothing is lost
        }
    }

    @Override
    public void close() {
        try {
            unpacked.close();
        } catch (IOException e) {
            // nothing was written, so nothing is lost
        }
    }
}
