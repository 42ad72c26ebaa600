#ifndef WEIR_CCURL_H
#define WEIR_CCURL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// libcurl's setters and getters are variadic functions, which Swift cannot call: one typed wrapper for each type of value.
// https://curl.se/libcurl/c/curl_easy_setopt.html

CURLcode weir_easy_set_long(CURL *easy, CURLoption option, long value);
CURLcode weir_easy_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode weir_easy_set_pointer(CURL *easy, CURLoption option, void *value);
CURLcode weir_easy_set_headers(CURL *easy, struct curl_slist *list);
CURLcode weir_easy_set_write(CURL *easy, curl_write_callback callback);
CURLcode weir_easy_set_offset(CURL *easy, CURLoption option, int64_t value);
CURLcode weir_easy_set_read(CURL *easy, curl_read_callback callback, void *context);
CURLcode weir_easy_set_seek(CURL *easy, curl_seek_callback callback, void *context);
CURLcode weir_easy_set_trailer(CURL *easy, curl_trailer_callback callback, void *context);
CURLcode weir_easy_set_prereq(CURL *easy, curl_prereq_callback callback);
CURLcode weir_easy_set_header(CURL *easy, curl_write_callback callback);
CURLcode weir_easy_set_sockopt(CURL *easy, curl_sockopt_callback callback, void *context);
CURLcode weir_easy_set_closesocket(CURL *easy, curl_closesocket_callback callback, void *context);
CURLcode weir_easy_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode weir_easy_get_pointer(CURL *easy, CURLINFO info, char **value);

/// Whether the TLS library holds input of the handle's connection that libcurl has not read. To be called only in a
/// callback of libcurl; false if libcurl does not use OpenSSL.
bool weir_easy_has_tls_input(CURL *easy);

CURLMcode weir_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLMcode weir_multi_set_socket(CURLM *multi, curl_socket_callback callback, void *context);
CURLMcode weir_multi_set_timer(CURLM *multi, curl_multi_timer_callback callback, void *context);

/// The next finished transfer of a multi handle and its result; NULL if there is none.
CURL *weir_multi_next_done(CURLM *multi, CURLcode *result);

CURLSH *weir_share_dns_create(void);

// Linux AIO's poll: one-shot readiness of a descriptor, signalled through an eventfd. io_submit(2), IOCB_CMD_POLL
// (Linux 4.18). glibc has no wrappers for these system calls.

typedef struct weir_aio weir_aio;

/// A context with room for one poll at a time; NULL with errno if the system does not permit it.
weir_aio *weir_aio_create(void);

/// Arms one poll for input on `fd`; `eventfd` is signalled when it is or becomes readable. Returns 0, or an errno.
int weir_aio_poll(weir_aio *aio, int fd, int eventfd);

/// Takes the completions so far, to make room for the next poll; returns their number.
unsigned weir_aio_reap(weir_aio *aio);

void weir_aio_destroy(weir_aio *aio);

/// Makes the allocator map each block of at least this size separately, so that it is returned to the system when freed.
///
/// By default glibc raises its threshold up to 32 MiB with each such block that is freed (mallopt(3)), and then keeps them.
void weir_map_large_blocks(size_t smallest);

#endif
