#include "CZlib.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

struct weir_gunzip {
    z_stream stream;
    bool has_ended;
};

weir_gunzip *weir_gunzip_open(void) {
    weir_gunzip *gunzip = calloc(1, sizeof *gunzip);
    // 15 is the largest window; adding 16 accepts only gzip.
    if (gunzip && inflateInit2(&gunzip->stream, 15 + 16) != Z_OK) {
        free(gunzip);
        return NULL;
    }
    return gunzip;
}

weir_gunzip_state weir_gunzip_step(
    weir_gunzip *gunzip, const unsigned char *input, size_t *input_length, unsigned char *output,
    size_t *output_length) {
    static const size_t most = (size_t)1 << 30;
    if (gunzip->has_ended && inflateReset(&gunzip->stream) != Z_OK) return weir_gunzip_damaged;
    gunzip->has_ended = false;
    uInt in = (uInt)(*input_length < most ? *input_length : most);
    uInt out = (uInt)(*output_length < most ? *output_length : most);
    gunzip->stream.next_in = (unsigned char *)input;
    gunzip->stream.avail_in = in;
    gunzip->stream.next_out = output;
    gunzip->stream.avail_out = out;
    int result = inflate(&gunzip->stream, Z_NO_FLUSH);
    *input_length -= in - gunzip->stream.avail_in;
    *output_length -= out - gunzip->stream.avail_out;
    switch (result) {
    case Z_STREAM_END: gunzip->has_ended = true; return weir_gunzip_member_ended;
    // Z_BUF_ERROR means that no progress was possible yet.
    case Z_OK: case Z_BUF_ERROR: return weir_gunzip_going_on;
    default: return weir_gunzip_damaged;
    }
}

void weir_gunzip_close(weir_gunzip *gunzip) {
    inflateEnd(&gunzip->stream);
    free(gunzip);
}

size_t weir_gzip_bound(size_t length) {
    // The header and trailer of gzip are 18 bytes, and those of zlib, which compressBound includes, 6.
    return compressBound(length) + 12;
}

size_t weir_gzip(const unsigned char *input, size_t length, unsigned char *output, size_t room) {
    static const size_t most = (size_t)1 << 30;
    if (length > most) return 0;
    z_stream stream = {0};
    // 15 is the largest window; adding 16 writes gzip. 8 is the default of the memory level.
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (unsigned char *)input;
    stream.avail_in = (uInt)length;
    stream.next_out = output;
    stream.avail_out = (uInt)(room < 2 * most ? room : 2 * most);
    int result = deflate(&stream, Z_FINISH);
    size_t made = stream.total_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? made : 0;
}
