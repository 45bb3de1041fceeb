package universality.data;

import java.nio.ByteBuffer;

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

    /**
     * Element {@code index} of an array of this type that begins at the start of a little-endian buffer; exact, but for integers
     * beyond 2⁵³. U8 is unsigned, BOOL 0 or 1.
     */
    public double element(ByteBuffer buffer, int index) {
        return isReal() ? ElementFile.real(this, buffer, index) : ElementFile.integer(this, buffer, index);
    }

    /** The value of an IEEE half-precision number given by its bits; exact. */
    public static float halfToFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int magnitude = bits & 0x7fff;
        if (magnitude >= 0x0400 && magnitude < 0x7c00) { // of almost all weights; the exponents' biases differ by 112
            return Float.intBitsToFloat(sign | (magnitude << 13) + (112 << 23));
        }
        if (magnitude >= 0x7c00) { // infinite or no number
            return Float.intBitsToFloat(sign | 0x7f800000 | magnitude << 13);
        }
        float subnormal = magnitude * 0x1p-24f;
        return sign == 0 ? subnormal : -subnormal;
    }

    /** The value of a bfloat16 number given by its bits; exact. */
    public static float bfloatToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
