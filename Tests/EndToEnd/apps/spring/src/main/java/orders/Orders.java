package orders;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.reactive.context.ReactiveWebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;

/** The orders API as Spring's documentation would write it: a Flux of objects, produced as NDJSON, on reactor-netty. */
@SpringBootApplication
@RestController
public class Orders {
  record Order(int orderId, String status, String customer, int total) {}

  record Note(int orderId, String note) {}

  private final Map<String, AtomicInteger> made = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> ended = new ConcurrentHashMap<>();

  private static AtomicInteger counter(Map<String, AtomicInteger> counters, String tag) {
    return counters.computeIfAbsent(tag, ignored -> new AtomicInteger());
  }

  @GetMapping(path = "/v1/orders/stream", produces = MediaType.APPLICATION_NDJSON_VALUE)
  Flux<Order> stream(@RequestParam(defaultValue = "10000") int items) {
    return Flux.range(1, items).map(number -> new Order(number, "shipped", "Zoë " + number, number * 3));
  }

  @GetMapping(path = "/v1/orders/events", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
  Flux<Order> events(@RequestParam(defaultValue = "10000") int items) {
    return stream(items);
  }

  /** Without an end; counts what it makes. */
  @GetMapping(path = "/v1/firehose", produces = MediaType.APPLICATION_NDJSON_VALUE)
  Flux<Note> firehose(@RequestParam String tag) {
    String note = "x".repeat(200);
    return Flux.<Note, Integer>generate(
            () -> 1,
            (number, sink) -> {
              counter(made, tag).incrementAndGet();
              sink.next(new Note(number, note));
              return number + 1;
            })
        .doFinally(signal -> counter(ended, tag).incrementAndGet());
  }

  @GetMapping(path = "/v1/breaks-off", produces = MediaType.APPLICATION_NDJSON_VALUE)
  Flux<Order> breaksOff(@RequestParam int after) {
    return stream(after).concatWith(Flux.error(new IllegalStateException("the database has gone away")));
  }

  @GetMapping("/stats")
  Map<String, Integer> stats(@RequestParam String tag) {
    return Map.of("made", counter(made, tag).get(), "ended", counter(ended, tag).get());
  }

  @EventListener
  void listening(ReactiveWebServerInitializedEvent event) {
    System.out.println("http://127.0.0.1:" + event.getWebServer().getPort());
  }

  public static void main(String[] arguments) {
    SpringApplication.run(Orders.class, "--server.port=0", "--server.address=127.0.0.1", "--spring.main.banner-mode=off");
  }
}
