#include "CSimdJSON.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace {

using namespace simdjson;

/// The parser and the buffer of one thread: simdjson reads up to SIMDJSON_PADDING bytes after the end of a text, so each text is
/// copied. One per thread, not per stream: it holds several times the longest text so far.
struct Reader {
    ondemand::parser parser;
    std::unique_ptr<char[]> text;
    size_t room = 0;

    /// The memory for a text that is longer than this is released after it.
    static constexpr size_t kept = 64 * 1024;

    void reserve(size_t length) {
        if (length <= room) return;
        size_t wanted = room < 1024 ? 1024 : room;
        while (wanted < length) wanted *= 2;
        room = 0;
        text.reset(new char[wanted + SIMDJSON_PADDING]);
        room = wanted;
    }
};

thread_local std::unique_ptr<Reader> reader;

std::string_view without_trailing_space(std::string_view text) {
    size_t length = text.find_last_not_of(" \t\r\n");
    return text.substr(0, length == std::string_view::npos ? 0 : length + 1);
}

weir_json_kind value_at(Reader &reader, std::string_view pointer, size_t length, std::string_view &found) {
    ondemand::document document;
    if (reader.parser.iterate(reader.text.get(), length, length + SIMDJSON_PADDING).get(document)) return weir_json_none;
    ondemand::value value;
    if (document.at_pointer(pointer).get(value)) return weir_json_none;
    ondemand::json_type type;
    if (value.type().get(type)) return weir_json_none;
    switch (type) {
    case ondemand::json_type::string:
        return value.get_string().get(found) ? weir_json_none : weir_json_string;
    case ondemand::json_type::number: {
        found = without_trailing_space(value.raw_json_token());
        ondemand::number number;
        return value.get_number().get(number) ? weir_json_none : weir_json_literal;
    }
    case ondemand::json_type::boolean: {
        found = without_trailing_space(value.raw_json_token());
        bool boolean;
        return value.get_bool().get(boolean) ? weir_json_none : weir_json_literal;
    }
    case ondemand::json_type::null:
        found = without_trailing_space(value.raw_json_token());
        return found == "null" ? weir_json_literal : weir_json_none;
    default: return weir_json_none;
    }
}

/// The index of a name among the requested ones; the search begins after the previous result.
size_t place_of(std::string_view name, const weir_json_name *names, size_t count, size_t first) {
    for (size_t step = 0; step < count; step++) {
        size_t place = first + step < count ? first + step : first + step - count;
        if (name == std::string_view(names[place].text, names[place].length)) return place;
    }
    return count;
}

bool read_member(ondemand::value value, weir_json_member &member) {
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    switch (type) {
    case ondemand::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text)) return false;
        member = {weir_json_string, text.data(), text.size(), 0};
        return true;
    }
    case ondemand::json_type::number:
        if (value.get_double().get(member.number)) return false;
        member.kind = weir_json_literal;
        return true;
    default: return true;
    }
}

bool members_of(Reader &reader, size_t length, const weir_json_name *names, size_t count, weir_json_member *found) {
    ondemand::document document;
    if (reader.parser.iterate(reader.text.get(), length, length + SIMDJSON_PADDING).get(document)) return false;
    ondemand::object object;
    if (document.get_object().get(object)) return false;
    size_t expected = 0;
    for (auto item : object) {
        ondemand::field field;
        if (std::move(item).get(field)) return false;
        std::string_view name;
        if (field.unescaped_key().get(name)) return false;
        size_t place = place_of(name, names, count, expected);
        if (place == count || found[place].kind != weir_json_none) continue;
        expected = place + 1;
        if (!read_member(field.value(), found[place])) return false;
    }
    const char *position;
    return document.current_location().get(position) == OUT_OF_BOUNDS;
}

constexpr size_t most_nested = 512;

bool read_value(ondemand::value value, weir_json_value &found, size_t depth);

/// Reads the content of an array or an object, to check that it is JSON.
bool read_nested(ondemand::value value, ondemand::json_type type, size_t depth) {
    if (depth == 0) return false;
    weir_json_value unused;
    if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (value.get_array().get(array)) return false;
        for (auto item : array) {
            ondemand::value element;
            if (std::move(item).get(element) || !read_value(element, unused, depth - 1)) return false;
        }
        return true;
    }
    ondemand::object object;
    if (value.get_object().get(object)) return false;
    for (auto item : object) {
        ondemand::field field;
        std::string_view name;
        if (std::move(item).get(field) || field.unescaped_key().get(name)) return false;
        if (!read_value(field.value(), unused, depth - 1)) return false;
    }
    return true;
}

void read_number(ondemand::value value, weir_json_value &found) {
    ondemand::number number;
    // A number out of range is an error as well, so the two cannot be distinguished.
    if (value.get_number().get(number)) return;
    if (number.is_int64()) {
        found.kind = weir_json_value_integer;
        found.integer = number.get_int64();
    } else if (number.is_double()) {
        found.kind = weir_json_value_double;
        found.number = number.get_double();
    }
}

bool read_value(ondemand::value value, weir_json_value &found, size_t depth) {
    found = {weir_json_value_other, nullptr, 0, 0, 0, false};
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    switch (type) {
    case ondemand::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text)) return false;
        found.kind = weir_json_value_string;
        found.text = text.data();
        found.length = text.size();
        return true;
    }
    case ondemand::json_type::number: read_number(value, found); return true;
    case ondemand::json_type::boolean:
        found.kind = weir_json_value_boolean;
        return !value.get_bool().get(found.boolean);
    case ondemand::json_type::null: return without_trailing_space(value.raw_json_token()) == "null" && value.is_null();
    default: return read_nested(value, type, depth);
    }
}

bool each_member(Reader &reader, size_t length, weir_json_visitor visit, void *context) {
    ondemand::document document;
    if (reader.parser.iterate(reader.text.get(), length, length + SIMDJSON_PADDING).get(document)) return false;
    ondemand::object object;
    if (document.get_object().get(object)) return false;
    for (auto item : object) {
        ondemand::field field;
        std::string_view name;
        weir_json_value value;
        if (std::move(item).get(field) || field.unescaped_key().get(name)) return false;
        if (!read_value(field.value(), value, most_nested)) return false;
        visit(context, {name.data(), name.size()}, &value);
    }
    const char *position;
    return document.current_location().get(position) == OUT_OF_BOUNDS;
}

/// Copies a text to a buffer where simdjson may read after its end.
void take(const char *text, size_t length) {
    if (!reader) reader = std::make_unique<Reader>();
    // Release the memory of the previous text, if that was long.
    if (reader->room > Reader::kept && length <= Reader::kept) reader = std::make_unique<Reader>();
    reader->reserve(length);
    std::memcpy(reader->text.get(), text, length);
    std::memset(reader->text.get() + length, 0, SIMDJSON_PADDING);
}

}  // namespace

weir_json_kind weir_json_at(
    const char *pointer, size_t pointer_length, const char *text, size_t length, const char **value,
    size_t *value_length) {
    try {
        take(text, length);
        std::string_view found;
        auto kind = value_at(*reader, std::string_view(pointer, pointer_length), length, found);
        *value = found.data();
        *value_length = found.size();
        return kind;
    } catch (const std::bad_alloc &) {
        reader.reset();
        return weir_json_none;
    }
}

bool weir_json_members(
    const weir_json_name *names, size_t count, const char *text, size_t length, weir_json_member *found) {
    for (size_t place = 0; place < count; place++) found[place] = {weir_json_none, nullptr, 0, 0};
    if (length == 0) return false;
    try {
        take(text, length);
        return members_of(*reader, length, names, count, found);
    } catch (const std::bad_alloc &) {
        reader.reset();
        return false;
    }
}

bool weir_json_each_member(const char *text, size_t length, weir_json_visitor visit, void *context) {
    if (length == 0) return false;
    try {
        take(text, length);
        return each_member(*reader, length, visit, context);
    } catch (const std::bad_alloc &) {
        reader.reset();
        return false;
    }
}
