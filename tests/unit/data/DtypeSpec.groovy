package unit.data

import groovy.transform.CompileStatic
import spock.lang.Specification
import universality.data.Dtype

class DtypeSpec extends Specification {
    def "every half-precision pattern has the value that IEEE 754 gives it"() {
        expect:
        firstWrong(5, 10) == -1
    }

    def "every bfloat16 pattern has the value that its fields give it"() {
        expect:
        firstWrong(8, 7) == -1
    }

    /** The first pattern whose value differs, −1 if none does. */
    @CompileStatic
    private static int firstWrong(int exponentBits, int mantissaBits) {
        for (int pattern = 0; pattern <= 0xffff; pattern++) {
            float found = exponentBits == 5 ? Dtype.halfToFloat((short) pattern) : Dtype.bfloatToFloat((short) pattern)
            if (!same(found, value(pattern, exponentBits, mantissaBits))) {
                return pattern
            }
        }
        -1
    }

    /** (−1)^sign · 2^(exponent − bias) · (1 + mantissa / 2^bits), by the definition. */
    @CompileStatic
    private static double value(int pattern, int exponentBits, int mantissaBits) {
        int sign = pattern >> 15
        int most = (1 << exponentBits) - 1
        int exponent = (pattern >> mantissaBits) & most
        int mantissa = pattern & ((1 << mantissaBits) - 1)
        int bias = most >> 1
        double fraction = mantissa / Math.pow(2d, mantissaBits)
        if (exponent == most) {
            return mantissa ? Double.NaN : sign ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY
        }
        double magnitude = exponent == 0
            ? Math.pow(2d, 1 - bias) * fraction
            : Math.pow(2d, exponent - bias) * (1 + fraction)
        sign ? -magnitude : magnitude
    }

    @CompileStatic
    private static boolean same(float found, double expected) {
        Double.isNaN(expected) ? Float.isNaN(found)
            : Double.doubleToRawLongBits((double) found) == Double.doubleToRawLongBits(expected)
    }

    def "sizes are those of the format"() {
        expect:
        Dtype.values().collectEntries { [it.name(), it.bytes()] } ==
            [F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1]
    }
}
