package universality.correlate;

import java.util.ArrayList;
import java.util.List;

/** Two layers of which a group of units holds the sums, or one with itself. */
record Cell(Unit unit, Totals totals, int layerA, int layerB) {
    /** All cells of a unit. */
    static List<Cell> of(Unit unit, Totals totals) {
        List<Cell> cells = new ArrayList<>();
        for (int a = unit.a().from(); a < unit.a().to(); a++) {
            if (unit.self()) {
                cells.add(new Cell(unit, totals, a, a));
                continue;
            }
            for (int b = unit.b().from(); b < unit.b().to(); b++) {
                cells.add(new Cell(unit, totals, a, b));
            }
        }
        return cells;
    }

    Layer a() {
        return new Layer(unit.a().source(), layerA);
    }

    Layer b() {
        return new Layer(unit.b().source(), layerB);
    }
}
