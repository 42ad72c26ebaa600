#ifndef WEIR_CSIMDJSON_H
#define WEIR_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The kind of value at a pointer.
typedef enum {
    /// No value, an object, an array, or malformed JSON.
    weir_json_none = 0,
    /// A string, unescaped.
    weir_json_string = 1,
    /// A number, true, false or null, as written.
    weir_json_literal = 2,
} weir_json_kind;

/// Finds the value at a JSON Pointer (RFC 6901), which must not be empty, in one JSON text of any bytes.
///
/// The text after the value is checked only for closed strings and a closed outermost bracket. `value` is valid until the next call on this thread.
weir_json_kind weir_json_at(
    const char *pointer, size_t pointer_length, const char *text, size_t length, const char **value,
    size_t *value_length);

/// The name of a member, in UTF-8.
typedef struct {
    const char *text;
    size_t length;
} weir_json_name;

/// A member that was found: `text` of a string, `number` of a number (`weir_json_literal`).
typedef struct {
    weir_json_kind kind;
    const char *text;
    size_t length;
    double number;
} weir_json_member;

/// Finds the named members of one JSON object, of any bytes, in one pass over it.
///
/// True, false, null, objects and arrays count as `weir_json_none`, and of two members with one name the first counts.
/// Names in their most frequent order are found fastest. The values of other names are skipped by their brackets and
/// quotes, without a check. `found` has room for `count` members; their texts are valid until the next call on this
/// thread.
///
/// Returns false for a text that is not an object, is not UTF-8, is incomplete, or has more text after its end.
bool weir_json_members(
    const weir_json_name *names, size_t count, const char *text, size_t length, weir_json_member *found);

/// The type of a member.
typedef enum {
    /// null, an object, an array, or a number that fits no type below.
    weir_json_value_other = 0,
    /// A string, unescaped.
    weir_json_value_string = 1,
    /// A whole number, written without a fraction or exponent.
    weir_json_value_integer = 2,
    weir_json_value_double = 3,
    weir_json_value_boolean = 4,
} weir_json_value_kind;

typedef struct {
    weir_json_value_kind kind;
    const char *text;
    size_t length;
    int64_t integer;
    double number;
    bool boolean;
} weir_json_value;

/// Receives a member; its name, unescaped, and its text are valid during the call.
typedef void (*weir_json_visitor)(void *context, weir_json_name name, const weir_json_value *value);

/// Reads one JSON object, of any bytes, and passes each of its members in the order of the text, equal names included.
///
/// Returns false for a text that is not one JSON object in UTF-8, or that is nested more than 512 deep; some members may
/// have been passed before the error was found.
bool weir_json_each_member(const char *text, size_t length, weir_json_visitor visit, void *context);

#ifdef __cplusplus
}
#endif

#endif
