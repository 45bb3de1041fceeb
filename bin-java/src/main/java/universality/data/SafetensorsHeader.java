package universality.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import universality.data.SafetensorsFile.Tensor;

/**
 * Takes the JSON header of a safetensors file apart: {@code {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0,
 * 24]}, …, "__metadata__": {"KEY": "TEXT", …}}}. Follows the format's description and the checks of its reference
 * implementation (huggingface/safetensors, {@code Metadata::validate}), and where the implementation is laxer the description:
 * the first byte is a brace, no name comes twice, metadata is text. Token by token, so that a large header makes no tree.
 */
final class SafetensorsHeader {
    private static final String METADATA = "__metadata__";

    /** PyTorch and numpy have no tensors of more. */
    private static final int MOST_DIMENSIONS = 64;

    private static final int MOST_TENSORS = 500_000;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final long dataStart;
    private final Map<String, Tensor> tensors = new TreeMap<>();
    private final Map<String, String> metadata = new TreeMap<>();

    private final long[] integers = new long[MOST_DIMENSIONS]; // those of the array being read

    private SafetensorsHeader(long dataStart) {
        this.dataStart = dataStart;
    }

    /**
     * Reads a header.
     *
     * @param dataStart where the tensors begin in the file
     * @param size bytes in the file
     */
    static SafetensorsHeader parse(byte[] json, long dataStart, long size) throws Malformed {
        SafetensorsHeader header = new SafetensorsHeader(dataStart);
        if (json[0] != '{') {
            throw new Malformed("its header is not a JSON object: it does not begin with '{'");
        }
        // a decoder of its own: the parser would guess between UTF-8, UTF-16 and UTF-32
        InputStreamReader text =
                new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8.newDecoder());
        try (JsonParser parser = JSON.createParser(text)) {
            header.readAll(parser);
        } catch (JsonProcessingException e) {
            throw new Malformed("its header is not JSON: %s", e.getOriginalMessage());
        } catch (IOException e) {
            throw new Malformed("its header is not UTF-8");
        }
        header.checkExtents(size);
        return header;
    }

    /** Tensors by name, sorted by name. */
    Map<String, Tensor> tensors() {
        return tensors;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    private void readAll(JsonParser parser) throws IOException, Malformed {
        parser.nextToken(); // the brace
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            if (name.equals(METADATA)) {
                readMetadata(parser);
            } else {
                tensors.put(name, tensor(name, parser));
            }
            if (tensors.size() > MOST_TENSORS) {
                throw new Malformed("it has more than %d tensors", MOST_TENSORS);
            }
        }
        if (parser.nextToken() != null) {
            throw new Malformed("its header is not JSON: something follows behind the object");
        }
    }

    private void readMetadata(JsonParser parser) throws IOException, Malformed {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new Malformed("its __metadata__ is not a JSON object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw new Malformed("its metadata '%s' is not a string", key);
            }
            metadata.put(key, parser.getText());
        }
    }

    private Tensor tensor(String name, JsonParser parser) throws IOException, Malformed {
        Dtype dtype = null;
        long[] shape = null;
        long[] offsets = null;
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "dtype" -> dtype = dtype(name, parser);
                    case "shape" -> shape = integers(name, parser);
                    case "data_offsets" -> offsets = integers(name, parser);
                    default -> parser.skipChildren(); // as the reference implementation does
                }
            }
        }
        if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
            throw new Malformed("tensor '%s' lacks dtype, shape or data_offsets", name);
        }
        return tensor(name, dtype, shape, offsets[0], offsets[1]);
    }

    private Tensor tensor(String name, Dtype dtype, long[] shape, long begin, long end) throws Malformed {
        long expected = dtype.bytes();
        try {
            for (long length : shape) {
                expected = Math.multiplyExact(expected, length);
            }
        } catch (ArithmeticException e) {
            throw new Malformed("tensor '%s' has a shape whose size overflows: %s", name, Arrays.toString(shape));
        }
        if (end < begin || end - begin != expected) {
            throw new Malformed(
                    "tensor '%s' of shape %s and dtype %s needs %d bytes, but its offsets are %d to %d",
                    name, Arrays.toString(shape), dtype, expected, begin, end);
        }
        if (end > Long.MAX_VALUE - dataStart) {
            throw new Malformed("tensor '%s' ends at %d, which is behind the end of any file", name, end);
        }
        return new Tensor(name, dtype, shape, dataStart + begin, expected);
    }

    private static Dtype dtype(String name, JsonParser parser) throws IOException, Malformed {
        try {
            // another kind of value has no such name either
            return Dtype.valueOf(parser.currentToken() == JsonToken.VALUE_STRING ? parser.getText() : "");
        } catch (IllegalArgumentException e) {
            throw new Malformed(
                    "tensor '%s' has dtype '%s'; known are %s",
                    name, parser.getValueAsString("none"), Arrays.toString(Dtype.values()));
        }
    }

    private long[] integers(String name, JsonParser parser) throws IOException, Malformed {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw new Malformed("tensor '%s' lacks dtype, shape or data_offsets", name);
        }
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (count == MOST_DIMENSIONS) {
                throw new Malformed("tensor '%s' has more than %d dimensions", name, MOST_DIMENSIONS);
            }
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                    || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || parser.getLongValue() < 0) {
                throw new Malformed(
                        "tensor '%s' has '%s' where an integer from 0 to 2^63 - 1 was expected",
                        name, parser.getText());
            }
            integers[count++] = parser.getLongValue();
        }
        return Arrays.copyOf(integers, count);
    }

    private void checkExtents(long size) throws Malformed {
        List<Tensor> byOffset = new ArrayList<>(tensors.values());
        byOffset.sort(Comparator.comparingLong(Tensor::offset).thenComparingLong(Tensor::bytes));
        long next = dataStart;
        for (Tensor tensor : byOffset) {
            if (tensor.offset() != next) {
                throw new Malformed(
                        "tensor '%s' starts at byte %d, but %d was expected: tensors overlap or leave a hole",
                        tensor.name(), tensor.offset(), next);
            }
            next = tensor.offset() + tensor.bytes();
        }
        if (next != size) {
            throw new Malformed(
                    "its tensors end at byte %d, but it has %d bytes: it is cut short or has rubbish behind",
                    next, size);
        }
    }
}
