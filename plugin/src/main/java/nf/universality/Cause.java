package nf.universality;

import java.util.Locale;
import universality.data.ExitCode;

/** Why a try of a task ended without a result. The words are those of run.json and tasks.csv (docs/output.md). */
public final class Cause {
    /** Nextflow's exit code of a job of which it lost track, and of a task that never began. */
    static final int LOST = Integer.MAX_VALUE;

    private Cause() {}

    /**
     * The cause that an exit code stands for: those that are tried again by what is done about them, others by the name of
     * the tools' exit code, {@code other} where the tools know none.
     *
     * @param aborted whether Nextflow itself ended the task, because the run was over
     */
    public static String of(int exit, boolean aborted) {
        if (aborted) {
            return "aborted";
        }
        return switch (exit) {
            case 71, 137 -> "memory";
            case 76 -> "device_memory";
            case 140 -> "time_limit";
            case 143, LOST -> "killed";
            default -> named(exit);
        };
    }

    private static String named(int exit) {
        for (ExitCode code : ExitCode.values()) {
            if (code.status() == exit && code != ExitCode.OK) {
                return code.name().toLowerCase(Locale.ROOT);
            }
        }
        return "other";
    }
}
