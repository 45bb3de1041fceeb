package universality.fetch;

import java.io.IOException;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.ExitCode;
import universality.data.ToolException;

/** An answer of the hub, or of a host that it sent us to, that is not the content asked for. */
final class HubStatus extends IOException {
    private static final long serialVersionUID = 1L;
    private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
    /** The hub's own limit: {@code ratelimit: "api";r=0;t=55}, nothing remaining for 55 seconds. */
    private static final Pattern EXHAUSTED = Pattern.compile(".*;\\s*r=0\\s*;\\s*t=(\\d{1,9}).*");

    private final int status;
    private final transient HttpHeaders headers;

    HubStatus(int status, String host, HttpHeaders headers) {
        super(host + " answered " + status);
        this.status = status;
        this.headers = headers;
    }

    int status() {
        return status;
    }

    /** What the hub says is missing: {@code RepoNotFound}, {@code RevisionNotFound}, {@code EntryNotFound}; else empty. */
    String code() {
        return headers.firstValue("X-Error-Code").orElse("");
    }

    /** Whether the same request may succeed later. */
    boolean isPassing() {
        return PASSING.contains(status);
    }

    /** How long the server asks to be left alone, zero where it does not say. */
    Duration retryAfter() {
        String text = headers.firstValue("Retry-After").orElse("").strip();
        if (text.matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(text));
        }
        try {
            if (!text.isEmpty()) {
                Instant then = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                        .toInstant();
                Duration left = Duration.between(Instant.now(), then);
                return left.isNegative() ? Duration.ZERO : left;
            }
        } catch (DateTimeException e) {
            // neither of the two forms: as if it were not there
        }
        Matcher limit = EXHAUSTED.matcher(headers.firstValue("ratelimit").orElse(""));
        return limit.matches() ? Duration.ofSeconds(Long.parseLong(limit.group(1))) : Duration.ZERO;
    }

    /** The failure to report where trying again is no use. */
    ToolException failure(String what, boolean token) {
        if (status == 401 || status == 403) {
            String advice = token
                    ? "HF_TOKEN was sent and is not enough: check the name, that the token is valid and may read it, and for"
                            + " gated access accept the conditions on the repository's page"
                    : "check the name; if it is private or gated, set HF_TOKEN (and accept the conditions on the"
                            + " repository's page)";
            return new ToolException(ExitCode.REFUSED, what + " is refused (" + getMessage() + "): " + advice, this);
        }
        if (status == 404) {
            return new ToolException(ExitCode.MISSING_INPUT, what + " is not there (" + getMessage() + ")", this);
        }
        return new ToolException(
                ExitCode.UNAVAILABLE, what + " cannot be had (" + getMessage() + "); trying again is no use", this);
    }
}
