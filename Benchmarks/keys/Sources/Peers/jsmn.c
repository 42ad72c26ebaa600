#include "Peers.h"

#include <stdlib.h>
#include <string.h>

#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#define JSMN_STATIC
#include <jsmn.h>

// Kept for the next text, as weir would.
static jsmntok_t *tokens;
static unsigned room;

size_t jsmn_member(const char *name, size_t name_length, const char *text, size_t length) {
    jsmn_parser parser;
    int found;
    for (;;) {
        jsmn_init(&parser);
        found = room ? jsmn_parse(&parser, text, length, tokens, room) : JSMN_ERROR_NOMEM;
        if (found != JSMN_ERROR_NOMEM) break;
        room = room ? room * 2 : 32;
        tokens = realloc(tokens, room * sizeof *tokens);
        if (!tokens) abort();
    }
    for (int at = 1; at + 1 < found; at++) {
        size_t size = (size_t)(tokens[at].end - tokens[at].start);
        if (tokens[at].parent == 0 && size == name_length && !memcmp(text + tokens[at].start, name, size))
            return (size_t)(tokens[at + 1].end - tokens[at + 1].start);
    }
    return 0;
}
