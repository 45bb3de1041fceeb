package universality.data;

/**
 * A failure that the user can do something about. The message is one line: the value, what was expected, what to do. The
 * command line prints it and ends with {@link #code()}.
 */
public final class ToolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    public ToolException(ExitCode code, String message) {
        super(oneLine(message));
        this.code = code;
    }

    public ToolException(ExitCode code, String message, Throwable cause) {
        super(oneLine(message), cause);
        this.code = code;
    }

    /** What a broken file says must stay on one line and must not steer a terminal. */
    private static String oneLine(String message) {
        return message.replaceAll("\\R+", " ").replaceAll("[\\p{Cc}\\p{Cf}]", "?");
    }

    public ExitCode code() {
        return code;
    }

    /** {@link ExitCode#BAD_DATA} with a formatted message. */
    public static ToolException badData(String format, Object... arguments) {
        return new ToolException(ExitCode.BAD_DATA, String.format(java.util.Locale.ROOT, format, arguments));
    }

    /** {@link ExitCode#USAGE} with a formatted message. */
    public static ToolException usage(String format, Object... arguments) {
        return new ToolException(ExitCode.USAGE, String.format(java.util.Locale.ROOT, format, arguments));
    }

    /** {@link ExitCode#MISSING_INPUT} with a formatted message. */
    public static ToolException missing(String format, Object... arguments) {
        return new ToolException(ExitCode.MISSING_INPUT, String.format(java.util.Locale.ROOT, format, arguments));
    }
}
