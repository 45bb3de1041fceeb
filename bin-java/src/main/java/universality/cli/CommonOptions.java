package universality.cli;

import picocli.CommandLine.Option;

/** What every command has. */
final class CommonOptions {
    /** Seen by {@link LogSettings} before options are parsed. */
    @Option(names = "--debug", description = "log everything to standard error, and stack traces of failures")
    private boolean debug;

    @Option(names = "--help", usageHelp = true, description = "show this help")
    private boolean help;
}
