/* The request of `instructions` through libcurl's multi interface, and nothing else: what a request costs at least.
 *
 * A child process is the origin. The options, the header and the way the easy handle is used again are weir's; the head is not
 * looked at. Linux only. */
#include "common.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: bench\r\n\r\n"
    "{\"id\":4711,\"name\":\"a small response\",\"tags\":[\"of\",\"about\",\"one\",\"hundred\",\"bytes\"],\"ok\":true,\"n\":1}\n";

/* As weir's HeaderList. */
static const char *const items[] = {
    "Host:",
    "Host: example.com\r\nuser-agent: bench/1\r\naccept: */*\r\naccept-encoding: gzip, deflate, br\r\nVia: 1.1 weir\r\n"
    "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\n"
    "Forwarded: for=127.0.0.1;host=\"example.com\";proto=http\r\n"
    "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-00",
    "Accept:",
};

static int set;
/* Milliseconds until libcurl is to be called without an event; -1 for never. */
static long timeout;

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    *(size_t *)context += size * count;
    return size * count;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *state)
{
    (void)easy, (void)context, (void)state;
    struct epoll_event event = {.events = what & CURL_POLL_OUT ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.fd = fd};
    /* As in weir, a socket that libcurl drops stays in the set: mostly the next request uses it. */
    if (what != CURL_POLL_REMOVE && epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
        give_up("epoll_ctl");
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *context)
{
    (void)multi, (void)context;
    timeout = milliseconds;
    return 0;
}

static _Noreturn void serve(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = accept(listener, NULL, NULL);
    char bytes[4096];
    size_t held = 0;
    for (ssize_t count; (count = read(fd, bytes + held, sizeof bytes - held)) > 0;) {
        held += (size_t)count;
        if (held < 4 || memcmp(bytes + held - 4, "\r\n\r\n", 4))
            continue;
        held = 0;
        if (write(fd, response, sizeof response - 1) < 0)
            break;
    }
    _exit(0);
}

/* One request; returns the bytes of its response's body. */
static size_t request(CURLM *multi, CURL *easy)
{
    size_t body = 0;
    int running = 1, left;
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    if (curl_multi_add_handle(multi, easy))
        give_up("curl_multi_add_handle");
    while (running) {
        struct epoll_event event;
        if (epoll_wait(set, &event, 1, (int)timeout) != 1) {
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
            continue;
        }
        int ready = (event.events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi, event.data.fd, ready, &running);
    }
    CURLMsg *message = curl_multi_info_read(multi, &left);
    if (!message || message->data.result)
        give_up(message ? curl_easy_strerror(message->data.result) : "curl_multi_info_read");
    curl_multi_remove_handle(multi, easy);
    return body;
}

int main(int argc, char **argv)
{
    long requests = (long)number_option(argc, argv, "--requests", 1000);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 8) ||
        getsockname(listener, (struct sockaddr *)&address, &length))
        give_up("a listening socket");
    if (!fork())
        serve(listener);

    struct curl_slist *list = NULL;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        list = curl_slist_append(list, items[i]);
    size_t heads = 0;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    set = epoll_create1(EPOLL_CLOEXEC);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    CURLU *parsed = curl_url();
    curl_url_set(parsed, CURLUPART_URL, url, 0);
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_CURLU, parsed);
    curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, "/small");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &heads);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 32768L);
    for (long i = 0; i < requests; i++) {
        if (request(multi, easy) != 100) {
            fprintf(stderr, "another body than the origin's\n");
            return 1;
        }
    }
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_url_cleanup(parsed);
    curl_slist_free_all(list);
    return 0;
}
