package universality.stats;

/** The delete-one-group jackknife for groups of unequal sizes (Busing, Meijer and van der Leeden 1999). */
public final class Jackknife {
    private Jackknife() {}

    /**
     * Standard error of a statistic θ. With h_g = n/n_g and τ_g = h_g θ − (h_g − 1) θ₋g, its square is the mean over groups of
     * (τ_g − τ̃)² / (h_g − 1), τ̃ = Gθ − Σ (1 − n_g/n) θ₋g; for equal groups (G − 1)/G Σ (θ₋g − mean)². Nothing is modified.
     *
     * @param whole θ from all groups
     * @param without θ₋g from all groups but g, [groups]
     * @param size of each group, positive, [groups]
     * @return NaN for fewer than two groups, or where a value is NaN
     */
    public static double standardError(double whole, double[] without, double[] size) {
        int groups = without.length;
        if (size.length != groups) {
            throw new IllegalArgumentException(groups + " values without a group, but " + size.length + " groups");
        }
        if (groups < 2) {
            return Double.NaN;
        }
        double n = 0;
        for (double s : size) {
            n += s;
        }
        // θ is taken off everything, so that no digits are lost to it
        double centre = 0;
        for (int g = 0; g < groups; g++) {
            centre -= (1 - size[g] / n) * (without[g] - whole);
        }
        double sum = 0;
        for (int g = 0; g < groups; g++) {
            double h = n / size[g];
            double pseudo = -(h - 1) * (without[g] - whole);
            sum += (pseudo - centre) * (pseudo - centre) / (h - 1);
        }
        return Math.sqrt(sum / groups);
    }
}
