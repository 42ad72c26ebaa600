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
