package universality.cli;

import java.util.Arrays;

/** Sets up slf4j's simple logger before its first use: warnings, or everything with {@code --debug}; to standard error. */
final class LogSettings {
    private LogSettings() {}

    static boolean debug(String... arguments) {
        return Arrays.asList(arguments).contains("--debug");
    }

    static void apply(String... arguments) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", debug(arguments) ? "debug" : "warn");
        // without a GPU the engine warns of that at every start
        System.setProperty("org.slf4j.simpleLogger.log.ai.djl.util.cuda", debug(arguments) ? "debug" : "error");
        System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
        System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
    }
}
