#ifndef WEIR_CZLIB_H
#define WEIR_CZLIB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A gzip decompressor; for one thread at a time.
typedef struct weir_gunzip weir_gunzip;

/// The result of one step.
typedef enum {
    /// It needs more input, or more room for the output.
    weir_gunzip_going_on = 0,
    /// A member of the file has ended and its checksum is correct; the next step begins another.
    weir_gunzip_member_ended = 1,
    /// The input is not gzip, or is damaged.
    weir_gunzip_damaged = 2,
} weir_gunzip_state;

/// Returns NULL if there is not enough memory.
weir_gunzip *weir_gunzip_open(void);

/// Decompresses as much of `input` as fits into `output`, at most 1 GiB of each; both counts are reduced to what
/// remains.
weir_gunzip_state weir_gunzip_step(
    weir_gunzip *gunzip, const unsigned char *input, size_t *input_length, unsigned char *output, size_t *output_length);

void weir_gunzip_close(weir_gunzip *gunzip);

/// The most bytes that weir_gzip makes of this many.
size_t weir_gzip_bound(size_t length);

/// Compresses all of `input`, at most 1 GiB, to one member of a gzip file.
///
/// Returns the number of bytes put into `output`, which has `room` for weir_gzip_bound(length); 0 if there is not enough memory.
size_t weir_gzip(const unsigned char *input, size_t length, unsigned char *output, size_t room);

#ifdef __cplusplus
}
#endif

#endif
