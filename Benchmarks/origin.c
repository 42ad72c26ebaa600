/*
 * An upstream that always has the next record, and counts what it could send.
 *
 *   origin [--port 0] [--record-bytes 256] [--send-buffer 0]
 *
 * Listens on 127.0.0.1, prints "listening on PORT" and serves until it is killed; one thread, one epoll loop.
 *
 *   GET /records           an endless NDJSON stream, as fast as the peer takes it
 *   GET /paced?rate=R      the same at R records a second, each sent at its due time: what pace.c sees without a proxy
 *   HEAD of these          their head, behind which it closes
 *   POST                   reads the body and waits for its end, which need not come
 *   GET /stats             the open streams and what the kernel has taken of them
 *
 * A record is one line of --record-bytes, newline included, in a chunk of its own, as most frameworks send it:
 *   {"seq":<n from 0>,"due":<when it was due, 0 if at no time>,"pad":"xxx..."}\n
 * Its bytes follow from its number, so a stream is known by how many bytes of it were sent, and holds no buffer.
 */
#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGEST_RECORD (1 << 20)
#define SMALLEST_RECORD 64
#define BATCH (64 << 10)
#define RETRY_NS 5000000

enum kind { READING, WAITING, ENDLESS, PACED };

struct stream {
    enum kind kind;
    bool is_open;
    char head[32768]; /* of the request */
    size_t head_size;
    int64_t sent;  /* bytes of the body */
    int64_t first; /* when a paced stream began */
    int64_t spacing;
};

static const char response_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";

static int epoll;
static struct stream *streams; /* by descriptor */
static int stream_capacity;
static int open_limit; /* above the highest descriptor in use */
static size_t record_size, framed_size;
static int send_buffer;
static char *batch; /* room for BATCH and one record more */

/* Writes record `number` of a stream with its chunk framing, framed_size bytes. */
static void put_record(char *to, const struct stream *stream, int64_t number)
{
    char *at = to + sprintf(to, "%zx\r\n", record_size);
    char *record = at;
    int64_t due = stream->kind == PACED ? stream->first + number * stream->spacing : 0;
    at += sprintf(at, "{\"seq\":%" PRId64 ",\"due\":%" PRId64 ",\"pad\":\"", number, due);
    size_t pad = record_size - (size_t)(at - record) - 3;
    memset(at, 'x', pad);
    memcpy(at + pad, "\"}\n\r\n", 5);
}

static void close_stream(int fd)
{
    streams[fd].is_open = false;
    close(fd);
}

static void watch(int fd, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, operation, fd, &event))
        give_up("epoll_ctl");
}

/* Sends up to `limit` bytes of the body from the position of the stream; false where the peer takes no more. */
static bool send_body(int fd, int64_t limit)
{
    struct stream *stream = &streams[fd];
    int64_t size = (int64_t)framed_size;
    int64_t skip = stream->sent % size;
    int64_t filled = 0;
    for (int64_t number = stream->sent / size; filled < skip + limit && filled < BATCH + size; number++) {
        put_record(batch + filled, stream, number);
        filled += size;
    }
    int64_t ready = filled - skip < limit ? filled - skip : limit;
    ssize_t taken = send(fd, batch + skip, (size_t)ready, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0) {
        if (errno != EAGAIN && errno != EINTR)
            close_stream(fd);
        return false;
    }
    stream->sent += taken;
    return taken == ready;
}

/* When the next record of a paced stream is due. */
static int64_t next_due(const struct stream *stream)
{
    return stream->first + stream->sent / (int64_t)framed_size * stream->spacing;
}

/* Sends what is due on every paced stream; returns when to come again. A scan costs less than a heap is worth here. */
static int64_t send_due(void)
{
    int64_t earliest = INT64_MAX;
    int64_t now = now_ns();
    for (int fd = 0; fd < open_limit; fd++) {
        struct stream *stream = &streams[fd];
        while (stream->is_open && stream->kind == PACED && next_due(stream) <= now) {
            int64_t begun = stream->sent % (int64_t)framed_size;
            if (!send_body(fd, (int64_t)framed_size - begun))
                break;
        }
        if (!stream->is_open || stream->kind != PACED)
            continue;
        int64_t due = next_due(stream);
        if (due <= now) /* the peer takes no more */
            due = now + RETRY_NS;
        if (due < earliest)
            earliest = due;
    }
    return earliest;
}

static void answer_stats(int fd)
{
    int64_t count = 0, least = INT64_MAX, most = 0, sum = 0;
    for (int other = 0; other < open_limit; other++) {
        const struct stream *stream = &streams[other];
        if (!stream->is_open || stream->kind < ENDLESS)
            continue;
        int64_t payload = stream->sent / (int64_t)framed_size * (int64_t)record_size;
        count++;
        sum += payload;
        if (payload < least)
            least = payload;
        if (payload > most)
            most = payload;
    }
    char body[256], answer[512];
    int size = snprintf(body, sizeof body,
                        "{\"streams\":%" PRId64 ",\"least_bytes\":%" PRId64 ",\"most_bytes\":%" PRId64
                        ",\"all_bytes\":%" PRId64 ",\"send_buffer\":%d}\n",
                        count, count ? least : 0, most, sum, send_buffer);
    size = snprintf(answer, sizeof answer,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                    "Connection: close\r\n\r\n%s", size, body);
    send(fd, answer, (size_t)size, MSG_NOSIGNAL);
    close_stream(fd);
}

static void answer(int fd)
{
    struct stream *stream = &streams[fd];
    if (!strncmp(stream->head, "GET /stats ", 11))
        return answer_stats(fd);
    if (!strncmp(stream->head, "POST ", 5)) {
        stream->kind = WAITING;
        return;
    }
    double rate = 0;
    bool is_paced = sscanf(stream->head, "GET /paced?rate=%lf ", &rate) == 1 && rate > 0;
    send(fd, response_head, sizeof response_head - 1, MSG_NOSIGNAL);
    if (!strncmp(stream->head, "HEAD ", 5)) {
        close_stream(fd);
    } else if (is_paced) {
        stream->kind = PACED;
        stream->spacing = (int64_t)((double)NS_PER_S / rate);
        stream->first = now_ns();
    } else {
        stream->kind = ENDLESS;
        watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
}

static void read_request(int fd)
{
    struct stream *stream = &streams[fd];
    if (stream->kind != READING) {
        char body[4096];
        ssize_t taken = recv(fd, body, sizeof body, MSG_DONTWAIT);
        if (!taken || (taken < 0 && errno != EAGAIN && errno != EINTR))
            close_stream(fd);
        return;
    }
    char *end = stream->head + stream->head_size;
    size_t room = sizeof stream->head - 1 - stream->head_size;
    ssize_t got = recv(fd, end, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        return close_stream(fd); /* the peer left, or sent too long a head */
    end[got] = 0;
    stream->head_size += (size_t)got;
    if (strstr(stream->head, "\r\n\r\n"))
        answer(fd);
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= stream_capacity) {
            stream_capacity = 2 * fd + 64;
            streams = allocate(streams, (size_t)stream_capacity, sizeof *streams);
        }
        for (; open_limit <= fd; open_limit++)
            streams[open_limit].is_open = false;
        streams[fd] = (struct stream){.kind = READING, .is_open = true};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static int listen_on(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (send_buffer) /* inherited by what is accepted; the kernel doubles it for its bookkeeping */
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 65535) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        give_up("listen");
    socklen_t length = sizeof send_buffer;
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, &length);
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    record_size = (size_t)number_option(argc, argv, "--record-bytes", 256);
    send_buffer = (int)number_option(argc, argv, "--send-buffer", 0);
    if (record_size < SMALLEST_RECORD || record_size > LARGEST_RECORD) {
        fprintf(stderr, "--record-bytes is from %d to %d\n", SMALLEST_RECORD, LARGEST_RECORD);
        return 2;
    }
    framed_size = record_size + (size_t)snprintf(NULL, 0, "%zx", record_size) + 4;
    batch = allocate(NULL, BATCH + 2 * framed_size, 1);
    raise_descriptor_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on((uint16_t)number_option(argc, argv, "--port", 0));
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    struct epoll_event events[MAX_EVENTS];
    for (int64_t due = INT64_MAX;; due = send_due()) {
        int count = wait_until(epoll, events, due);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
                continue;
            }
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                read_request(fd);
            if (events[i].events & EPOLLOUT && streams[fd].is_open)
                send_body(fd, BATCH);
        }
    }
}
