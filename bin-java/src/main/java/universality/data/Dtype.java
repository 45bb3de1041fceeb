package universality.data;

/** Element types of safetensors files, with their size. */
public enum Dtype {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U8(1),
    BOOL(1);

    private final int bytes;

    Dtype(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes per element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are floating-point numbers; the others are integers or truth values. */
    public boolean isReal() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    /** The value of an IEEE half-precision number given by its bits; exact. */
    public static float halfToFloat(short bits) {
        int magnitude = bits & 0x7fff;
        // the exponent's bias differs by 112; the product is exact, of subnormal numbers too
        int wide = magnitude < 0x7c00
                ? Float.floatToRawIntBits(Float.intBitsToFloat(magnitude << 13) * 0x1p112f)
                : 0x7f800000 | magnitude << 13; // infinite or no number
        return Float.intBitsToFloat(wide | (bits & 0x8000) << 16);
    }

    /** The value of a bfloat16 number given by its bits; exact. */
    public static float bfloatToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
