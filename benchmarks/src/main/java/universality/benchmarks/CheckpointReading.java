package universality.benchmarks;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.SafetensorsFile;
import universality.data.SafetensorsWriter;
import universality.data.TensorFile;
import universality.data.TorchFile;

/**
 * Reading all weights of a checkpoint as F32, tensor by tensor, beside reading its file without looking at it, alternately in
 * one run: safetensors and PyTorch's zip format, F32, F16 and BF16, and a PyTorch file whose matrices are transposed. The heap
 * is that of {@code benchmarks/run}, smaller than the file. Arguments (optional, {@code name=value}): {@code megabytes} of a
 * file (1200), {@code rounds} (5), {@code folder} (a temporary one).
 */
public final class CheckpointReading {
    private static final int ROWS = 4096;
    private static final int COLUMNS = 2048;

    private final Path folder;
    private final int rounds;
    private final long megabytes;

    private CheckpointReading(Path folder, int rounds, long megabytes) {
        this.folder = folder;
        this.rounds = rounds;
        this.megabytes = megabytes;
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, String> named = new LinkedHashMap<>();
        for (String argument : arguments) {
            named.put(argument.split("=", 2)[0], argument.split("=", 2)[1]);
        }
        Path folder = named.containsKey("folder")
                ? Files.createTempDirectory(Path.of(named.get("folder")), "reading")
                : Files.createTempDirectory("reading");
        try {
            new CheckpointReading(
                            folder,
                            Integer.parseInt(named.getOrDefault("rounds", "5")),
                            Long.parseLong(named.getOrDefault("megabytes", "1200")))
                    .run();
        } finally {
            OutputFolder.deleteTree(folder);
        }
    }

    private interface Work {
        long run() throws IOException;
    }

    private void run() throws IOException {
        System.out.printf(
                "%-24s %9s %12s %12s %8s %14s%n", "file", "bytes", "plain MB/s", "F32 MB/s", "ratio", "heap allocated");
        for (Dtype dtype : new Dtype[] {Dtype.F32, Dtype.F16, Dtype.BF16}) {
            measure("safetensors " + dtype, safetensors(dtype));
            measure("PyTorch zip " + dtype, zip(dtype, false));
        }
        measure("PyTorch zip, transposed", zip(Dtype.F32, true));
    }

    private void measure(String what, Path file) throws IOException {
        double[] plain = new double[rounds];
        double[] weights = new double[rounds];
        long allocated = 0;
        plain(file); // fills the page cache
        load(file);
        for (int i = 0; i < rounds; i++) {
            plain[i] = cpuSeconds(() -> plain(file));
            long before = allocatedBytes();
            weights[i] = cpuSeconds(() -> load(file));
            allocated = allocatedBytes() - before;
        }
        double size = Files.size(file);
        System.out.printf(
                Locale.ROOT,
                "%-24s %9.2e %12.0f %12.0f %8.2f %14.2e%n",
                what,
                size,
                size / 1e6 / median(plain),
                size / 1e6 / median(weights),
                median(weights) / median(plain),
                (double) allocated);
        Files.delete(file);
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    /** Processor time, for others may be using the machine; the files come from the page cache. */
    private static double cpuSeconds(Work work) throws IOException {
        long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        if (work.run() == 0) {
            throw new IllegalStateException("nothing was read");
        }
        return (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e9;
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    private static long plain(Path file) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        long read = 0;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (int got = channel.read(buffer); got >= 0; got = channel.read(buffer.clear())) {
                read += got;
            }
        }
        return read;
    }

    private static long load(Path file) {
        long read = 0;
        try (TensorFile tensors =
                file.toString().endsWith(".bin") ? TorchFile.open(file) : SafetensorsFile.open(file)) {
            for (String name : tensors.names()) {
                read += tensors.floats(name).length;
            }
        }
        return read;
    }

    private int matrices(Dtype dtype) {
        return (int) (megabytes * 1_000_000 / ((long) ROWS * COLUMNS * dtype.bytes()) + 1);
    }

    /** One matrix; half of its bit patterns are numbers of everyday size in any of the formats. */
    private static ByteBuffer matrix(Dtype dtype) {
        ByteBuffer data = ByteBuffer.allocate(ROWS * COLUMNS * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(1);
        while (data.hasRemaining()) {
            if (dtype == Dtype.F32) {
                data.putFloat(random.nextFloat() - 0.5f);
            } else {
                data.putShort((short) (random.nextInt(0x8000) - 0x4000));
            }
        }
        return data.flip();
    }

    private Path safetensors(Dtype dtype) {
        Path file = folder.resolve("model.safetensors");
        ByteBuffer data = matrix(dtype);
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            for (int i = 0; i < matrices(dtype); i++) {
                writer.declare("h." + i + ".weight", dtype, ROWS, COLUMNS);
            }
            for (int i = 0; i < matrices(dtype); i++) {
                writer.bytes(data.duplicate());
            }
        }
        return file;
    }

    private Path zip(Dtype dtype, boolean transposed) throws IOException {
        Path file = folder.resolve("pytorch_model.bin");
        byte[] data = matrix(dtype).array();
        try (ZipOutputStream zip =
                new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 20))) {
            store(zip, "m/data.pkl", pickle(dtype, transposed));
            for (int i = 0; i < matrices(dtype); i++) {
                store(zip, "m/data/" + i, data);
            }
        }
        return file;
    }

    private static void store(ZipOutputStream zip, String name, byte[] data) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        CRC32 crc = new CRC32();
        crc.update(data);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(data.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(data);
        zip.closeEntry();
    }

    /** {@code {"h.0.weight": _rebuild_tensor_v2(("storage", FloatStorage, "0", "cpu", n), 0, (rows, columns), …), …}}. */
    private byte[] pickle(Dtype dtype, boolean transposed) throws IOException {
        String storage = dtype == Dtype.F32 ? "FloatStorage" : dtype == Dtype.F16 ? "HalfStorage" : "BFloat16Storage";
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ascii(out, "\u0080\u0002}(");
        for (int i = 0; i < matrices(dtype); i++) {
            text(out, "h." + i + ".weight");
            ascii(out, "ctorch._utils\n_rebuild_tensor_v2\n((");
            text(out, "storage");
            ascii(out, "ctorch\n" + storage + "\n");
            text(out, Integer.toString(i));
            text(out, "cpu");
            integers(out, ROWS * COLUMNS);
            ascii(out, "tQ");
            integers(out, 0);
            ascii(out, "(");
            integers(out, transposed ? COLUMNS : ROWS, transposed ? ROWS : COLUMNS);
            ascii(out, "t(");
            integers(out, transposed ? 1 : COLUMNS, transposed ? COLUMNS : 1);
            ascii(out, "t\u0089ccollections\nOrderedDict\n)RtR");
        }
        ascii(out, "u.");
        return out.toByteArray();
    }

    private static void ascii(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void text(OutputStream out, String text) throws IOException {
        out.write('X');
        out.write(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(text.length())
                .array());
        ascii(out, text);
    }

    private static void integers(OutputStream out, int... values) throws IOException {
        for (int value : values) {
            out.write('J');
            out.write(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value)
                    .array());
        }
    }
}
