#ifndef PEERS_H
#define PEERS_H

#include <stddef.h>

/// The length of the value of a member of the outermost object, found by jsmn; 0 where there is none.
size_t jsmn_member(const char *name, size_t name_length, const char *text, size_t length);

#endif
