/*
 * Many readers of one feed: what they receive, how late, and what is missing.
 *
 *   readers --port N [--readers 1000] [--stopped 0] [--interval-us 0] [--notices 0] [--pace 0] --path /records
 *
 * Opens the readers, prints "open", and then obeys lines on its standard input; one thread, one epoll loop:
 *
 *   run SECONDS     reads for that long, or until all have ended, and prints a line of JSON about this time
 *
 * A record is a line that begins with {"seq":N,"due":D; D is when it was due, in nanoseconds of CLOCK_MONOTONIC, so `now - D` is
 * its delay. The first --stopped readers never read. After a gap in the numbers the line before must be weir's notice with its
 * exact size (--notices 1 asks for them); `unreported` counts gaps without one. With --pace N each asks for N records a second.
 */
#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE 600
#define BUCKETS 2000000 /* of a microsecond */

struct reader {
    bool is_open, is_stopped;
    char line[LINE]; /* the begin of the present one */
    int size;
    int64_t next;     /* the number that follows; -1 before the first */
    int64_t reported; /* by a notice since the last record */
    bool ends_whole;  /* the last line was that of the last chunk, or of its end */
};

struct total {
    int64_t records, lost, reported, gaps, unreported, disorder, ended, complete;
    int64_t last_end;              /* when the last one ended */
    int64_t least_last, most_last; /* the numbers of the last records of those that ended */
    int64_t delays[BUCKETS];
};

static int epoll;
static struct reader *readers; /* by descriptor */
static struct total total;
static char buffer[256 << 10];

static void took_record(struct reader *reader, int64_t number, int64_t due)
{
    if (reader->next >= 0 && number > reader->next) {
        total.gaps++;
        total.lost += number - reader->next;
        if (reader->reported != number - reader->next)
            total.unreported++;
    } else if (reader->next >= 0 && number < reader->next) {
        total.disorder++;
    }
    total.reported += reader->reported;
    reader->reported = 0;
    reader->next = number + 1;
    total.records++;
    int64_t late = due ? (now_ns() - due) / 1000 : 0;
    total.delays[late < 0 ? 0 : late < BUCKETS ? late : BUCKETS - 1]++;
}

static void took_line(struct reader *reader)
{
    int64_t number, due;
    const char *lost;
    reader->line[reader->size] = 0;
    if (sscanf(reader->line, "{\"seq\":%" SCNd64 ",\"due\":%" SCNd64, &number, &due) == 2)
        took_record(reader, number, due);
    else if (reader->line[0] == '{' && (lost = strstr(reader->line, "\"records\":")))
        reader->reported += atoll(lost + strlen("\"records\":"));
    reader->ends_whole = !strcmp(reader->line, "0\r") || (reader->ends_whole && !strcmp(reader->line, "\r"));
}

static void took(struct reader *reader, const char *bytes, const char *end)
{
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        int64_t count = (newline ? newline : end) - bytes;
        int64_t room = LINE - 1 - reader->size;
        memcpy(reader->line + reader->size, bytes, (size_t)(count < room ? count : room));
        reader->size += (int)(count < room ? count : room);
        if (!newline)
            return;
        took_line(reader);
        reader->size = 0;
        bytes = newline + 1;
    }
}

static void read_all(int fd)
{
    struct reader *reader = &readers[fd];
    ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0)
        return took(reader, buffer, buffer + count);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    reader->is_open = false;
    total.ended++;
    total.complete += reader->ends_whole;
    total.last_end = now_ns();
    if (total.ended == 1 || reader->next - 1 < total.least_last)
        total.least_last = reader->next - 1;
    if (total.ended == 1 || reader->next - 1 > total.most_last)
        total.most_last = reader->next - 1;
    close(fd);
}

static void open_reader(uint16_t port, const char *path, bool is_stopped, const char *fields)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        give_up("connect");
    readers = allocate(readers, (size_t)fd + 1, sizeof *readers);
    readers[fd] = (struct reader){.is_open = true, .is_stopped = is_stopped, .next = -1};
    int size = snprintf(buffer, sizeof buffer, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", path,
                        fields);
    if (send(fd, buffer, (size_t)size, MSG_NOSIGNAL) != size)
        give_up("send");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (!is_stopped && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        give_up("epoll_ctl");
}

/* Reads what has arrived until an instant, or until `stop` readers have ended. */
static void read_until(int64_t end, int64_t stop)
{
    struct epoll_event events[MAX_EVENTS];
    while (now_ns() < end && total.ended < stop) {
        int count = wait_until(epoll, events, end);
        for (int i = 0; i < count; i++)
            read_all(events[i].data.fd);
    }
}

static double percentile(double share)
{
    int64_t count = (int64_t)((double)total.records * share), at = 0;
    while (at < BUCKETS - 1 && (count -= total.delays[at]) >= 0)
        at++;
    return (double)at / 1000;
}

static void report(int64_t began)
{
    printf("{\"seconds\":%.6f,\"records\":%" PRId64 ",\"lost\":%" PRId64 ",\"reported\":%" PRId64 ",\"gaps\":%" PRId64
           ",\"unreported\":%" PRId64 ",\"disorder\":%" PRId64 ",\"ended\":%" PRId64 ",\"complete\":%" PRId64
           ",\"last_end\":%" PRId64 ",\"least_last\":%" PRId64 ",\"most_last\":%" PRId64 ",\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f}\n",
           (double)(now_ns() - began) / NS_PER_S, total.records, total.lost, total.reported, total.gaps,
           total.unreported, total.disorder, total.ended, total.complete, total.last_end, total.least_last,
           total.most_last, percentile(0.5), percentile(0.99), percentile(0.999));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int64_t count = (int64_t)number_option(argc, argv, "--readers", 1000);
    int64_t stopped = (int64_t)number_option(argc, argv, "--stopped", 0);
    int64_t interval = (int64_t)(number_option(argc, argv, "--interval-us", 0) * 1000);
    bool wants_notices = number_option(argc, argv, "--notices", 0) > 0;
    int64_t pace = (int64_t)number_option(argc, argv, "--pace", 0);
    uint16_t port = (uint16_t)number_option(argc, argv, "--port", 0);
    const char *path = "/records";
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--path"))
            path = argv[i + 1];
    char fields[128], limit[64] = "";
    if (pace > 0)
        snprintf(limit, sizeof limit, "X-Stream-Rate-Limit: %" PRId64 "/second\r\n", pace);
    snprintf(fields, sizeof fields, "%s%s", limit, wants_notices ? "Prefer: stream-notices\r\n" : "");
    raise_descriptor_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int64_t i = 0; i < count; i++) {
        open_reader(port, path, i < stopped, fields);
        read_until(now_ns() + interval, INT64_MAX);
    }
    printf("open\n");
    fflush(stdout);
    char line[64];
    double seconds;
    int64_t all = count - stopped;
    while (fgets(line, sizeof line, stdin) && sscanf(line, "run %lf", &seconds) == 1) {
        int64_t began = now_ns();
        memset(&total, 0, offsetof(struct total, ended));
        memset(total.delays, 0, sizeof total.delays);
        read_until(began + (int64_t)(seconds * NS_PER_S), all);
        report(began);
    }
}
