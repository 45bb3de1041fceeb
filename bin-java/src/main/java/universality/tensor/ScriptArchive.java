package universality.tensor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs TorchScript source into the archive that {@code torch.jit.load} opens: a zip of stored entries {@code
 * NAME/data.pkl} (an object of the class {@code Ops}, without parameters), {@code NAME/code/__torch__.py} (the source), {@code
 * NAME/constants.pkl} (an empty tuple) and {@code NAME/version}.
 */
final class ScriptArchive {
    /** Pickle, protocol 2: an instance of {@code __torch__.Ops} whose state is {@code {"training": False}}. */
    private static final byte[] MODULE = concat(
            new byte[] {(byte) 0x80, 2, 'c'},
            "__torch__\nOps\n".getBytes(StandardCharsets.US_ASCII),
            new byte[] {')', (byte) 0x81, '}', '(', 'X', 8, 0, 0, 0},
            "training".getBytes(StandardCharsets.US_ASCII),
            new byte[] {(byte) 0x89, 'u', 'b', '.'});

    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};
    private static final byte[] VERSION = {'1', '0', '\n'};

    private ScriptArchive() {}

    /**
     * Writes the archive of the kernel source {@code /kernels/NAME.py} to {@code file}. {@code shared} are further sources, whose
     * methods go on inside the class that the first one begins.
     */
    static void write(Path file, String name, String... shared) throws IOException {
        ByteArrayOutputStream source = new ByteArrayOutputStream();
        source.writeBytes(source(name));
        for (String part : shared) {
            source.write('\n');
            source.writeBytes(source(part));
        }
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            store(zip, name + "/data.pkl", MODULE);
            store(zip, name + "/code/__torch__.py", source.toByteArray());
            store(zip, name + "/constants.pkl", NO_CONSTANTS);
            store(zip, name + "/version", VERSION);
        }
    }

    private static byte[] source(String name) throws IOException {
        String resource = "/kernels/" + name + ".py";
        try (InputStream in = ScriptArchive.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException("there is no kernel " + resource);
            }
            return in.readAllBytes();
        }
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        entry.setTime(0);
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
