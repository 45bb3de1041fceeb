package universality.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** One JSON dialect for all files: two-space indent, {@code \n}, map keys sorted, duplicate keys refused. */
public final class Json {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /** The shared mapper; not to be reconfigured. */
    public static ObjectMapper mapper() {
        return MAPPER;
    }

    /** Indented text of {@code value}, ending in a newline; equal values give equal bytes on every platform. */
    public static String pretty(Object value) {
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer =
                new DefaultPrettyPrinter().withObjectIndenter(indenter).withArrayIndenter(indenter);
        try {
            return MAPPER.writer(printer).writeValueAsString(value) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not representable as JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** Writes {@link #pretty} of {@code value} to {@code file}. */
    public static void write(Path file, Object value) throws IOException {
        Files.writeString(file, pretty(value), StandardCharsets.UTF_8);
    }

    /**
     * {@link #write} by way of a temporary sibling, so that nothing half-written ever has the name {@code file}.
     *
     * @throws ToolException (cannot write) if that fails
     */
    public static void publish(Path file, Object value) {
        Path temporary = file.resolveSibling(
                "." + file.getFileName() + ".tmp-" + ProcessHandle.current().pid());
        try {
            write(temporary, value);
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e, e);
        } finally {
            temporary.toFile().delete(); // gone already, unless something failed
        }
    }

    /**
     * Reads a JSON document.
     *
     * @throws ToolException if the file is missing or not JSON
     */
    public static JsonNode read(Path file) {
        return read(file, JsonNode.class);
    }

    /**
     * Reads a JSON document into {@code type}.
     *
     * @throws ToolException if the file is missing, not JSON, or does not fit {@code type}
     */
    public static <T> T read(Path file, Class<T> type) {
        try {
            return MAPPER.readValue(Files.readAllBytes(file), type);
        } catch (NoSuchFileException e) {
            throw ToolException.missing("%s is missing", file);
        } catch (JsonProcessingException e) {
            throw ToolException.badData("%s is not the JSON that was expected: %s", file, e.getOriginalMessage());
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
