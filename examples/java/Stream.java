import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Writes each record of a stream to standard output: java Stream.java URL. The exit status is 0 only if all arrived. */
class Stream {
    static final HttpClient client = HttpClient.newHttpClient();
    static String stream = null;
    static int received = 0, retries = 0;

    public static void main(String[] arguments) throws InterruptedException {
        var url = URI.create(arguments[0]);
        while (retries++ <= 10) { // without a new record in between
            try {
                if (follow(url)) return;
            } catch (IOException | UncheckedIOException error) {
                System.err.println("stream: " + error + " after " + received + " records");
                if (received > 0 && stream == null) fail("truncated after " + received + " records");
                Thread.sleep(100);
            }
        }
        fail("gave up after " + received + " records");
    }

    /** Reads from one connection; returns whether the response was complete. A truncated one throws an exception. */
    static boolean follow(URI url) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(url).header("X-Stream-Rate-Limit", "50/second");
        if (stream != null) request.header("X-Stream-Resume", stream + "; after=" + received);
        var response = client.send(request.build(), BodyHandlers.ofLines());
        if (response.statusCode() == 429 || response.statusCode() == 503) {
            var seconds = response.headers().firstValueAsLong("Retry-After").orElse(1);
            System.err.println("stream: " + response.statusCode() + ", next attempt in " + seconds + " s");
            Thread.sleep(seconds * 1000); // an earlier attempt would be rejected as well
            return false;
        }
        if (response.statusCode() != 200)
            fail(stream == null ? "status " + response.statusCode() : "truncated after " + received + " records");
        stream = response.headers().firstValue("X-Stream-Id").orElse(null);
        response.body().filter(line -> !line.isEmpty()).forEach(line -> { // an empty line is a heartbeat
            System.out.println(line);
            retries = 0;
            if (++received == 1 && stream != null) { // weir then sends at most one record in this time
                var feedback = HttpRequest.newBuilder(url.resolve("/v1/streams/" + stream + "/feedback"));
                var body = HttpRequest.BodyPublishers.ofString("{\"processingDelay\":\"5ms\"}");
                client.sendAsync(feedback.POST(body).build(), BodyHandlers.discarding());
            }
        });
        System.err.println("stream: complete, " + received + " records");
        return true;
    }

    static void fail(String reason) {
        System.err.println("stream: " + reason);
        System.exit(1);
    }
}
