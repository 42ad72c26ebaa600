#ifndef WEIR_CZLIB_H
#define WEIR_CZLIB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What undoes gzip; belongs to one thread at a time.
typedef struct weir_gunzip weir_gunzip;

/// How one step went.
typedef enum {
    /// It wants more of the input, or more room for the output.
    weir_gunzip_going_on = 0,
    /// A member of the file has ended and its checksum is right; the next step would begin another.
    weir_gunzip_member_ended = 1,
    /// This is no gzip, or it is damaged.
    weir_gunzip_damaged = 2,
} weir_gunzip_state;

/// Returns NULL where there is no memory for it.
weir_gunzip *weir_gunzip_open(void);

/// Takes from `input` and puts into `output` as much as there is and fits, at most 1 GiB of each; both counts come back
/// as what is left of them.
weir_gunzip_state weir_gunzip_step(
    weir_gunzip *gunzip, const unsigned char *input, size_t *input_length, unsigned char *output, size_t *output_length);

void weir_gunzip_close(weir_gunzip *gunzip);

#ifdef __cplusplus
}
#endif

#endif
