package universality.data;

import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Reads the pickles in which {@code torch.save} describes tensors, and no others.
 *
 * <p>A pickle is a program: it may name any function and have it called. Here the only names that mean anything are those of
 * {@link #ALLOWED}, and each of them is a plain value of this class: nothing is looked up, loaded or called by name. Any other
 * name is refused as soon as it is read. Only the opcodes that describing tensors takes are understood. Work and memory are
 * bounded by {@link #MOST_OPERATIONS} and the length of the input: no length in it is believed before that many bytes are
 * known to be there, and no operation does more than its bytes could ask for once.
 *
 * <p>Why not a general pickle library: those create any object they know, know more with every release, and allocate what the
 * input says; making one safe takes overriding nearly every opcode.
 */
final class TorchUnpickler {
    /** A model of a thousand tensors takes about thirty thousand. */
    private static final int MOST_OPERATIONS = 500_000;

    private static final int MOST_DIMENSIONS = 64;

    private enum Callable {
        ORDERED_DICT,
        REBUILD_TENSOR,
        REBUILD_PARAMETER
    }

    /** What a pickle may name, and what the name stands for here. */
    private static final Map<String, Object> ALLOWED = Map.ofEntries(
            Map.entry("collections.OrderedDict", Callable.ORDERED_DICT),
            Map.entry("torch._utils._rebuild_tensor_v2", Callable.REBUILD_TENSOR),
            Map.entry("torch._utils._rebuild_parameter", Callable.REBUILD_PARAMETER),
            Map.entry("torch.DoubleStorage", Dtype.F64),
            Map.entry("torch.FloatStorage", Dtype.F32),
            Map.entry("torch.HalfStorage", Dtype.F16),
            Map.entry("torch.BFloat16Storage", Dtype.BF16),
            Map.entry("torch.LongStorage", Dtype.I64),
            Map.entry("torch.IntStorage", Dtype.I32),
            Map.entry("torch.ShortStorage", Dtype.I16),
            Map.entry("torch.CharStorage", Dtype.I8),
            Map.entry("torch.ByteStorage", Dtype.U8),
            Map.entry("torch.BoolStorage", Dtype.BOOL));

    /** Python's None. */
    static final Object NONE = new Object();

    private static final Object MARK = new Object();

    /** A tuple; lists are {@code List<Object>}, dictionaries {@code Map<Object, Object>}. */
    record Tuple(List<Object> items) {}

    /** A storage by the key under which the file holds its elements. */
    record Storage(Dtype dtype, String key, long elements) {}

    /** A tensor: element (i, j, …) is number {@code offset + i·strides[0] + j·strides[1] + …} of its storage. */
    record View(Storage storage, long offset, long[] shape, long[] strides) {}

    private final ByteBuffer input;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();
    private final Map<String, Storage> storages = new LinkedHashMap<>();
    private final boolean legacy;
    private int operations;
    private int mostOperations;

    /**
     * @param input little-endian; read from its position on
     * @param legacy whether storages are named as in files of before PyTorch 1.6
     */
    TorchUnpickler(ByteBuffer input, boolean legacy) {
        this.input = input;
        this.legacy = legacy;
    }

    /** Reads one pickle; the input's position is then behind it. */
    Object load() throws Malformed {
        stack.clear();
        memo.clear();
        operations = 0;
        mostOperations = Math.min(MOST_OPERATIONS, input.remaining()); // each takes a byte at least
        try {
            for (int opcode = input.get() & 0xff; opcode != '.'; opcode = input.get() & 0xff) {
                count(1);
                run(opcode);
            }
            return pop();
        } catch (BufferUnderflowException e) {
            throw new Malformed("its pickle ends in the middle: it is cut short");
        }
    }

    /** The storages that the pickles read so far refer to, by key. */
    Map<String, Storage> storages() {
        return storages;
    }

    private void count(int work) throws Malformed {
        operations += work;
        if (operations > mostOperations) {
            throw new Malformed("its pickle takes more than %d operations; no model needs as many", mostOperations);
        }
    }

    private void run(int opcode) throws Malformed {
        switch (opcode) {
            case 0x80 -> protocol(input.get() & 0xff);
            case 0x95 -> input.getLong(); // FRAME: a hint for readers of streams
            case '(' -> stack.add(MARK);
            case '0' -> pop();
            case '1' -> popToMark();
            case '2' -> stack.add(top());
            case 'N' -> stack.add(NONE);
            case 0x88 -> stack.add(Boolean.TRUE);
            case 0x89 -> stack.add(Boolean.FALSE);
            case 'J' -> stack.add((long) input.getInt());
            case 'K' -> stack.add((long) (input.get() & 0xff));
            case 'M' -> stack.add((long) (input.getShort() & 0xffff));
            case 0x8a -> stack.add(longInteger(input.get() & 0xff));
            case 'G' -> stack.add(Double.longBitsToDouble(Long.reverseBytes(input.getLong())));
            case 'X' -> stack.add(text(input.getInt() & 0xffffffffL));
            case 0x8c, 'U' -> stack.add(text(input.get() & 0xff));
            case 0x8d -> stack.add(text(input.getLong()));
            case 'T' -> stack.add(text(input.getInt()));
            default -> build(opcode);
        }
    }

    private void build(int opcode) throws Malformed {
        switch (opcode) {
            case ')' -> stack.add(new Tuple(List.of()));
            case 't' -> stack.add(new Tuple(popToMark()));
            case 0x85 -> stack.add(new Tuple(pop(1)));
            case 0x86 -> stack.add(new Tuple(pop(2)));
            case 0x87 -> stack.add(new Tuple(pop(3)));
            case ']' -> stack.add(new ArrayList<>());
            case 'a' -> append(pop(1));
            case 'e' -> append(popToMark());
            case '}' -> stack.add(new LinkedHashMap<>());
            case 's' -> put(pop(2));
            case 'u' -> put(popToMark());
            case 'h' -> stack.add(recall(input.get() & 0xff));
            case 'j' -> stack.add(recall(input.getInt() & 0xffffffffL));
            case 'q' -> memo.put((long) (input.get() & 0xff), top());
            case 'r' -> memo.put(input.getInt() & 0xffffffffL, top());
            case 0x94 -> memo.put((long) memo.size(), top());
            case 'c' -> stack.add(global(line(), line()));
            case 0x93 -> stackGlobal();
            case 'i' -> throw refused(line() + "." + line());
            case 'R' -> reduce();
            case 'b' -> state();
            case 'Q' -> stack.add(storage(pop()));
            default -> throw new Malformed(
                    "its pickle uses the opcode 0x%02x at byte %d, which tensors do not need",
                    opcode, input.position() - 1);
        }
    }

    private void protocol(int version) throws Malformed {
        if (version > 5) {
            throw new Malformed("its pickle has protocol %d; known are 0 to 5", version);
        }
    }

    private Object longInteger(int length) throws Malformed {
        byte[] bytes = new byte[length];
        input.get(bytes);
        for (int i = 0; i < length / 2; i++) {
            byte swapped = bytes[i];
            bytes[i] = bytes[length - 1 - i];
            bytes[length - 1 - i] = swapped;
        }
        BigInteger value = length == 0 ? BigInteger.ZERO : new BigInteger(bytes);
        return value.bitLength() < 64 ? (Object) value.longValue() : value;
    }

    private String text(long length) throws Malformed {
        if (length < 0 || length > input.remaining()) {
            throw new Malformed(
                    "its pickle holds a string of %d bytes where %d are left: it is cut short",
                    length, input.remaining());
        }
        byte[] bytes = new byte[(int) length];
        input.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private String line() throws Malformed {
        int start = input.position();
        int length = 0;
        while (input.get() != '\n') {
            length++;
        }
        input.position(start);
        String line = text(length);
        input.get();
        return line;
    }

    private static Object global(String module, String name) throws Malformed {
        Object meaning = ALLOWED.get(module + "." + name);
        if (meaning == null) {
            throw refused(module + "." + name);
        }
        return meaning;
    }

    private void stackGlobal() throws Malformed {
        List<Object> names = pop(2);
        stack.add(global(of(String.class, names.get(0)), of(String.class, names.get(1))));
    }

    private static Malformed refused(String name) {
        return new Malformed(
                "its pickle asks for '%s', which may run code; only tensors are read, by way of %s",
                name, new TreeSet<>(ALLOWED.keySet()));
    }

    private void append(List<Object> items) throws Malformed {
        List<Object> list = list(top());
        list.addAll(items);
    }

    private void put(List<Object> items) throws Malformed {
        putAll(dictionary(top()), items);
    }

    private static void putAll(Map<Object, Object> dictionary, List<Object> items) throws Malformed {
        if (items.size() % 2 != 0) {
            throw new Malformed("its pickle gives a dictionary a key without a value");
        }
        for (int i = 0; i < items.size(); i += 2) {
            Object key = items.get(i);
            // nothing else hashes in constant time: a container may hold itself
            if (!(key instanceof String) && !(key instanceof Long)) {
                throw new Malformed("its pickle has a dictionary key that is neither text nor integer");
            }
            dictionary.put(key, items.get(i + 1));
        }
    }

    private Object recall(long number) throws Malformed {
        Object value = memo.get(number);
        if (value == null) {
            throw new Malformed("its pickle refers to value %d, which it never stored", number);
        }
        return value;
    }

    private void reduce() throws Malformed {
        List<Object> arguments = tuple(pop());
        Callable callable = of(Callable.class, pop());
        stack.add(
                switch (callable) {
                    case ORDERED_DICT -> orderedDict(arguments);
                    case REBUILD_TENSOR -> tensor(arguments);
                    case REBUILD_PARAMETER -> parameter(arguments);
                });
    }

    private Map<Object, Object> orderedDict(List<Object> arguments) throws Malformed {
        Map<Object, Object> dictionary = new LinkedHashMap<>();
        if (!arguments.isEmpty()) { // Python 2 gives a list of [key, value]
            requireCount("an ordered dictionary", arguments, 1, 1);
            count(list(arguments.get(0)).size()); // one list may be given many times
            for (Object pair : list(arguments.get(0))) {
                List<Object> items = pair instanceof Tuple tuple ? tuple.items() : list(pair);
                requireCount("an entry of a dictionary", items, 2, 2);
                putAll(dictionary, items);
            }
        }
        return dictionary;
    }

    /**
     * {@code _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)}; the last says, if it is there
     * and not empty, that the values are to be negated or conjugated.
     */
    private static View tensor(List<Object> arguments) throws Malformed {
        requireCount("a tensor", arguments, 6, 7);
        of(Boolean.class, arguments.get(4));
        dictionary(arguments.get(5));
        if (arguments.size() == 7
                && arguments.get(6) != NONE
                && !dictionary(arguments.get(6)).isEmpty()) {
            throw new Malformed(
                    "it has a tensor that is a negated or conjugated view: save it again after .resolve_neg()");
        }
        return new View(
                of(Storage.class, arguments.get(0)),
                of(Long.class, arguments.get(1)),
                integers(arguments.get(2)),
                integers(arguments.get(3)));
    }

    /** {@code _rebuild_parameter(tensor, requires_grad, hooks)}. */
    private static View parameter(List<Object> arguments) throws Malformed {
        requireCount("a parameter", arguments, 3, 3);
        of(Boolean.class, arguments.get(1));
        dictionary(arguments.get(2));
        return of(View.class, arguments.get(0));
    }

    /** Attributes set on a dictionary, such as a state_dict's {@code _metadata}, say nothing about tensors: dropped. */
    private void state() throws Malformed {
        pop();
        dictionary(top());
    }

    /** {@code ('storage', type, key, device, elements)}; legacy files add a view, which is None since PyTorch 0.4. */
    private Storage storage(Object persistentId) throws Malformed {
        List<Object> parts = tuple(persistentId);
        if (parts.size() != (legacy ? 6 : 5) || !"storage".equals(parts.get(0))) {
            throw new Malformed(
                    "its pickle refers to something that is no storage: %s",
                    describe(parts.isEmpty() ? NONE : parts.get(0)));
        }
        if (legacy && parts.get(5) != NONE) {
            throw new Malformed("it has views of storages, as before PyTorch 0.4: save it again with a newer PyTorch");
        }
        long elements = of(Long.class, parts.get(4));
        if (elements < 0) {
            throw new Malformed("its pickle has a storage of %d elements", elements);
        }
        Storage storage = new Storage(of(Dtype.class, parts.get(1)), of(String.class, parts.get(2)), elements);
        Storage known = storages.putIfAbsent(storage.key(), storage);
        if (known != null && !known.equals(storage)) {
            throw new Malformed("its pickle describes the storage '%s' in two ways", storage.key());
        }
        return storage;
    }

    private static long[] integers(Object value) throws Malformed {
        List<Object> items = value instanceof Tuple tuple ? tuple.items() : list(value);
        if (items.size() > MOST_DIMENSIONS) {
            throw new Malformed("its pickle has a tensor of %d dimensions", items.size());
        }
        long[] integers = new long[items.size()];
        for (int i = 0; i < integers.length; i++) {
            integers[i] = of(Long.class, items.get(i));
        }
        return integers;
    }

    private static void requireCount(String what, List<Object> values, int least, int most) throws Malformed {
        if (values.size() < least || values.size() > most) {
            throw new Malformed("its pickle makes %s of %d values; %d were expected", what, values.size(), least);
        }
    }

    private Object top() throws Malformed {
        if (stack.isEmpty() || stack.get(stack.size() - 1) == MARK) {
            throw new Malformed("its pickle takes a value from an empty stack");
        }
        return stack.get(stack.size() - 1);
    }

    private Object pop() throws Malformed {
        Object value = top();
        stack.remove(stack.size() - 1);
        return value;
    }

    private List<Object> pop(int count) throws Malformed {
        Object[] values = new Object[count];
        for (int i = count - 1; i >= 0; i--) {
            values[i] = pop();
        }
        return Arrays.asList(values);
    }

    private List<Object> popToMark() throws Malformed {
        int mark = stack.lastIndexOf(MARK);
        if (mark < 0) {
            throw new Malformed("its pickle lacks the start of a list or tuple");
        }
        List<Object> tail = stack.subList(mark + 1, stack.size());
        List<Object> values = new ArrayList<>(tail);
        tail.clear();
        stack.remove(mark);
        return values;
    }

    private static <T> T of(Class<T> type, Object value) throws Malformed {
        if (!type.isInstance(value)) {
            throw new Malformed(
                    "its pickle has %s where a %s was expected",
                    describe(value), type.getSimpleName().toLowerCase(Locale.ROOT));
        }
        return type.cast(value);
    }

    private static List<Object> tuple(Object value) throws Malformed {
        return of(Tuple.class, value).items();
    }

    @SuppressWarnings("unchecked") // this class makes no other lists
    private static List<Object> list(Object value) throws Malformed {
        return of(List.class, value);
    }

    @SuppressWarnings("unchecked") // this class makes no other maps
    private static Map<Object, Object> dictionary(Object value) throws Malformed {
        return of(Map.class, value);
    }

    /** Kind of a value; never its content, which may contain itself. */
    private static String describe(Object value) {
        if (value == NONE) {
            return "None";
        }
        return value instanceof String text
                ? "'" + text.substring(0, Math.min(60, text.length())) + "'"
                : "a " + value.getClass().getSimpleName();
    }
}
