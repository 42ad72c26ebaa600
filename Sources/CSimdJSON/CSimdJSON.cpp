#include "CSimdJSON.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace {

using namespace simdjson;

/// What one thread needs to look into a text: simdjson reads up to SIMDJSON_PADDING bytes behind its end, so each is
/// copied. One for a thread, not for a stream: it holds several times the longest text so far.
struct Reader {
    ondemand::parser parser;
    std::unique_ptr<char[]> text;
    size_t room = 0;

    /// Where a text is longer than this, the memory for it is given back behind it.
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

}  // namespace

weir_json_kind weir_json_at(
    const char *pointer, size_t pointer_length, const char *text, size_t length, const char **value,
    size_t *value_length) {
    try {
        if (!reader) reader = std::make_unique<Reader>();
        // The memory of the text before this one, where it was a long one.
        if (reader->room > Reader::kept && length <= Reader::kept) reader = std::make_unique<Reader>();
        reader->reserve(length);
        std::memcpy(reader->text.get(), text, length);
        std::memset(reader->text.get() + length, 0, SIMDJSON_PADDING);
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
