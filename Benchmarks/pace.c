/*
 * Opens many metered streams and says how well each keeps its pace.
 *
 *   pace --url http://127.0.0.1:PORT/PATH [--streams 1000] [--rate 10] [--ramp 5] [--seconds 10]
 *
 * Each stream asks for `X-Stream-Rate-Limit: RATE/second`, with a key of its own (`X-Api-Key: pace-N`). The streams begin one after the other over --ramp seconds,
 * at uneven distances, so that they do not beat in time; the window opens when all have begun and lasts --seconds.
 * Lines of standard output: "window opens", "window closes" (for the driver, which samples the proxy's CPU time), then one object
 * of JSON:
 *
 *   began, refused     streams whose first record came; that were answered something other than 200
 *   failed             streams that could not connect, or had no record ten seconds after the ramp
 *   broken_off         streams that ended although the origin's have no end
 *   records            that came in the window, of all streams; window_seconds is how long it was
 *   rate_error_percent |measured rate / asked rate - 1| of each stream in the window: of the median and the worst one
 *   off_by_1_percent   streams whose rate is wrong by more than that
 *   deviation_ms       |arrival - due time| of every record but a stream's first, those of the ramp included; a record
 *                      is due at the arrival of the stream's first one plus its number times the spacing
 *   early_ms           the most that a record came before its due time
 *   early_by_1_ms      streams with a record that came earlier than that; since all of a stream's records are compared
 *                      with its first one, one that was held up itself makes all others look early
 *   sequence_gaps      records whose "seq" does not follow that of the one before
 *
 * A record arrives when the kernel puts its newline into the client's socket (SO_TIMESTAMPNS), so that it does not
 * count when this program was scheduled; of what one recvmsg() returns, the last packet's time holds for all.
 */
#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define GRACE_NS (10 * NS_PER_S) /* for the first records, once the last stream has been started */

enum phase { HEAD, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, OVER };

struct stream {
    int fd;
    enum phase phase;
    bool is_refused;
    unsigned terminator; /* how much of CRLF CRLF was seen */
    char line[40];       /* the beginning of the status line, then of each record */
    unsigned line_size;
    uint64_t chunk_left;
    uint64_t next_seq;
    int64_t records, first, last;
    int64_t earliest; /* the least deviation from the due time */
    int64_t window_records, window_first;
};

static struct stream *streams;
static int stream_count, started;
static int64_t spacing, window_opens = INT64_MAX, sequence_gaps;
static char request_head[1024]; /* without the line that names the stream, and the empty one */
static struct sockaddr_in address;
static int epoll;

static int64_t *deviations;
static size_t deviation_count, deviation_capacity;

static void note_deviation(struct stream *stream, int64_t deviation)
{
    if (deviation < stream->earliest)
        stream->earliest = deviation;
    if (deviation_count == deviation_capacity) {
        deviation_capacity = deviation_capacity ? 2 * deviation_capacity : 1 << 16;
        deviations = allocate(deviations, deviation_capacity, sizeof *deviations);
    }
    deviations[deviation_count++] = deviation;
}

static void record_arrived(struct stream *stream, int64_t now)
{
    uint64_t seq;
    stream->line[stream->line_size] = 0;
    stream->line_size = 0;
    if (sscanf(stream->line, "{\"seq\":%" SCNu64, &seq) == 1) {
        if (stream->records && seq != stream->next_seq)
            sequence_gaps++;
        stream->next_seq = seq + 1;
    }
    if (!stream->records) {
        stream->first = now;
    } else {
        note_deviation(stream, now - (stream->first + stream->records * spacing));
    }
    stream->records++;
    stream->last = now;
    if (now < window_opens)
        return;
    if (!stream->window_records)
        stream->window_first = now;
    stream->window_records++;
}

/* Keeps the beginning of a line, as far as there is room. */
static void keep_line(struct stream *stream, const char *bytes, size_t size)
{
    size_t room = sizeof stream->line - 1 - stream->line_size;
    size_t kept = size < room ? size : room;
    memcpy(stream->line + stream->line_size, bytes, kept);
    stream->line_size += (unsigned)kept;
}

static void head_byte(struct stream *stream, char byte)
{
    keep_line(stream, &byte, 1);
    stream->terminator = byte == "\r\n\r\n"[stream->terminator] ? stream->terminator + 1 : byte == '\r';
    if (stream->terminator < 4)
        return;
    stream->is_refused = strncmp(stream->line, "HTTP/1.1 200 ", 13) != 0;
    stream->phase = stream->is_refused ? OVER : CHUNK_SIZE;
    stream->line_size = 0;
    stream->chunk_left = 0;
}

static void size_byte(struct stream *stream, char byte)
{
    if (byte == '\n')
        stream->phase = stream->chunk_left ? CHUNK_DATA : OVER;
    else if (byte != '\r')
        stream->chunk_left = stream->chunk_left * 16 + (uint64_t)(byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
}

/* Takes what of a chunk is in `bytes`; returns how much that was. */
static size_t chunk_data(struct stream *stream, const char *bytes, size_t size, int64_t now)
{
    size_t take = size < stream->chunk_left ? size : stream->chunk_left;
    for (size_t at = 0; at < take;) {
        const char *newline = memchr(bytes + at, '\n', take - at);
        size_t end = newline ? (size_t)(newline - bytes) : take;
        keep_line(stream, bytes + at, end - at);
        if (newline)
            record_arrived(stream, now);
        at = newline ? end + 1 : end;
    }
    stream->chunk_left -= take;
    if (!stream->chunk_left)
        stream->phase = CHUNK_END;
    return take;
}

static void parse(struct stream *stream, const char *bytes, size_t size, int64_t now)
{
    for (size_t at = 0; at < size && stream->phase != OVER;) {
        switch (stream->phase) {
        case HEAD: head_byte(stream, bytes[at++]); break;
        case CHUNK_SIZE: size_byte(stream, bytes[at++]); break;
        case CHUNK_DATA: at += chunk_data(stream, bytes + at, size - at, now); break;
        case CHUNK_END: stream->phase = bytes[at++] == '\n' ? CHUNK_SIZE : CHUNK_END; break;
        case OVER: break;
        }
    }
}

/* When the kernel received what a message brought: its stamp is of CLOCK_REALTIME, and both clocks are read here. */
static int64_t arrival(struct msghdr *message)
{
    struct timespec wall, stamp;
    int64_t now = now_ns();
    clock_gettime(CLOCK_REALTIME, &wall);
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
        return now;
    memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    return now - ((wall.tv_sec - stamp.tv_sec) * NS_PER_S + wall.tv_nsec - stamp.tv_nsec);
}

static void readable(struct stream *stream)
{
    static char bytes[64 << 10];
    _Alignas(struct cmsghdr) char control[128];
    struct iovec into = {bytes, sizeof bytes};
    struct msghdr message = {
        .msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(stream->fd, &message, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        parse(stream, bytes, (size_t)got, arrival(&message));
    if (got > 0 && stream->phase != OVER)
        return;
    stream->phase = OVER;
    close(stream->fd);
}

/* Blocks, which on loopback ends at once. */
static void start(struct stream *stream)
{
    char request[sizeof request_head + 64];
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(stream->fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int));
    int number = (int)(stream - streams);
    size_t size = (size_t)snprintf(request, sizeof request, "%sX-Api-Key: pace-%d\r\n\r\n", request_head, number);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
    if (stream->fd >= 0 && !connect(stream->fd, (struct sockaddr *)&address, sizeof address) &&
        send(stream->fd, request, size, MSG_NOSIGNAL) == (ssize_t)size &&
        !epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event))
        return;
    stream->phase = OVER;
}

static bool waits_for_first_records(int64_t now, int64_t ramp_end)
{
    if (started < stream_count)
        return true;
    for (int i = 0; i < stream_count && now < ramp_end + GRACE_NS; i++) {
        if (!streams[i].records && streams[i].phase != OVER)
            return true;
    }
    return false;
}

/* When stream `number` is to be started: evenly over the ramp, but for a shift within its own share. */
static int64_t start_of(int number, int64_t begin, int64_t ramp)
{
    double shift = (double)((uint32_t)number * 2654435761u) / 4294967296.0; /* Knuth's multiplicative hash */
    return begin + (int64_t)((number + shift) * (double)ramp / stream_count);
}

/* Runs the ramp and the window; returns the window's end. */
static int64_t run(int64_t ramp, int64_t window)
{
    struct epoll_event events[MAX_EVENTS];
    int64_t begin = now_ns(), end = INT64_MAX;
    for (int64_t now = begin; now < end; now = now_ns()) {
        while (started < stream_count && start_of(started, begin, ramp) <= now)
            start(&streams[started++]);
        if (end == INT64_MAX && !waits_for_first_records(now, begin + ramp)) {
            window_opens = now;
            end = now + window;
            puts("window opens");
            fflush(stdout);
        }
        int64_t next = started < stream_count ? start_of(started, begin, ramp) : end;
        int64_t soon = now + NS_PER_S / 100; /* the streams that never begin are looked for that often */
        int count = wait_until(epoll, events, end == INT64_MAX && soon < next ? soon : next);
        for (int i = 0; i < count; i++)
            readable(events[i].data.ptr);
    }
    puts("window closes");
    fflush(stdout);
    return end;
}

/* Percent by which a stream missed its rate; of one that fell silent the silence counts. */
static double rate_error(const struct stream *stream, int64_t end)
{
    int64_t last = stream->last > end - 2 * spacing ? stream->last : end - spacing;
    if (stream->window_records < 2)
        return 100;
    double measured = (double)(stream->window_records - 1) / (double)(last - stream->window_first);
    double error = 100 * (measured * (double)spacing - 1);
    return error < 0 ? -error : error;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The least value that so many percent of the sorted ones do not exceed. */
static double percentile(const double *sorted, size_t count, double percent)
{
    if (!count)
        return 0;
    size_t rank = (size_t)(percent / 100 * (double)count + 0.999999);
    return sorted[rank ? rank - 1 : 0];
}

static void report_rates(int64_t end)
{
    double *errors = allocate(NULL, (size_t)stream_count, sizeof *errors);
    size_t count = 0;
    int off = 0;
    for (int i = 0; i < stream_count; i++) {
        if (!streams[i].records)
            continue;
        errors[count] = rate_error(&streams[i], end);
        off += errors[count++] > 1;
    }
    qsort(errors, count, sizeof *errors, by_size);
    printf("\"rate_error_percent\":{\"p50\":%.4f,\"max\":%.4f},\"off_by_1_percent\":%d,",
           percentile(errors, count, 50), percentile(errors, count, 100), off);
}

static void report_deviations(void)
{
    double *sizes = allocate(NULL, deviation_count + 1, sizeof *sizes);
    for (size_t i = 0; i < deviation_count; i++)
        sizes[i] = (double)llabs(deviations[i]) / 1e6;
    qsort(sizes, deviation_count, sizeof *sizes, by_size);
    printf("\"deviation_ms\":{\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p99.9\":%.3f,\"max\":%.3f},",
           percentile(sizes, deviation_count, 50), percentile(sizes, deviation_count, 90),
           percentile(sizes, deviation_count, 99), percentile(sizes, deviation_count, 99.9),
           percentile(sizes, deviation_count, 100));
}

static void report_early(void)
{
    int64_t earliest = 0;
    int early = 0;
    for (int i = 0; i < stream_count; i++) {
        early += streams[i].earliest < -NS_PER_S / 1000;
        if (streams[i].earliest < earliest)
            earliest = streams[i].earliest;
    }
    printf("\"early_ms\":%.3f,\"early_by_1_ms\":%d,", (double)-earliest / 1e6, early);
}

static void report(int64_t end)
{
    int64_t records = 0;
    int began = 0, refused = 0, broken_off = 0;
    for (int i = 0; i < stream_count; i++) {
        const struct stream *stream = &streams[i];
        records += stream->window_records;
        refused += stream->is_refused;
        broken_off += stream->phase == OVER && stream->records > 0;
        began += stream->records > 0;
    }
    printf("{\"streams\":%d,\"began\":%d,\"refused\":%d,\"failed\":%d,\"broken_off\":%d,", stream_count, began, refused,
           stream_count - began - refused, broken_off);
    printf("\"records\":%" PRId64 ",\"window_seconds\":%.3f,", records, (double)(end - window_opens) / NS_PER_S);
    report_rates(end);
    report_deviations();
    report_early();
    printf("\"sequence_gaps\":%" PRId64 "}\n", sequence_gaps);
}

int main(int argc, char **argv)
{
    unsigned port = 0;
    char path[512] = "/";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--url") && sscanf(argv[i + 1], "http://127.0.0.1:%5u%511s", &port, path) < 1)
            port = 0;
    }
    double rate = number_option(argc, argv, "--rate", 10);
    stream_count = (int)number_option(argc, argv, "--streams", 1000);
    if (!port || rate <= 0 || stream_count < 1) {
        fputs("pace --url http://127.0.0.1:PORT/PATH [--streams N] [--rate R] [--ramp S] [--seconds S]\n", stderr);
        return 2;
    }
    spacing = (int64_t)((double)NS_PER_S / rate);
    address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    snprintf(request_head, sizeof request_head,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-Stream-Rate-Limit: %.6g/second\r\n", path, port, rate);
    raise_descriptor_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    streams = calloc((size_t)stream_count, sizeof *streams);
    if (epoll < 0 || !streams)
        give_up("start");
    int64_t ramp = (int64_t)(number_option(argc, argv, "--ramp", 5) * NS_PER_S);
    report(run(ramp, (int64_t)(number_option(argc, argv, "--seconds", 10) * NS_PER_S)));
    return 0;
}
