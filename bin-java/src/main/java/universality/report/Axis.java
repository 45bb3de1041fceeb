package universality.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;

/** Maps values to pixels of a figure and knows where its ticks are. Immutable. */
final class Axis {
    /** A tick; {@code label} is {@code null} where there is no room for one. */
    record Tick(double value, String label) {}

    private static final int STEP_LABEL_GAP = 38;

    private final double from;
    private final double to;
    private final double start;
    private final double end;
    private final DoubleUnaryOperator scale;
    private final List<Tick> ticks;

    private Axis(double from, double to, double start, double end, DoubleUnaryOperator scale, List<Tick> ticks) {
        this.from = from;
        this.to = to;
        this.start = start;
        this.end = end;
        this.scale = scale;
        this.ticks = ticks;
    }

    /**
     * A linear axis with about {@code wanted} ticks at round values.
     *
     * @param start pixel of {@code from}
     * @param end pixel of {@code to}
     */
    static Axis linear(double from, double to, double start, double end, int wanted, DoubleFunction<String> label) {
        double last = to > from ? to : from + 1;
        double step = roundStep((last - from) / wanted);
        List<Tick> ticks = new ArrayList<>();
        for (long i = (long) Math.ceil(from / step - 1e-9); i * step <= last + step * 1e-9; i++) {
            ticks.add(new Tick(i * step, label.apply(i * step)));
        }
        return new Axis(from, last, start, end, v -> v, ticks);
    }

    /** The next round number (1, 2, 2.5 or 5 times a power of ten) above {@code rough}. */
    static double roundStep(double rough) {
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        for (double factor : new double[] {1, 2, 2.5, 5}) {
            if (rough <= factor * power * (1 + 1e-9)) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    /** {@code top} raised to the next tick of an axis from 0, so that the largest value has air above it. */
    static double above(double top, int wanted) {
        if (!(top > 0)) {
            return 1;
        }
        double step = roundStep(top / wanted);
        return step * Math.ceil(top / step + 0.05);
    }

    /**
     * Training steps, dense early: position log(1 + step / smallest positive step), so that step 0 has a place. A tick at
     * every step given, labelled where there is room.
     */
    static Axis steps(Collection<Long> steps, double start, double end) {
        TreeSet<Long> sorted = new TreeSet<>(steps);
        double unit = sorted.stream().filter(s -> s > 0).findFirst().orElse(1L);
        double first = sorted.first();
        double last = sorted.size() > 1 ? sorted.last() : first + unit;
        DoubleUnaryOperator scale = v -> Math.log1p(v / unit);
        Axis plain = new Axis(first, last, start, end, scale, List.of());
        List<Tick> ticks = new ArrayList<>();
        double free = Double.POSITIVE_INFINITY;
        for (long step : sorted.descendingSet()) {
            double at = plain.at(step);
            boolean room = free - at >= STEP_LABEL_GAP;
            ticks.add(0, new Tick(step, room ? Format.count(step) : null));
            free = room ? at : free;
        }
        return new Axis(first, last, start, end, scale, ticks);
    }

    /** Steps of a loss curve: as {@link #steps}, with ticks at 0 and the powers of ten. */
    static Axis logSteps(double last, double start, double end) {
        List<Tick> ticks = new ArrayList<>();
        ticks.add(new Tick(0, "0"));
        for (long power = 10; power <= last; power *= 10) {
            ticks.add(new Tick(power, Format.count(power)));
            for (int i = 2; i < 10 && i * power <= last; i++) {
                ticks.add(new Tick(i * power, i == 3 ? Format.count(i * power) : null));
            }
        }
        return new Axis(0, Math.max(last, 1), start, end, v -> Math.log1p(v / 10), ticks);
    }

    /** Pixel of {@code value}. */
    double at(double value) {
        double low = scale.applyAsDouble(from);
        double high = scale.applyAsDouble(to);
        return start + (scale.applyAsDouble(value) - low) / (high - low) * (end - start);
    }

    double from() {
        return from;
    }

    double to() {
        return to;
    }

    double start() {
        return start;
    }

    double end() {
        return end;
    }

    List<Tick> ticks() {
        return ticks;
    }
}
