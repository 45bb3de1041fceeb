package universality.data;

/** What a tool's exit status means; the workflow decides by it whether a task is tried again (docs/usage.md). */
public enum ExitCode {
    OK(0),
    /** The command line or a parameter is wrong. */
    USAGE(64),
    /** Corrupt, inconsistent or not finite data. */
    BAD_DATA(65),
    /** A file or folder that should be there is not. */
    MISSING_INPUT(66),
    /** A service stayed down after retries. */
    UNAVAILABLE(69),
    /** A defect of this program. */
    INTERNAL(70),
    /** Not enough memory on the host. */
    HOST_MEMORY(71),
    /** Disk full, no permission, or the output exists already. */
    CANNOT_WRITE(73),
    /** A passing failure (network, lock): the same call may work later. */
    TRY_AGAIN(75),
    /** Not enough memory on the device. */
    DEVICE_MEMORY(76),
    /** A service refused (401, 403). */
    REFUSED(77);

    private final int status;

    ExitCode(int status) {
        this.status = status;
    }

    /** The process exit status, 0 to 77. */
    public int status() {
        return status;
    }
}
