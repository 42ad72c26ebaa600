#ifndef WEIR_CSIMDJSON_H
#define WEIR_CSIMDJSON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What stands at a pointer.
typedef enum {
    /// Nothing, an object, an array, or no JSON.
    weir_json_none = 0,
    /// A string, unescaped.
    weir_json_string = 1,
    /// A number, true, false or null, as it is written.
    weir_json_literal = 2,
} weir_json_kind;

/// Finds the value at a JSON Pointer (RFC 6901), which is not empty, in one JSON text of any bytes.
///
/// What stands behind the value is only looked at as far as it takes to know that strings and the outermost bracket are
/// closed. `value` is valid until the next call on this thread.
weir_json_kind weir_json_at(
    const char *pointer, size_t pointer_length, const char *text, size_t length, const char **value,
    size_t *value_length);

#ifdef __cplusplus
}
#endif

#endif
