package universality.tokenize;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.SafetensorsFile;
import universality.data.ToolException;

/**
 * Token rows made elsewhere: a JSON list of equally long lists, a NumPy array [rows, context] of integers, or the tensor
 * {@code tokens} of a safetensors file.
 *
 * @param ids row-major [rows, context], each in 0 … vocabulary − 1
 */
record IdsFile(int rows, int context, int[] ids) {
    private static final Pattern NPY = Pattern.compile(
            "\\{\\s*'descr':\\s*'([<|])([iu])([1248])',\\s*'fortran_order':\\s*False,\\s*'shape':\\s*\\((\\d+),\\s*(\\d+)\\),?\\s*\\}\\s*");

    /**
     * Reads rows of ids.
     *
     * @throws ToolException (missing, bad data) if the file is absent, of another form, or has an id outside the vocabulary
     */
    static IdsFile read(Path file, int vocabulary) {
        if (!Files.isRegularFile(file)) {
            throw ToolException.missing("--ids %s is not a file", file);
        }
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        IdsFile rows;
        if (name.endsWith(".json")) {
            rows = json(file, Json.read(file));
        } else if (name.endsWith(".npy")) {
            rows = npy(file);
        } else if (name.endsWith(".safetensors")) {
            rows = safetensors(file);
        } else {
            throw ToolException.usage("--ids %s: a .json, .npy or .safetensors file was expected", file);
        }
        if (rows.rows == 0 || rows.context == 0) {
            throw ToolException.badData("%s has no rows", file);
        }
        for (int i = 0; i < rows.ids.length; i++) {
            if (rows.ids[i] < 0 || rows.ids[i] >= vocabulary) {
                throw ToolException.badData(
                        "%s: the id %d in row %d is outside the vocabulary of %d; check --vocabulary",
                        file, rows.ids[i], i / rows.context, vocabulary);
            }
        }
        return rows;
    }

    private static IdsFile json(Path file, JsonNode root) {
        if (!root.isArray() || root.isEmpty() || !root.get(0).isArray()) {
            throw ToolException.badData("%s: a list of rows, each a list of ids, was expected", file);
        }
        int context = root.get(0).size();
        int[] ids = new int[size(file, root.size(), context)];
        int n = 0;
        for (int r = 0; r < root.size(); r++) {
            JsonNode row = root.get(r);
            if (!row.isArray() || row.size() != context) {
                throw ToolException.badData(
                        "%s: row %d has %d ids, but row 0 has %d; rows must be equally long",
                        file, r, row.size(), context);
            }
            for (JsonNode id : row) {
                if (!id.isIntegralNumber() || !id.canConvertToInt()) {
                    throw ToolException.badData("%s: '%s' in row %d is no token id", file, id.asText(), r);
                }
                ids[n++] = id.intValue();
            }
        }
        return new IdsFile(root.size(), context, ids);
    }

    private static IdsFile npy(Path file) {
        try {
            ByteBuffer data = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            if (data.remaining() < 12 || data.get(0) != (byte) 0x93 || data.get(1) != 'N') {
                throw ToolException.badData("%s is not a NumPy file", file);
            }
            boolean first = data.get(6) == 1;
            int length = first ? data.getShort(8) & 0xFFFF : data.getInt(8);
            int start = (first ? 10 : 12) + length;
            if (length < 0 || start > data.limit()) {
                throw ToolException.badData("%s is cut short", file);
            }
            String header = new String(data.array(), start - length, length, StandardCharsets.ISO_8859_1);
            Matcher matcher = NPY.matcher(header);
            if (!matcher.matches()) {
                throw ToolException.badData(
                        "%s holds %s; a little-endian integer array [rows, context] in C order was expected",
                        file, header.strip());
            }
            return npy(file, data.position(start), matcher);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static IdsFile npy(Path file, ByteBuffer data, Matcher header) {
        long rows = Long.parseLong(header.group(4));
        long context = Long.parseLong(header.group(5));
        int bytes = Integer.parseInt(header.group(3));
        boolean unsigned = header.group(2).equals("u");
        int[] ids = new int[size(file, rows, context)];
        if (data.remaining() != (long) ids.length * bytes) {
            throw ToolException.badData(
                    "%s has %d bytes of data, but its header promises %d",
                    file, data.remaining(), (long) ids.length * bytes);
        }
        for (int i = 0; i < ids.length; i++) {
            long value =
                    switch (bytes) {
                        case 1 -> unsigned ? data.get() & 0xFF : data.get();
                        case 2 -> unsigned ? data.getShort() & 0xFFFF : data.getShort();
                        case 4 -> unsigned ? data.getInt() & 0xFFFFFFFFL : data.getInt();
                        default -> data.getLong();
                    };
            ids[i] = toId(value);
        }
        return new IdsFile((int) rows, (int) context, ids);
    }

    private static IdsFile safetensors(Path file) {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            long[] shape = tensors.tensor("tokens").shape();
            if (shape.length != 2) {
                throw ToolException.badData(
                        "%s: the tensor 'tokens' has %d dimensions; [rows, context] was expected", file, shape.length);
            }
            size(file, shape[0], shape[1]);
            long[] values = tensors.longs("tokens");
            int[] ids = new int[values.length];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = toId(values[i]);
            }
            return new IdsFile((int) shape[0], (int) shape[1], ids);
        }
    }

    /** Ids that fit no int are outside every vocabulary, as −1 is. */
    private static int toId(long value) {
        return value < 0 || value > Integer.MAX_VALUE ? -1 : (int) value;
    }

    private static int size(Path file, long rows, long context) {
        long size = rows * context;
        if (rows > Integer.MAX_VALUE || context > Integer.MAX_VALUE || size > Integer.MAX_VALUE - 64) {
            throw ToolException.badData("%s has %d × %d ids, more than one token folder holds", file, rows, context);
        }
        return (int) size;
    }

    /** Some of the rows in the order given; every position counts and every row is a document of its own. */
    PackedRows select(int[] wanted) {
        int[] tokens = new int[wanted.length * context];
        int[] document = new int[tokens.length];
        byte[] mask = new byte[tokens.length];
        Arrays.fill(mask, (byte) 1);
        for (int r = 0; r < wanted.length; r++) {
            System.arraycopy(ids, wanted[r] * context, tokens, r * context, context);
            Arrays.fill(document, r * context, (r + 1) * context, r);
        }
        return new PackedRows(wanted.length, context, tokens, mask, document, null);
    }
}
