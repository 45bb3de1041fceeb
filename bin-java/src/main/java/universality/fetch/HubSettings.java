package universality.fetch;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.ToolException;

/**
 * Where the hub is, where its files are kept, and how patient to be. The variables of the environment are those of Hugging
 * Face's own library, with its meanings.
 *
 * @param endpoint address of the hub, without a slash at its end
 * @param token the user's; sent to the endpoint only
 * @param offline use what is in the cache, contact nobody
 * @param cache root of the hub's cache
 * @param verified root of this program's folders of links into it
 * @param proxies HTTP proxies to use
 */
public record HubSettings(
        URI endpoint,
        Token token,
        boolean offline,
        Path cache,
        Path verified,
        ProxyEnvironment proxies,
        Patience patience) {
    /** The hub where {@code HF_ENDPOINT} names no other. */
    private static final String DEFAULT_ENDPOINT = "https://huggingface.co";

    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)\\}|(\\w+))");

    /** A secret. Its text never shows it. */
    public static final class Token {
        private final String value;

        Token(String value) {
            this.value = value;
        }

        String header() {
            return "Bearer " + value;
        }

        boolean isPresent() {
            return value != null;
        }

        @Override
        public String toString() {
            return isPresent() ? "(set)" : "(not set)";
        }
    }

    /**
     * How long to wait for what.
     *
     * @param parallel files downloaded at once
     * @param retries tries after the first one that brought nothing
     * @param connect longest time to connect
     * @param stall longest time without (worthwhile) data
     * @param backoff wait before the first retry; doubled each time
     * @param lock longest wait for another process that makes no progress
     * @param sleeper how to wait
     */
    public record Patience(
            int parallel,
            int retries,
            Duration connect,
            Duration stall,
            Duration backoff,
            Duration lock,
            Sleeper sleeper) {
        /** The patience of the command line. */
        public static Patience of(int parallel, int retries, Duration stall) {
            Duration connect = stall.compareTo(Duration.ofSeconds(15)) < 0 ? stall : Duration.ofSeconds(15);
            return new Patience(
                    parallel,
                    retries,
                    connect,
                    stall,
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(10),
                    duration -> Thread.sleep(duration.toMillis()));
        }
    }

    /** Waits. */
    @FunctionalInterface
    public interface Sleeper {
        void sleep(Duration duration) throws InterruptedException;
    }

    /**
     * What the environment says.
     *
     * @param environment its variables
     * @param cache the root of all caches where the user names one, else null
     * @param offline whether the user asks for it; the environment may, too
     * @throws ToolException (usage) if a variable makes no sense
     */
    public static HubSettings of(Map<String, String> environment, Path cache, boolean offline, Patience patience) {
        Path hub = cache != null ? cache : path(environment, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "hub");
        Path verified = cache != null
                ? cache
                : path(environment, "HF_ASSETS_CACHE", "HUGGINGFACE_ASSETS_CACHE", "assets")
                        .resolve("universality");
        return new HubSettings(
                endpoint(environment.getOrDefault("HF_ENDPOINT", "")),
                token(environment.getOrDefault("HF_TOKEN", "")),
                offline || isTrue(environment, "HF_HUB_OFFLINE") || isTrue(environment, "TRANSFORMERS_OFFLINE"),
                hub.toAbsolutePath().normalize(),
                verified.toAbsolutePath().normalize(),
                ProxyEnvironment.of(environment),
                patience);
    }

    private static boolean isTrue(Map<String, String> environment, String name) {
        return TRUE.contains(environment.getOrDefault(name, "").toUpperCase(Locale.ROOT));
    }

    private static URI endpoint(String given) {
        String text = (given.isBlank() ? DEFAULT_ENDPOINT : given.strip()).replaceFirst("/+$", "");
        try {
            URI uri = new URI(text);
            if (uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw ToolException.usage(
                "HF_ENDPOINT is not an address such as https://HOST: leave it unset, or give one without a user's name");
    }

    private static Token token(String given) {
        String text = given.strip();
        if (text.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw ToolException.usage("HF_TOKEN holds characters that no token has: set it to the token alone");
        }
        return new Token(text.isEmpty() ? null : text);
    }

    /** The first of two variables that is set, else a folder of the Hugging Face home. */
    private static Path path(Map<String, String> environment, String name, String oldName, String folder) {
        for (String variable : new String[] {name, oldName}) {
            String value = environment.getOrDefault(variable, "");
            if (!value.isBlank()) {
                return expanded(environment, value);
            }
        }
        return home(environment).resolve(folder);
    }

    private static Path home(Map<String, String> environment) {
        String home = environment.getOrDefault("HF_HOME", "");
        if (!home.isBlank()) {
            return expanded(environment, home);
        }
        String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
        return expanded(environment, caches.isBlank() ? "~/.cache" : caches).resolve("huggingface");
    }

    /** A path with a leading {@code ~} and variables replaced, as Hugging Face's library does. */
    private static Path expanded(Map<String, String> environment, String value) {
        String user = environment.getOrDefault("HOME", System.getProperty("user.home"));
        String text = value.equals("~") || value.startsWith("~/") ? user + value.substring(1) : value;
        return Path.of(VARIABLE.matcher(text).replaceAll(match -> {
            String name = match.group(1) != null ? match.group(1) : match.group(2);
            return Matcher.quoteReplacement(environment.getOrDefault(name, match.group()));
        }));
    }
}
